"""Checks of whom a call is transferred to (LANGUAGE C4, C16)."""

from collections.abc import Collection, Iterator

from ivr.engine.destinations import address, address_of
from ivr.engine.naming import normal
from ivr.flowfile.actions.transfer import addresses
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_base import PUT_IN
from ivr.nearest import did_you_mean

DESTINATION = Check(
    "destination",
    "error",
    "A call is transferred to something that is no number, address or destination.",
    group="Values",
    bad="""
destinations: {sales: "+43 1 234567"}
states:
  start: {transfer: {to: sale}, on: {failed: bye}}
""",
    good="""
destinations: {sales: "+43 1 234567"}
states:
  start: {transfer: {to: sales}, on: {failed: bye}}
""",
    fixable=True,
)

_ADDRESS = 'Write a number with its country, such as "+43 1 234567", or an address, such as sip:desk@pbx.example.'


@DESTINATION.message
def _no_address(text: str) -> Text:
    return f'"{text}" is no number or address.', _ADDRESS


@DESTINATION.message
def _no_destination(text: str, known: Collection[str]) -> Text:
    return f'"{text}" is no number, address or destination.', did_you_mean(text, known) or _ADDRESS


@DESTINATION.finder
def destinations(document: Document) -> Iterator[Finding]:
    """Find destinations that are none, and transfers to what is none."""
    known = document.model.destinations
    for name, written in known.items():
        if address(written) is None:
            yield document.finding(_no_address(written), ("destinations", name))
    found = addresses(known)
    for name, state in document.states():
        to = state.transfer.to if state.transfer else None
        # What is put together in the call is judged there: it fails as `failed.unreachable`.
        if to is None or PUT_IN.search(to) or address_of(to, found) is not None or normal(to) in known:
            continue
        path = ("states", name, "transfer", "to")
        fix = document.source.renaming(path, to, known)
        yield document.finding(_no_destination(to, known), path, fix=fix)
