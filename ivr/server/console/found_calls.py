"""The page on which calls are looked for: the form, one page of what was found, and where to go on."""

from collections.abc import Iterable, Sequence

from ivr.call_search import LIVE, NO_OUTCOME, FoundCall
from ivr.server.console.call_filters import CallFilter, in_utc
from ivr.server.console.console_page import (
    ROOT,
    call_link,
    document,
    flow_link,
    heading,
    lasted,
    moment,
    name_tag,
    outcome_tag,
    sheet,
    table,
)
from ivr.server.console.searching import CallPage
from ivr.server.html import Child, Html, join, tag

SEARCH, EXPORT = f"{ROOT}/calls", f"{ROOT}/calls.csv"
OUTCOMES = ("resolved", "abandoned", "unresolved", "failed", NO_OUTCOME, LIVE)
"Those that every flow can have; an author may have more."


def found_page(
    wanted: CallFilter,
    found: CallPage,
    names: Sequence[str],
    *,
    flows: Sequence[str],
    channels: Sequence[str],
    newest: bool,
    now: float,
    development: bool = False,
) -> Html:
    """Show a page of calls; `names` are those of their flows, `flows` and `channels` what can be chosen.

    `newest`: it is the first page.
    """
    rows = {
        one.id: (
            call_link(one.id),
            flow_link(name),
            outcome_tag(None if one.ended is None else one.kind),
            name_tag(one.state) if one.state else "–",
            tag("span", _party(one), class_="clamp"),
            name_tag(one.channel),
            moment(one.started),
            lasted((now if one.ended is None else one.ended) - one.started),
        )
        for one, name in zip(found.calls, names, strict=True)
    }
    columns = ("Call", "Flow", "Outcome", "State", "From", "Channel", "Started", "Duration")
    empty = "No such call." if found.older is None else "No such call among those that were looked at."
    leads = tag("nav", *_leads(wanted, found, newest=newest), class_="leads", aria_label="Pages of calls")
    return document(
        "Search",
        heading("Calls", aside=tag("a", "Live and newest calls", href=ROOT)),
        sheet("Filter", _form(wanted, flows, channels)),
        sheet("Found", table(columns, rows, empty=empty, numbers="Duration"), leads, aside=_extent(found)),
        here=ROOT,
        development=development,
    )


def quick_search() -> Html:
    """Return the short form above the list of calls."""
    return tag(
        "form",
        tag("label", "Number or name", for_="number"),
        tag("input", id_="number", name_="number", type_="search", class_="field", maxlength="200"),
        tag("button", "Search", class_="button"),
        tag("a", "More filters, CSV", href=SEARCH),
        action=SEARCH,
        class_="quick",
        role="search",
    )


def _form(wanted: CallFilter, flows: Iterable[str], channels: Iterable[str]) -> Html:
    fields = (
        _field("number", "Number or name", wanted.number, type_="search"),
        _suggested("flow", "Flow", wanted.flow, flows),
        _suggested("outcome", "Outcome", wanted.outcome, OUTCOMES),
        _field("state", "State", wanted.state),
        _suggested("channel", "Channel", wanted.channel, channels),
        _field("since", "From (UTC)", _for_field(wanted.since), type_="datetime-local"),
        _field("until", "Before (UTC)", _for_field(wanted.until), type_="datetime-local"),
    )
    buttons = tag(
        "div",
        tag("button", "Search", class_="button strong"),
        tag("a", "CSV of all that fits", href=f"{EXPORT}{wanted.query()}", class_="button", download=True),
        tag("a", "Clear", href=SEARCH) if wanted.is_set else None,
        class_="buttons",
    )
    return tag("form", *fields, buttons, action=SEARCH, class_="filters body", role="search")


def _field(name: str, label: str, value: str, *more: Child, type_: str = "text", list_: str | None = None) -> Html:
    written = tag("input", id_=name, name_=name, type_=type_, value=value or None, list_=list_, class_="field",
                  maxlength=None if type_ == "datetime-local" else "200", autocomplete="off")  # fmt: skip
    return tag("div", tag("label", label, for_=name), written, *more)


def _suggested(name: str, label: str, value: str, choices: Iterable[str]) -> Html:
    """Return a field that offers what is known; anything else can be written, too: it may be of long ago."""
    offered = tag("datalist", *(tag("option", value=choice) for choice in choices), id_=f"{name}s")
    return _field(name, label, value, offered, list_=f"{name}s")


def _leads(wanted: CallFilter, found: CallPage, *, newest: bool) -> Iterable[Child]:
    if not newest:
        yield tag("a", "Newest calls", href=f"{SEARCH}{wanted.query()}", class_="button")
    if found.older is not None:
        words = "Older calls" if found.calls else "Look further back"
        yield tag("a", words, href=f"{SEARCH}{wanted.query(before=str(found.older))}", class_="button", rel="next")


def _extent(found: CallPage) -> Html:
    """Return how much is shown, and whether there is more."""
    number = len(found.calls)
    told = f"{number} call{'' if number == 1 else 's'}"
    if found.older is None or number:
        return join([told, "" if found.older is None else "; there are older ones"])
    return join([told, f" among {found.looked:,}; there are older ones"])


def _party(one: FoundCall) -> str:
    return f"to {one.called}" if one.placed else one.caller or "withheld"


def _for_field(moment_: str) -> str:
    """Return a time as the browser's field for times has it."""
    return in_utc(moment_).replace(tzinfo=None).isoformat(timespec="minutes") if moment_ else ""
