"""The pages about flows: which are served and what is wrong with them, and what callers do in one of them."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ivr.engine.flow import Flow
from ivr.server.console.figures import Figures
from ivr.server.console.page import (
    ROOT,
    document,
    facts,
    flow_address,
    flow_link,
    heading,
    lasted,
    moment,
    outcome_tag,
    sheet,
    table,
)
from ivr.server.drawing.chart import chart_of
from ivr.server.drawing.svg import picture
from ivr.server.flows import OnShelf
from ivr.server.html import Html, tag

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
    first: float
    "When the first of them came in, and the last."
    last: float
    served: bool


def flows_page(shelf: Sequence[OnShelf], calls: Mapping[str, int]) -> Html:
    """List the flows; `calls`: of the last seven days, by name."""
    rows = [
        (
            flow_link(one.flow.name) if one.flow else tag("span", one.file.stem),
            one.flow.description if one.flow else "",
            tag("code", one.flow.hash[:12]) if one.flow else "",
            _standing(one),
            str(calls.get(one.flow.name, 0)) if one.flow else "",
        )
        for one in shelf
    ]
    faults = [
        sheet(
            one.file.name,
            tag("pre", one.fault, class_="fault", tabindex="0"),
            aside="not served: the last good version goes on" if one.flow else "not served",
        )
        for one in shelf
        if one.fault
    ]
    columns = ("Flow", "What it is for", "Version", "State", "Calls in 7 days")
    listed = table(columns, rows, empty="No flow is served.", numbers="Calls in 7 days")
    return document(
        "Flows", heading("Flows"), tag("section", listed, class_="sheet", data_live="flows"),
        tag("div", *faults, data_live="faults"), here=HERE,
    )  # fmt: skip


def flow_page(
    flow: Flow, versions: Sequence[Version], figures: Figures, *, period: str, fault: str, capped: bool
) -> Html:
    """Show what callers did in one version of a flow."""
    drawn = picture(chart_of(flow), f"{flow.name}, and how many calls went each way", numbers=figures.numbers)
    counted = f"{figures.calls} calls" + (", the newest of them: there were more" if capped else "")
    return document(
        flow.name,
        heading(flow.name, tag("span", flow.description, class_="soft"), aside=_periods(flow, period)),
        sheet("The file as it stands now is not served", tag("pre", fault, class_="fault")) if fault else None,
        tag("section", _sums(figures), class_="sheet", data_live="sums"),
        sheet(
            "Where calls go",
            tag("div", drawn, class_="picture", tabindex="0"),
            aside=f"{counted}; on an arrow: calls that took it; red on a state: callers who hung up there",
            live="picture",
        ),
        tag(
            "div",
            tag("div", sheet("Transitions", _ways(figures), live="ways")),
            tag("div", sheet("Where callers hang up", _left(figures), live="left"),
                sheet("Versions", _versions(flow, versions, period), live="versions")),
            class_="columns",
        ),
        here=HERE,
        every=10,
    )  # fmt: skip


def _standing(one: OnShelf) -> Html:
    if one.fault:
        return tag("span", "errors; the version before is served" if one.flow else "errors", class_="tag bad")
    return tag("span", "served", class_="tag good")


def _sums(figures: Figures) -> Html:
    mean = lasted(figures.seconds / figures.over) if figures.over else "–"
    left = sum(figures.left.values())
    rows: list[tuple[str, Html | str]] = [
        ("Calls", str(figures.calls)),
        ("Live now", str(figures.calls - figures.over)),
        ("Mean length", mean),
        ("Callers who hung up", _share(left, figures.calls)),
    ]
    for outcome, count in figures.outcomes.most_common(6):
        rows.append(("Outcome", tag("span", outcome_tag(outcome), f" {_share(count, figures.over)}")))
    return facts(rows)


def _ways(figures: Figures) -> Html:
    rows = [
        (state or "start", event, target or "the end", str(count), _share(count, figures.calls, bare=True))
        for (state, event, target), count in sorted(figures.ways.items(), key=lambda item: (-item[1], item[0]))
    ]
    columns = ("State", "Event", "To", "Calls", "Share")
    return table(columns, rows, empty="No call in this period.", numbers="Calls|Share")


def _left(figures: Figures) -> Html:
    rows = [(state or "before anything", str(count), _share(count, figures.calls, bare=True))
            for state, count in figures.left.most_common()]  # fmt: skip
    return table(("State", "Callers", "Share"), rows, empty="Nobody hung up.", numbers="Callers|Share")


def _versions(flow: Flow, versions: Sequence[Version], period: str) -> Html:
    rows = [
        (
            tag("a", tag("code", one.hash[:12]), href=flow_address(flow.name, period=period, version=one.hash),
                aria_current="true" if one.hash == flow.hash else None),
            tag("span", "served", class_="tag good") if one.served else "",
            str(one.calls),
            moment(one.last) if one.calls else "–",
        )
        for one in versions
    ]  # fmt: skip
    return table(("Version", "", "Calls", "Newest call"), rows, empty="None.", numbers="Calls")


def _periods(flow: Flow, period: str) -> Html:
    links = [
        tag("a", name, href=flow_address(flow.name, period=word), aria_current="true" if word == period else None)
        for word, (name, _) in PERIODS.items()
    ]
    return tag("nav", *links, class_="choose", aria_label="Period")


def _share(part: int, whole: int, *, bare: bool = False) -> str:
    percent = f"{100 * part / whole:.0f} %" if whole else "–"
    return percent if bare else f"{part} ({percent})"
