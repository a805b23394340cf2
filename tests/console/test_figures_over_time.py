"""How many calls came in when, and how they ended: of all flows or of one, and the same however often it is asked."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from msgspec.structs import replace

from ivr.call_search import LIVE, NO_OUTCOME
from ivr.server.console.counting_over_time import CountsOverTime, Stretch
from ivr.server.console.figures_page import OTHERS, figures_page
from ivr.server.drawing.bars import HEIGHT, Bar, bars
from ivr.store.memory.memory_archive import MemoryArchive
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_search import MemorySearch
from tests.console.visiting import Visit
from tests.store.store_examples import after, record

HOUR = 3600.0


async def came(store: MemoryStore, name: str, hour: float, outcome: str | None = None, flow: str = "f") -> None:
    """Let a call come in at an hour since 1970; it lasts a minute if it has an outcome, else it is live."""
    fresh = record(name)
    facts = replace(fresh.call.facts, started=hour * HOUR)
    call = replace(fresh.call, facts=facts, outcome=outcome or None, flow=flow * 64)
    commit = after(replace(fresh, call=call), over=outcome is not None)
    if outcome is not None:
        commit = replace(commit, trace=(replace(commit.trace[0], now=facts.started + 60.0),))
    await store.commit(commit)


def counts(store: MemoryStore, at_once: int = 9) -> CountsOverTime:
    return CountsOverTime(MemoryArchive(store), MemorySearch(store), at_once=at_once)


async def test_calls_are_counted_in_the_stretch_in_which_they_came_in() -> None:
    store = MemoryStore()
    for name, hour, outcome in (("a", 7.9, "sold"), ("b", 8.0, "sold"), ("c", 8.9, ""), ("d", 10.5, None)):
        await came(store, name, hour, outcome)
    period = await counts(store).period(10.9 * HOUR, width=HOUR, number=3)
    assert period.stretches == [
        Stretch(8 * HOUR, Counter({"sold": 1, NO_OUTCOME: 1}), 120.0),
        Stretch(9 * HOUR, Counter(), 0.0),
        Stretch(10 * HOUR, Counter({LIVE: 1}), 0.0),
    ]
    assert (period.whole.calls, period.whole.over, period.whole.seconds, period.pending) == (3, 2, 120.0, False)


async def test_calls_of_one_flow_are_counted_among_all() -> None:
    store = MemoryStore()
    await came(store, "a", 8.0, "sold", flow="a")
    await came(store, "b", 8.0, "sold", flow="b")
    period = await counts(store).period(8 * HOUR, width=HOUR, number=1, flows=frozenset({"a" * 64}))
    assert period.whole.kinds == {"sold": 1}
    assert period.flows == {"a" * 64: 1, "b" * 64: 1}


async def test_what_changes_is_counted_again_and_a_call_once() -> None:
    store = MemoryStore()
    await came(store, "a", 8.0)
    counting = counts(store)
    for kinds in ({LIVE: 1}, {NO_OUTCOME: 1}):
        for _ in range(2):
            assert (await counting.period(8.5 * HOUR, width=HOUR, number=2)).whole.kinds == kinds
        known = await store.load(record("a").key)
        assert known is not None
        if known.call.phase != "over":
            await store.commit(after(known, over=True))


async def test_a_look_counts_so_much_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ivr.store.live", "ivr.store.memory.memory_archive", "ivr.store.memory.memory_search"):
        monkeypatch.setattr(f"{module}.BLOCK", 2)
    store = MemoryStore()
    for number in range(7):  # rows 1 to 7: blocks 0 to 3
        await came(store, f"{number}", 8.0 + number, "sold")
    counting = counts(store, at_once=2)
    seen = []
    for _ in range(3):
        period = await counting.period(14.5 * HOUR, width=HOUR, number=9)
        seen.append((period.whole.calls, period.pending))
    assert seen == [(4, True), (7, False), (7, False)], "the newest first"


async def test_the_page_has_a_bar_and_a_row_for_each_stretch(operator: Visit) -> None:
    await (await operator.calls()).leaves()
    await operator.calls()
    for span, number in (("day", 24), ("week", 28), ("month", 30), ("year", 52)):
        page = await operator.see(f"/console/figures?period={span}")
        assert page.count('class="place"') == page.count("<tr data-key") == number
        assert "1 abandoned, 1 live" in page
    assert "1 abandoned, 1 live" in await operator.see("/console/figures?flow=desk")
    nothing = await operator.see("/console/figures?flow=no-such-flow")
    assert "abandoned" not in nothing
    assert (await operator.get("/console/figures?period=century"))[0] == 404


async def test_many_outcomes_share_a_column_and_none_is_lost() -> None:
    store = MemoryStore()
    for number in range(20):
        await came(store, f"{number:02}", 8.0, f"outcome{number}")
    await came(store, "over", 8.0, "resolved")
    period = await counts(store).period(8 * HOUR, width=HOUR, number=1)
    page = figures_page(period, span="day", flow="", flows=[])
    names = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', page)
    assert names[:2] == ["From", "Calls"]
    assert names[-3:] == ["resolved", OTHERS, "Average"]
    cells = [
        int(cell) for cell in re.findall(r'class="number" data-column="(?!Average)[^"]*" role="cell">(\d+)<', page)
    ]
    assert cells[0] == 21 == sum(cells[1:])


def test_bars_are_as_high_as_what_they_show() -> None:
    shown = [Bar("a", "one", [("x", 3), ("y", 1)]), Bar("b", "two", [("x", 0), ("y", 2)]), Bar("c", "three", [])]
    drawn = bars("what", shown)
    heights = {(kind, float(height)) for kind, height in re.findall(r'class="part (\w)"[^>]* height="([\d.]+)"', drawn)}
    scale = min(height for _, height in heights)  # of one call
    assert {(kind, round(height / scale)) for kind, height in heights} == {("x", 3), ("y", 1), ("y", 2)}
    places = [float(x) for x in re.findall(r'class="place" x="([\d.]+)"', drawn)]
    assert len({round(after_ - before, 0) for before, after_ in pairwise(places)}) == 1
    assert all(0 <= float(y) <= HEIGHT for y in re.findall(r' y="([\d.]+)"', drawn))


@pytest.mark.parametrize(("most", "top"), [(0, "2"), (1, "2"), (3, "4"), (10, "10"), (11, "20"), (999, "1,000")])
def test_the_scale_ends_at_a_round_number_that_is_high_enough(most: int, top: str) -> None:
    assert f'class="size">{top}</text>' in bars("what", [Bar("a", "one", [("x", most)])])
