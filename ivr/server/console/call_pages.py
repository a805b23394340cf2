"""The pages about calls: those that are live and those that were, and one call from beginning to end."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from ivr.call_record import REMEMBERED, CallRecord
from ivr.engine.call import Facts, Taken
from ivr.engine.flow import Flow
from ivr.flowfile.chart import chart_of
from ivr.server.console.call_details import CallDetails, ConversationEntry, TraceRow
from ivr.server.console.console_page import (
    ROOT,
    call_link,
    document,
    facts,
    flow_address,
    flow_link,
    heading,
    lasted,
    moment,
    name_tag,
    outcome_tag,
    sheet,
    table,
)
from ivr.server.console.figures import CallFigures, marks_of
from ivr.server.console.found_calls import quick_search
from ivr.server.drawing.svg import Marks, picture
from ivr.server.html import Child, Html, tag
from ivr.trace.milestones import goals_reached, states_reached
from ivr.trace.sentences import clock, line_in_full, line_in_short

Address = Callable[[int], str]
"Gives the address at which the n-th recording of the call can be heard."


class CallRow(Struct, frozen=True):
    """A call in a list."""

    record: CallRecord
    flow: str
    "The flow's name, or what there is of it."


class FinishedCall(Struct, frozen=True):
    """A call that is over, in a list."""

    shown: CallRow
    figures: CallFigures


def calls_page(
    live: Sequence[CallRow],
    finished: Sequence[FinishedCall],
    *,
    open_calls: int,
    now: float,
    dead: int = 0,
    dead_requests: int = 0,
    development: bool = False,
) -> Html:
    """List the calls; `live` are the newest of `open_calls` calls that are not over.

    `dead`: notifications that were given up; `dead_requests`: requests to carriers that were.
    """
    more = f"the newest {len(live)}" if open_calls > len(live) else None
    return document(
        "Calls",
        heading("Calls", aside=_status()),
        quick_search(),
        tag("div", _dead(dead, dead_requests) if dead or dead_requests else None, data_live="dead"),
        sheet(f"Live: {open_calls}", _live(live, now), aside=more, live="live"),
        sheet(
            "Finished", _finished(finished), aside="the newest of the last seven days; times are UTC", live="finished"
        ),
        here=ROOT,
        development=development,
    )


def _dead(notifications: int, requests: int) -> Html:
    """Show that somebody was not told of something, or a carrier not asked."""
    given_up = (
        (notifications, "notification", "ivr notifications --dead"),
        (requests, "request to a carrier", "ivr requests --dead"),
    )
    return sheet("Not sent", *(_given_up(*one) for one in given_up if one[0]))


def _given_up(number: int, one: str, command: str) -> Html:
    first, *rest = one.split(" ", 1)
    many = " ".join([f"{first}s", *rest])
    told = f"1 {one} was given up" if number == 1 else f"{number} {many} were given up"
    return tag("p", f"{told}. See ", tag("code", command), ".", class_="body")


def _live(live: Sequence[CallRow], now: float) -> Html:
    by_line = _tells_lines(one.record for one in live)
    rows = {
        one.record.id: (
            call_link(one.record.id),
            flow_link(one.flow),
            name_tag(one.record.call.state or ("calling" if one.record.call.phase == "calling" else "")),
            _who(one.record),
            *_line_cell(one.record, shown=by_line),
            moment(one.record.call.facts.started),
            lasted(now - one.record.call.facts.started),
        )
        for one in live
    }
    columns = ("Call", "Flow", "State", "From", *(("Line",) if by_line else ()), "Started", "Age")
    return table(columns, rows, empty="No live calls.", numbers="Age")


def _finished(finished: Sequence[FinishedCall]) -> Html:
    by_line = _tells_lines(one.shown.record for one in finished)
    rows = {
        one.shown.record.id: (
            call_link(one.shown.record.id),
            flow_link(one.shown.flow),
            outcome_tag(one.figures.outcome or "none"),
            _who(one.shown.record),
            *_line_cell(one.shown.record, shown=by_line),
            moment(one.shown.record.call.facts.started),
            lasted(one.figures.seconds),
        )
        for one in finished
    }
    columns = ("Call", "Flow", "Outcome", "From", *(("Line",) if by_line else ()), "Started", "Duration")
    return table(columns, rows, empty="No call in the last seven days.", numbers="Duration")


def call_page(
    record: CallRecord, flow: Flow, details: CallDetails, address: Address, *, now: float, development: bool = False
) -> Html:
    """Return the page of one call."""
    over = record.call.phase == "over"
    goals = goals_reached(states_reached(details.path), flow)
    states, transitions = marks_of(details.path, flow)
    marks = Marks("" if over else record.call.state, states, transitions)
    title = f"The path of this call through {flow.name}"
    path = picture(chart_of(flow), title, marks=marks, address=flow_address)
    drawn = tag("div", path, class_="picture", tabindex="0")
    return document(
        f"Call {record.id[:8]}",
        heading(
            f"Call {record.id[:8]}", _state_tag(record), _id(record), aside=None if over else _status(), live="head"
        ),
        tag("section", _facts(record, details.rows, flow, now=now, goals=goals), class_="sheet", data_live="facts"),
        tag(
            "div",
            tag("div", sheet("Conversation", tag("div", _talk(details.talk, address), class_="body"), live="talk")),
            tag("div", sheet("The path through the flow", drawn, aside=flow_link(flow.name), live="way")),
            class_="columns",
        ),
        _events(details.rows, record),
        here=ROOT,
        development=development,
    )


def bare_call_page(
    record: CallRecord, rows: Sequence[TraceRow], why: str, *, now: float, development: bool = False
) -> Html:
    """Return what can be told of a call whose flow or beginning is lost."""
    return document(
        f"Call {record.id[:8]}",
        heading(f"Call {record.id[:8]}", _state_tag(record), _id(record)),
        tag("section", _facts(record, rows, None, now=now), class_="sheet"),
        sheet("Conversation", tag("p", f"The conversation cannot be shown: {why}.", class_="empty")),
        _events(rows, record),
        here=ROOT,
        development=development,
    )


def _facts(
    record: CallRecord, rows: Sequence[TraceRow], flow: Flow | None, *, now: float, goals: Sequence[str] = ()
) -> Html:
    version = tag("code", record.call.flow[:12])
    if flow:  # the one that took this call, which may be served no more
        version = tag("a", version, href=flow_address(flow.name, version=flow.hash))
    known = record.call.facts
    over = record.call.phase == "over"
    length = rows[-1].at if over and rows else now - known.started
    return facts(
        [
            ("Direction", _direction(known)),
            ("From", known.caller or ("the line's number" if known.placed else "withheld")),
            ("To", known.called or "unknown"),
            ("Started (UTC)", moment(known.started)),
            ("Duration" if over else "Age", lasted(length)),
            ("State", record.call.state or "none yet"),
            ("Flow", flow.name if flow else "(lost)"),
            ("Version", version),
            ("Channel", known.channel or record.key.channel),
            *([("Goals reached", ", ".join(goals))] if goals else ()),
            *([("Line", told)] if record.line and (told := line_in_full(record.line)) else ()),
        ]
    )


def _direction(known: Facts) -> str:
    if not known.placed:
        return "incoming"
    by = "" if known.answered_by in {None, "unknown"} else f", answered by a {known.answered_by}"
    return f"outgoing{by}"


def _talk(talk: Sequence[ConversationEntry], address: Address) -> Html:
    items = []
    for said in talk:
        when = tag("span", clock(said.at), class_="when")
        if said.who == "note":
            items.append(tag("li", tag("span", f"{said.text} · {clock(said.at)}"), class_="note"))
            continue
        sound = None
        if said.recording is not None:
            sound = tag("audio", src=address(said.recording), controls=True, preload="none",
                        aria_label=f"Recording {said.recording + 1}")  # fmt: skip
        who = tag("span", "The flow: " if said.who == "flow" else "The caller ", class_="only-read")
        items.append(tag("li", tag("span", who, said.text, class_="said"), sound, when, class_=said.who))
    return tag("ol", *items, class_="talk")


def _events(trace_rows: Sequence[TraceRow], record: CallRecord) -> Html:
    rows = {
        str(number): (
            f"{line.at:.2f} s",
            f"+{line.after:.2f}",
            _event(line),
            _transition(line.path),
            ", ".join(line.ordered) or "–",
        )
        for number, line in enumerate(trace_rows)
    }
    columns = ("At", "After", "Event", "Transitions", "Commands")
    aside = "further messages that changed nothing are not listed" if record.unmoved >= REMEMBERED else None
    shown = table(columns, rows, empty="None.", numbers="At|After", long="Transitions")
    return sheet("Events", shown, aside=aside, live="events")


def _event(line: TraceRow) -> str:
    told = line.event if line.ignored is None else f"{line.event} (ignored: {line.ignored})"
    return "; ".join((told, *line.mistakes))


def _transition(path: Sequence[Taken]) -> str:
    return "; ".join(f"{one.state or 'start'} · {one.event} → {one.target or 'the end'}" for one in path) or "–"


def _state_tag(record: CallRecord) -> Html:
    return outcome_tag((record.call.outcome or "none") if record.call.phase == "over" else None)


def _id(record: CallRecord) -> Html:
    return tag("code", record.id, class_="soft")


def _caller(record: CallRecord) -> str:
    facts = record.call.facts
    return f"to {facts.called}" if facts.placed else facts.caller or "withheld"


def _who(record: CallRecord) -> Html:
    """Return the caller in a list, where a long name must not push the others out of sight."""
    return tag("span", _caller(record), class_="clamp")


def _tells_lines(records: Iterable[CallRecord]) -> bool:
    """Return whether any of these calls came by a line that tells of itself; else a list has no column for it."""
    return any(record.line for record in records)


def _line_cell(record: CallRecord, *, shown: bool) -> tuple[Child, ...]:
    told = line_in_short(record.line) if record.line else ""
    return (tag("span", told or "–", class_="clamp"),) if shown else ()


def _status() -> Html:
    return tag("span", "live", data_status=True, role="status")
