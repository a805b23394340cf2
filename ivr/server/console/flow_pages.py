"""The pages about flows: which are served and what is wrong with them, and what callers do in one of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from ivr.engine.calendars import CalendarFacts
from ivr.engine.flow import Flow
from ivr.flowfile.chart import chart_of
from ivr.server.closings import Closings
from ivr.server.console.console_page import (
    ROOT,
    document,
    facts,
    findings,
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
from ivr.server.console.counting import Counted
from ivr.server.console.figures import Figures
from ivr.server.drawing.svg import picture
from ivr.server.flow_registry import RegisteredFlow
from ivr.server.html import Html, join, tag

HERE = f"{ROOT}/flows"

PERIODS: Mapping[str, tuple[str, float]] = {
    "hour": ("1 hour", 3600.0),
    "day": ("24 hours", 86400.0),
    "week": ("7 days", 7 * 86400.0),
    "month": ("30 days", 30 * 86400.0),
    "all": ("all", float("inf")),
}
"By the word in the address: how it is shown, and how many seconds it is."


class Version(Struct, frozen=True):
    """A version of a flow that took calls in the period."""

    hash: str
    calls: int
    last: float
    "When the last of them came in; 0: there was none."
    served: bool


class Opening(Struct, frozen=True):
    """How a calendar stands."""

    name: str
    facts: CalendarFacts
    by_operator: bool


def flows_page(
    registry: Sequence[RegisteredFlow],
    calls: Mapping[str, int],
    *,
    closings: Closings,
    pending: bool = False,
    development: bool = False,
) -> Html:
    """List the flows; `calls`: of the last seven days, by name; `pending`: some are not counted yet."""
    rows = {
        str(one.file): (
            flow_link(one.flow.name) if one.flow else name_tag(one.file.stem),
            one.flow.description if one.flow else "",
            tag("code", one.flow.hash[:12]) if one.flow else "",
            join([standing(one), *closed_tags(one, closings)]),
            f"{calls.get(one.flow.name, 0):,}" if one.flow else "",
        )
        for one in registry
    }
    found = [part for one in registry for part in finding_sheets(one)]
    columns = ("Flow", "Description", "Version", "State", "Calls in 7 days")
    listed = table(columns, rows, empty="No flow is served.", numbers="Calls in 7 days",
                   long="Description")  # fmt: skip
    return document(
        "Flows", heading("Flows"),
        tag("section", listed, tag("p", "Still counting calls.", class_="soft") if pending else None, class_="sheet",
            data_live="flows"),
        tag("div", *found, class_="stack", data_live="findings"), here=HERE, development=development,
    )  # fmt: skip


def flow_page(
    flow: Flow,
    versions: Sequence[Version],
    counted: Counted,
    *,
    period: str,
    fault: str,
    doubts: str = "",
    hours: Sequence[Opening] = (),
    development: bool = False,
) -> Html:
    """Show what callers did in one version of a flow, and how its calendars stand."""
    figures = counted.figures
    calls = next(one.calls for one in versions if one.hash == flow.hash)
    drawn = picture(
        chart_of(flow), f"{flow.name}, and how many calls went each way", numbers=figures.numbers, address=flow_address
    )
    return document(
        flow.name,
        heading(flow.name, tag("span", flow.description, class_="soft"), aside=_periods(flow, period, versions)),
        tag("div", _fault(fault) if fault else _doubts(doubts) if doubts else None, data_live="fault"),
        tag("section", _sums(counted, calls), class_="sheet", data_live="sums"),
        sheet(
            "Where calls go",
            tag("div", drawn, class_="picture", tabindex="0"),
            aside=f"{figures.calls:,} calls; on an arrow: who took it; red on a state: callers who hung up there",
            live="picture",
        ),
        tag(
            "div",
            tag("div", sheet("Transitions", _transitions(figures), live="ways")),
            tag("div", sheet("Opening hours", _hours(hours), live="hours") if hours else None,
                sheet("Goals", _goals(flow, figures), live="goals") if _milestones(flow) else None,
                sheet("Failures of services", _failures(figures), live="failures") if figures.failures else None,
                sheet("Where callers hang up", _left(figures), live="left"),
                sheet("Versions", _versions(flow, versions, period), live="versions")),
            class_="columns",
        ),
        here=HERE,
        development=development,
        every=2 if counted.pending else 10,
    )  # fmt: skip


def standing(one: RegisteredFlow) -> Html:
    """Return a tag that says whether a flow is served, and whether something is wrong with it."""
    if one.fault:
        return tag("span", "errors; the previous version is served" if one.flow else "errors", class_="tag bad")
    if one.doubts:
        return tag("span", "served, with warnings", class_="tag warm")
    return tag("span", "served", class_="tag good")


def finding_sheets(one: RegisteredFlow) -> Sequence[Html]:
    """Show what `ivr check` says of a file: its errors, or the warnings of what is served if it has no errors."""
    if one.fault:
        aside = "not served: the last good version is used" if one.flow else "not served"
        return [sheet(one.file.name, findings(one.fault), aside=aside, key=str(one.file))]
    if one.doubts:
        return [sheet(one.file.name, findings(one.doubts, "warm"), aside="warnings", key=str(one.file))]
    return []


def closed_tags(one: RegisteredFlow, closings: Closings) -> list[Html]:
    """Return a tag for each calendar of a flow that the operator has closed."""
    closed = closings.of(one.flow.all_calendars if one.flow else ())
    tags = (tag("span", f"{name} closed by the operator", class_="tag warm") for name in sorted(closed))
    return [join([" ", one]) for one in tags]


def openings(flow: Flow, closings: Closings, now: float) -> list[Opening]:
    """Look at the calendars of a flow and of those that it invokes; `now` is in seconds since 1970."""
    closed = closings.of(flow.all_calendars)
    known = [("", flow.calendars), *((prefix, part.calendars) for prefix, part in flow.parts.items())]
    return [
        Opening(f"{prefix}{name}", CalendarFacts(calendar, now, flow.language, closed.get(name)), name in closed)
        for prefix, calendars in known
        for name, calendar in calendars.items()
    ]


def _hours(hours: Sequence[Opening]) -> Html:
    rows = {one.name: (name_tag(one.name), _now(one), _then(one)) for one in hours}
    return table(("Calendar", "Now", "Then"), rows, empty="No calendar.")


def _now(one: Opening) -> Html:
    if one.facts["open"]:
        return tag("span", "open", class_="tag good")
    why = "closed by the operator" if one.by_operator else _CLOSED[str(one.facts["reason"])]
    notice = str(one.facts["notice"])
    return tag("span", f"{why}: {notice}" if notice else why, class_="tag warm")


_CLOSED = {"hours": "closed", "holiday": "closed for a holiday", "closed": "closed today"}


def _then(one: Opening) -> str:
    word, at = ("closes", one.facts["closes"]) if one.facts["open"] else ("opens", one.facts["nextOpen"])
    return f"{word} {at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else "stays so"


def _fault(text: str) -> Html:
    return sheet("The current file is not served", findings(text))


def _doubts(text: str) -> Html:
    return sheet("Warnings", findings(text, "warm"), aside="of the version that is served")


def _sums(counted: Counted, calls: int) -> Html:
    """Sum up; `calls` is how many there are in the period, counted or not."""
    figures = counted.figures
    mean = lasted(figures.seconds / figures.over) if figures.over else "–"
    left = sum(figures.left.values())
    rows: list[tuple[str, Html | str]] = [
        ("Calls", _covered(counted, calls)),
        ("Live now", f"{figures.calls - figures.over:,}"),
        ("Average duration", mean),
        ("Callers who hung up", _share(left, figures.calls)),
    ]
    for outcome, count in figures.outcomes.most_common(6):
        rows.append(("Outcome", tag("span", outcome_tag(outcome), f" {_share(count, figures.over)}")))
    return facts(rows)


def _milestones(flow: Flow) -> list[str]:
    """Return all milestones of a flow, once each, in file order."""
    return list(dict.fromkeys(state.milestone for state in flow.states.values() if state.milestone))


def _goals(flow: Flow, figures: Figures) -> Html:
    """Show how many calls reached each goal, and each milestone that is none."""
    named = [*flow.goals.items(), *(("", milestone) for milestone in _milestones(flow))]
    goals = [(goal, milestone) for goal, milestone in named if goal or milestone not in flow.goals.values()]
    rows = {
        f"{goal} {milestone}": (
            name_tag(goal) if goal else "–",
            name_tag(milestone),
            _share(figures.milestones[milestone], figures.calls),
        )
        for goal, milestone in goals
    }
    return table(("Goal", "Milestone", "Calls"), rows, empty="No milestone.", numbers="Calls")


def _covered(counted: Counted, calls: int) -> str:
    """Return how many calls the figures are made of, and why they are not all."""
    here = counted.figures.calls
    if here >= calls:
        return f"{here:,}"
    return f"the newest {here:,} of {calls:,}{'; still counting' if counted.pending else ''}"


def _transitions(figures: Figures) -> Html:
    rows = {
        f"{state} {event} {target}": (
            name_tag(state or "start"),
            name_tag(event),
            name_tag(target or "the end"),
            f"{count:,}",
            _share(count, figures.calls, bare=True),
        )
        for (state, event, target), count in sorted(figures.transitions.items(), key=lambda item: (-item[1], item[0]))
    }
    columns = ("State", "Event", "To", "Calls", "Share")
    return table(columns, rows, empty="No call in this period.", numbers="Calls|Share")


def _left(figures: Figures) -> Html:
    rows = {
        state: (name_tag(state or "before the first state"), f"{count:,}", _share(count, figures.calls, bare=True))
        for state, count in figures.left.most_common()
    }
    return table(("State", "Callers", "Share"), rows, empty="No caller hung up.", numbers="Callers|Share")


def _failures(figures: Figures) -> Html:
    """Show how often speech engines, web services and transfers failed, the one that failed last first."""
    rows = {
        f"{state} {event}": (name_tag(state), name_tag(event), f"{failures.count:,}", moment(failures.last))
        for (state, event), failures in sorted(figures.failures.items(), key=lambda item: (-item[1].last, item[0]))
    }
    return table(("State", "Event", "Times", "Last"), rows, empty="None.", numbers="Times")


def _versions(flow: Flow, versions: Sequence[Version], period: str) -> Html:
    rows = {
        one.hash: (
            _version_link(flow, one, period),
            f"{one.calls:,}",
            moment(one.last) if one.calls else "–",
        )
        for one in versions
    }
    return table(("Version", "Calls", "Newest call"), rows, empty="None.", numbers="Calls")


def _version_link(flow: Flow, one: Version, period: str) -> Html:
    link = tag("a", tag("code", one.hash[:12]), href=flow_address(flow.name, period=period, version=one.hash),
               aria_current="true" if one.hash == flow.hash else None)  # fmt: skip
    return join([link, " ", tag("span", "served", class_="tag good") if one.served else None])


def _periods(flow: Flow, period: str, versions: Sequence[Version]) -> Html:
    chosen = {} if flow.hash == versions[0].hash else {"version": flow.hash}
    links = [
        tag(
            "a",
            name,
            href=flow_address(flow.name, period=word, **chosen),
            aria_current="true" if word == period else None,
        )
        for word, (name, _) in PERIODS.items()
    ]
    return tag("nav", *links, class_="choose", aria_label="Period")


def _share(part: int, whole: int, *, bare: bool = False) -> str:
    percent = f"{100 * part / whole:.0f}\N{NO-BREAK SPACE}%" if whole else "–"
    return percent if bare else f"{part:,}\N{NO-BREAK SPACE}({percent})"
