"""The page of figures over time: how many calls came in when, how they ended, how long they were."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from ivr.call_search import LIVE, NO_OUTCOME
from ivr.server.console.console_page import (
    ROOT,
    document,
    facts,
    heading,
    lasted,
    outcome_tag,
    sheet,
    table,
)
from ivr.server.console.counting_over_time import Period, Stretch
from ivr.server.drawing.bars import Bar, bars
from ivr.server.html import Html, tag

HERE: Final = f"{ROOT}/figures"
MOST_KINDS: Final = 6
"Outcomes that have a column; all others share one."
OTHERS: Final = "others"


class Span(Struct, frozen=True):
    """A period that can be chosen."""

    words: str
    width: float
    "Seconds of a stretch."
    number: int
    "Stretches, the one that is not over included."
    format: str
    "How the beginning of a stretch is written below a bar."


SPANS: Mapping[str, Span] = {
    "day": Span("24 hours", 3600.0, 24, "%H:%M"),
    "week": Span("7 days", 6 * 3600.0, 28, "%m-%d"),
    "month": Span("30 days", 86400.0, 30, "%m-%d"),
    "year": Span("52 weeks", 7 * 86400.0, 52, "%Y-%m-%d"),
}
"By the word in the address."


def figures_page(period: Period, *, span: str, flow: str, flows: Sequence[str], development: bool = False) -> Html:
    """Show a period; `flow` is the name of the one whose calls are counted (empty: all), `flows` what can be chosen."""
    whole = period.whole
    kinds = _kinds(whole)
    chosen = SPANS[span]
    drawn = bars(
        f"Calls in the last {chosen.words}, by outcome; the table below has the numbers",
        [_bar(one, kinds, chosen) for one in period.stretches],
    )
    looks = _looks(kinds)
    legend = tag("p", *(tag("span", tag("span", class_=f"key {looks[kind]}"), kind) for kind in kinds), class_="legend")
    return document(
        "Figures",
        heading("Figures", tag("span", flow, class_="soft") if flow else None, aside=_spans(span, flow)),
        _chooser(span, flow, flows),
        tag("section", _sums(whole, pending=period.pending), class_="sheet", data_live="sums"),
        sheet("Calls over time", tag("div", drawn, class_="picture", tabindex="0"), legend if kinds else None,
              aside="times are UTC", live="bars"),
        sheet("In numbers", _numbers(period.stretches, kinds), live="numbers"),
        here=HERE,
        development=development,
        every=2 if period.pending else 10,
    )  # fmt: skip


def _kinds(whole: Stretch) -> Sequence[str]:
    """Return the outcomes that have a column, an author's own ones first, and what stands for the rest."""
    found = [kind for kind, _ in whole.kinds.most_common()]
    known = [kind for kind in ("resolved", "abandoned", "unresolved", "failed", NO_OUTCOME, LIVE) if kind in found]
    own = [kind for kind in found if kind not in known]
    shown = own[: max(MOST_KINDS - len(known), 1)]
    return [*shown, *known, *([OTHERS] if len(own) > len(shown) else ())]


def _count(one: Stretch, kind: str, kinds: Sequence[str]) -> int:
    if kind == OTHERS:
        return sum(count for known, count in one.kinds.items() if known not in kinds)
    return one.kinds[kind]


def _looks(kinds: Sequence[str]) -> Mapping[str, str]:
    """Return the class of each outcome; an author's own ones differ from each other by their shade."""
    own = [kind for kind in kinds if kind not in _LOOKS]
    return {**_LOOKS, **{kind: f"own{number % 3}" for number, kind in enumerate(own)}}


_LOOKS: Final = {
    **{kind: kind for kind in ("resolved", "abandoned", "unresolved", "failed")},
    NO_OUTCOME: "without",
    LIVE: "live",
    OTHERS: "others",
}


def _bar(one: Stretch, kinds: Sequence[str], span: Span) -> Bar:
    counts = [(kind, _count(one, kind, kinds)) for kind in kinds]
    looks = _looks(kinds)
    told = ", ".join(f"{count} {kind}" for kind, count in counts if count)
    begun = datetime.fromtimestamp(one.begun, UTC)
    words = f"from {begun:%Y-%m-%d %H:%M}: {one.calls} call{'' if one.calls == 1 else 's'}"
    return Bar(
        begun.strftime(span.format), f"{words} ({told})" if told else words, [(looks[kind], n) for kind, n in counts]
    )


def _sums(whole: Stretch, *, pending: bool) -> Html:
    rows: list[tuple[str, Html | str]] = [
        ("Calls", f"{whole.calls:,}{'; still counting' if pending else ''}"),
        ("Live now", f"{whole.kinds[LIVE]:,}"),
        ("Average duration", _mean(whole)),
    ]
    ended = [(kind, count) for kind, count in whole.kinds.most_common() if kind != LIVE]
    for kind, count in ended[:MOST_KINDS]:
        share = f" {count:,} ({100 * count / whole.over:.0f}\N{NO-BREAK SPACE}%)"
        rows.append(("Outcome", tag("span", outcome_tag(kind), share)))
    return facts(rows)


def _numbers(stretches: Sequence[Stretch], kinds: Sequence[str]) -> Html:
    rows = {
        f"{one.begun:.0f}": (
            f"{datetime.fromtimestamp(one.begun, UTC):%Y-%m-%d %H:%M}",
            f"{one.calls:,}",
            *(f"{_count(one, kind, kinds):,}" for kind in kinds),
            _mean(one),
        )
        for one in reversed(stretches)
    }
    columns = ("From", "Calls", *kinds, "Average")
    return table(columns, rows, empty="Nothing.", numbers="|".join(columns[1:]))


def _mean(one: Stretch) -> str:
    return lasted(one.seconds / one.over) if one.over else "–"


def _spans(span: str, flow: str) -> Html:
    chosen = {"flow": flow} if flow else {}
    links = [
        tag("a", one.words, href=f"{HERE}?{urlencode({'period': word, **chosen})}",
            aria_current="true" if word == span else None)
        for word, one in SPANS.items()
    ]  # fmt: skip
    return tag("nav", *links, class_="choose", aria_label="Period")


def _chooser(span: str, flow: str, flows: Sequence[str]) -> Html:
    names = sorted({*flows, *([flow] if flow else ())})
    choices = [tag("option", "All flows", value="")]
    choices += [tag("option", name, value=name, selected=name == flow) for name in names]
    return tag(
        "form",
        tag("label", "Flow", for_="flow"),
        tag("select", *choices, id_="flow", name_="flow", class_="field"),
        tag("input", type_="hidden", name_="period", value=span),
        tag("button", "Show", class_="button"),
        action=HERE,
        class_="quick",
    )
