"""The check `closed`: who calls while a calendar is closed leaves a message, is connected, or hears when it opens.

The ways of a call are followed as if the calendar were closed: branches that need it to be open are left out, and so
are those that come after one that is taken whenever it is closed. Whatever else a guard asks may be true or false.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ivr.engine.expressions.compile import Expression, Template
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.required_variables import proved_true
from ivr.flowfile.document import Document, Transition
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.reachability import reached
from ivr.flowfile.texts import Use, compiled, uses

CLOSED = Check(
    "closed",
    "warning",
    "While a calendar is closed, callers can neither leave a message nor hear when it opens.",
    group="Proofs",
    bad="""
calendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}
states:
  start: {decide: [{guard: calendar.office.open, target: open}, bye]}
  open: {say: We are here., next: bye}
""",
    good="""
calendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}
states:
  start: {decide: [{guard: calendar.office.open, target: open}, closed]}
  open: {say: We are here., next: bye}
  closed: {say: "We open on {{ calendar.office.nextOpen | datetime }}.", next: bye}
""",
)


@CLOSED.message
def _nothing_to_do(calendar: str) -> Text:
    message = f'While "{calendar}" is closed, callers can neither leave a message nor hear when it opens.'
    return message, f"Say {{{{ calendar.{calendar}.nextOpen | datetime }}}}, or record a message."


HELPS = frozenset({"record", "transfer", "notify", "invoke"})
"Actions by which a caller is served, or may be."
_WORDS = re.compile(r"\d")
"Of a text that says when: `at 9`, `on 24 December`."


@CLOSED.finder
def closed(document: Document) -> Iterator[Finding]:
    """Find guards that send callers away while a calendar is closed."""
    for calendar in document.model.calendars:
        is_open = f"calendar.{calendar}.open"
        for state in [name for name, _ in document.states() if name not in document.loose]:
            for together in _handlers(document, state):
                ways = _while_closed(together, is_open)
                if len(ways) < len(together) and ways and not _is_served(document, calendar, ways):
                    yield document.finding(_nothing_to_do(calendar), ways[0].path)
                    break


def _handlers(document: Document, state: str) -> Iterator[Sequence[Transition]]:
    """Go through the handlers of a state: the branches of each, in order."""
    several = groupby(document.transitions.get(state, ()), lambda transition: (transition.event, transition.path[:-1]))
    yield from (tuple(together) for _, together in several)


def _while_closed(branches: Iterable[Transition], is_open: str) -> list[Transition]:
    """Return the branches that can be taken while a calendar is closed."""
    found: list[Transition] = []
    for transition in branches:
        guard = transition.branch.guard
        if guard and is_open in proved_true(guard, True):
            continue
        found.append(transition)
        if guard and is_open in proved_true(guard, False):
            break
    return found


def _is_served(document: Document, calendar: str, ways: Sequence[Transition]) -> bool:
    """Return whether a caller is helped on these ways, or told when it opens, while a calendar stays closed."""
    is_open = f"calendar.{calendar}.open"

    def following(state: str) -> list[str]:
        return [way.target for together in _handlers(document, state) for way in _while_closed(together, is_open)]

    states = reached([way.target for way in ways], following)
    if not document.loose.isdisjoint(states):
        return True  # who knows where they lead
    if any(action.word in HELPS for state in states for action in document.model.states[state].actions):
        return True
    branches = {way.path for way in ways}
    return any(_says_when(use, calendar) for use in uses(document) if use.state in states or use.branch in branches)


def _says_when(use: Use, calendar: str) -> bool:
    what = compiled(use.text, bare=use.is_bare)
    if use.role != "text" or not isinstance(what, Template | Expression):
        return False
    told = {f"calendar.{calendar}.{fact}" for fact in ("nextOpen", "closes")} | {f"calendar.{calendar}"}
    return not told.isdisjoint(what.names) or _WORDS.search(PUT_IN.sub("", use.text)) is not None
