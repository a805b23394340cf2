"""What `Archive` promises, asked of every one of them, beside the store that writes."""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.storage import Block, CallSummary, CallTrace, Erasure
from tests.store.archive_answers import all_of, archive_answers
from tests.store.store_examples import SECRET, after, key, line, record, recorded, records_of, request
from tests.store.store_worlds import World


async def begun(
    world: World,
    name: str,
    started: float,
    *steps: Stepped,
    caller: str | None = "29:abc",
    ended: float | None = None,
    **more: Any,
) -> CallRecord:
    """Commit the first turn of a call that came in at that time; `ended`: it is over with it."""
    fresh = record(name, private=SECRET)
    call = replace(fresh.call, facts=replace(fresh.call.facts, started=started, caller=caller))
    commit = after(replace(fresh, call=call), *(steps or (line(),)), **more)
    if ended is not None:
        commit = after(replace(fresh, call=call), *(steps or (line(),)), over=True, **more)
        commit = replace(commit, trace=(*commit.trace[:-1], replace(commit.trace[-1], now=ended)))
    await world.store.commit(commit)
    return commit.record


async def erased(world: World, **whose: str) -> Erasure:
    """Erase calls while no server serves them."""
    await world.store.close()
    erasure = await world.archive.erase(**whose)
    await world.open()
    return erasure


# --- single calls ----------------------------------------------------------------------------------------------------


async def test_an_archive_without_calls_has_an_answer_to_everything(world: World) -> None:
    answers = await archive_answers(world.archive)
    assert answers.pop("ids") == [[]] * 4
    assert answers.pop("named") == answers.pop("records") == answers.pop("sources") == [None] * 3
    assert answers.pop("traces") == [[]] * 3
    assert answers.pop("numbers") == (0, 0)
    assert answers.pop("live") == answers.pop("finished") == [[], []]
    assert all(answer == [] for answer in answers.values()), answers
    assert list(await world.archive.forget(before=1e12, limit=9)) == []
    assert await world.archive.erase(caller="29:abc") == await world.archive.erase(call="0" * 32) == Erasure([])
    assert await world.archive.empty_log()


async def test_an_id_is_found_by_its_beginning_ten_at_most_and_in_order(world: World) -> None:
    for name in ("b", "a", *(f"c{number:02}" for number in range(12))):
        await begun(world, name, 1.0)
    assert await world.archive.find(record("a").id) == [record("a").id]
    assert await world.archive.find("0" * 30 + "6") == [record("a").id, record("b").id]
    assert await world.archive.find("0" * 26) == [record("a").id, record("b").id, *(
        record(f"c{number:02}").id for number in range(8)
    )]  # fmt: skip
    for strange in ("1", "%", "_" * 32, "0" * 33, "\U0010ffff", "\x00", "' OR 1 --"):
        assert list(await world.archive.find(strange)) == []


async def test_a_call_is_found_by_the_platforms_name_of_its_own_account_alone(world: World) -> None:
    one = await begun(world, "a", 1.0)
    assert await world.archive.named(key("a")) == one.id
    for other in (key("b"), replace(key("a"), account="another"), replace(key("a"), channel="another")):
        assert await world.archive.named(other) is None


async def test_one_call_is_found_by_its_id_and_without_what_is_private(world: World) -> None:
    one = await begun(world, "a", 1.0)
    found = await world.archive.call(one.id)
    assert found is not None
    assert found.key == key("a")
    assert SECRET not in repr(found)
    assert await world.archive.call("0" * 32) is None


async def test_live_calls_are_those_that_are_not_over_the_oldest_first(world: World) -> None:
    for name, over in (("a", False), ("b", True), ("c", False)):
        await begun(world, name, 1.0, over=over)
    live = await world.archive.live(limit=9)
    assert [one.key.id for one in live] == ["a", "c"]
    assert [one.key.id for one in await world.archive.live(limit=1)] == ["c"]
    assert await world.archive.count("live") == 2
    assert SECRET not in repr(live)
    await world.store.commit(after((await world.store.load(key("a"))), over=True))
    assert [one.key.id for one in await world.archive.live(limit=9)] == ["c"]


async def test_live_calls_are_the_same_after_a_crash(world: World) -> None:
    for name in "abc":
        await begun(world, name, 1.0)
    await world.crash()
    assert [one.key.id for one in await world.archive.live(limit=9)] == ["a", "b", "c"]


async def test_finished_calls_come_newest_first_as_many_as_wanted_and_no_older_than_wanted(world: World) -> None:
    for number, name in enumerate("abcde"):
        await begun(world, name, float(number), over=name != "c")

    async def finished(since: float, limit: int) -> list[str]:
        return [one.key.id for one in await world.archive.finished(since=since, limit=limit)]

    assert await finished(0.0, 10) == ["e", "d", "b", "a"]
    assert await finished(1.0, 10) == ["e", "d", "b"]
    assert await finished(0.0, 3) == ["e", "d", "b"]
    assert await finished(float("-inf"), 1) == ["e"]
    assert SECRET not in repr(await world.archive.finished(since=0.0, limit=10))
    await world.store.commit(after((await world.store.load(key("c"))), over=True))
    assert await finished(0.0, 3) == ["e", "d", "c"]


# --- all calls, in portions -------------------------------------------------------------------------------------------


async def test_a_list_says_of_each_call_what_is_known_of_it_last(world: World) -> None:
    first = await begun(world, "a", 1.0, line(1), caller=None)
    await world.store.commit(after(first, line(4)))
    await world.store.commit(after((await world.store.load(key("a"))), message="moves nothing"))
    await begun(world, "b", 0.5, over=True)
    await world.crash()
    flow = record("a").call.flow
    assert await all_of(world.archive.recent()) == [
        CallSummary(record("b").id, flow, "skype", "29:abc", "28:bot", 0.5, 2.0, "main", None, over=True),
        CallSummary(record("a").id, flow, "skype", None, "28:bot", 1.0, 5.5, "main", None, over=False),
    ]


async def test_a_call_that_we_placed_is_one_with_whom_we_called(world: World) -> None:
    facts = replace(record("a").call.facts, placed=True, caller="+4315550", called="29:abc")
    await world.store.commit(after(record("a", call=replace(record("a").call, facts=facts)), line(1)))
    await begun(world, "b", 1.0, caller="+4315550")
    (other, placed) = await all_of(world.archive.recent())
    assert (placed.placed, placed.party, other.placed, other.party) == (True, "29:abc", False, "+4315550")
    assert [one.id for one in (await world.archive.erase(caller="+4315550")).calls] == [record("b").id]
    assert [one.id for one in (await world.archive.erase(caller="29:abc")).calls] == [record("a").id]


async def test_however_many_calls_there_are_each_is_listed_once_and_in_order(world: World) -> None:
    names = [f"n{number:03}" for number in range(110)]
    for name in names:
        await begun(world, name, 1.0, over=name.endswith("7"))
    listed = await all_of(world.archive.recent())
    assert [one.id for one in listed] == [record(name).id for name in reversed(names)]
    stored = await all_of(world.archive.stored())
    assert [one.id for one in stored] == [record(name).id for name in names]
    assert all(one.record is not None and one.record.steps == len(one.trace) for one in stored)
    assert await world.archive.count("all") == 110
    assert await world.archive.count("live") == 110 - 11


async def test_a_list_goes_on_while_calls_come_and_go(world: World) -> None:
    names = [f"n{number:03}" for number in range(70)]
    for name in names:
        await begun(world, name, 1.0, over=name in {"n069", "n010"})
    async with aclosing(world.archive.recent()) as portions:
        found = list(await anext(portions))
        assert len(found) < len(names)
        await begun(world, "new", 1.0)
        assert len(await world.archive.forget(before=9.0, limit=9)) == 2
        found += [one async for portion in portions for one in portion]
    assert [one.id for one in found] == [record(name).id for name in reversed(names) if name != "n010"]


async def test_whoever_stops_early_has_read_a_few_calls(world: World) -> None:
    for number in range(70):
        await begun(world, f"n{number:03}", 1.0)
    async with aclosing(world.archive.recent()) as portions:
        assert len(await anext(portions)) <= 32
    assert await world.archive.empty_log(), "nothing is being read any more"


async def test_nothing_that_can_be_read_is_damaged(world: World) -> None:
    await begun(world, "a", 1.0, jobs=(request("1.1", sensitive=True),))
    await begun(world, "b", 1.0, recorded("b.wma"), over=True, audio=b"sound")
    assert await world.archive.opens_seals()
    assert await all_of(world.archive.damaged(sealed=True)) == []
    assert await all_of(world.archive.damaged(sealed=False)) == []


# --- figures ----------------------------------------------------------------------------------------------------------


async def test_a_block_tells_of_each_change_and_of_calls_that_come_and_go(world: World) -> None:
    async def block() -> Block:
        (found,) = await world.archive.blocks(0.0)
        return found

    first = await begun(world, "a", 1.0)
    before = await block()
    assert await block() == before
    await world.store.commit(after(first, line(2)))
    moved = await block()
    assert moved != before
    assert moved.taken == before.taken, "the same calls"
    await begun(world, "b", 1.0, over=True)
    two = await block()
    assert two.taken != moved.taken
    await world.archive.forget(before=9.0, limit=9)
    assert (await block()).taken != two.taken
    await world.crash()
    assert await world.archive.blocks(0.0) != []


async def test_a_period_begins_with_the_first_call_that_came_in_then(world: World) -> None:
    for number, name in enumerate("abc"):
        await begun(world, name, float(number), over=name == "b")

    async def counted(since: float) -> list[int]:
        return [flow.calls for block in await world.archive.blocks(since) for flow in await world.archive.flows(block)]

    assert [await counted(since) for since in (float("-inf"), 0.0, 0.5, 2.0, 2.5)] == [[3], [3], [2], [1], []]


async def test_figures_are_made_of_the_traces_of_one_flow_and_of_how_its_calls_ended(world: World) -> None:
    await begun(world, "a", 1.0)
    await begun(world, "b", 2.0, over=True)
    other = record("c")
    await world.store.commit(after(replace(other, call=replace(other.call, flow="e" * 64)), line(3)))
    (block,) = await world.archive.blocks(0.0)
    flows = {one.flow: (one.calls, one.last) for one in await world.archive.flows(block)}
    assert flows == {"f" * 64: (2, 2.0), "e" * 64: (1, 1.5)}

    def told(calls: Iterable[CallTrace]) -> list[tuple[str | None, int]]:
        return [(ended, len(trace)) for ended, trace in calls]

    assert await world.archive.figures(block, "f" * 64, told) == [(None, 1), ("", 2)]
    assert await world.archive.figures(block, "e" * 64, told) == [(None, 1)]
    assert await world.archive.figures(block, "d" * 64, told) == []


# --- erasing ----------------------------------------------------------------------------------------------------------


async def test_calls_whose_time_is_up_are_forgotten_those_that_ended_first_before_the_others(world: World) -> None:
    for name, ended in (("a", 30.0), ("b", 10.0), ("c", 20.0), ("d", 50.0)):
        await begun(world, name, 1.0, ended=ended)
    await begun(world, "live", 1.0, replace(line(), now=5.0))
    assert [one.id for one in await world.archive.forget(before=40.0, limit=2)] == [record("b").id, record("c").id]
    assert [one.id for one in await world.archive.forget(before=40.0, limit=2)] == [record("a").id]
    assert list(await world.archive.forget(before=50.0, limit=2)) == []
    await world.crash()
    assert [one.key.id for one in await records_of(world.archive)] == ["d", "live"]


async def test_what_was_forgotten_is_gone_with_everything_that_named_it(world: World) -> None:
    one = await begun(world, "a", 1.0, recorded("small.wma"), audio=b"sound", jobs=(request("1.1"),))
    await world.store.commit(after(one, recorded("large.wma"), over=True))
    (gone,) = await world.archive.forget(before=9.0, limit=9)
    assert (gone.id, gone.started, gone.lines) == (one.id, 1.0, 3)
    assert gone.recordings == (("small.wma", 5), ("large.wma", None))
    for _ in range(2):
        assert await world.store.load(key("a")) is None
        assert await world.archive.call(one.id) is None
        assert list(await world.archive.trace(one.id)) == list(await world.archive.find("")) == []
        assert await world.store.unnamed(["small.wma", "large.wma"]) == ["small.wma", "large.wma"]
        assert list(await world.store.claim("worker", now=1.0, lease=1.0, limit=9)) == []
        await world.crash()
    await begun(world, "a", 7.0)
    assert [call.started for call in await all_of(world.archive.recent())] == [7.0]


async def test_a_caller_is_erased_with_all_calls_live_ones_too_and_nobody_else(world: World) -> None:
    await begun(world, "a", 1.0, recorded("a.wma"), audio=b"sound", caller="29:anna")
    await begun(world, "b", 2.0, caller="29:bert")
    await begun(world, "c", 3.0, line(), recorded("c.wma"), caller="29:anna", over=True)
    await begun(world, "d", 4.0, caller=None)
    erasure = await erased(world, caller="29:anna")
    assert (erasure.left, erasure.unread) == ("", 0)
    assert [(one.id, one.started, one.lines, one.recordings) for one in erasure.calls] == [
        (record("a").id, 1.0, 1, (("a.wma", 5),)),
        (record("c").id, 3.0, 3, (("c.wma", None),)),
    ]
    assert [one.key.id for one in await records_of(world.archive)] == ["b", "d"]
    assert await world.store.load(key("a")) is None
    assert (await erased(world, caller="29:anna")).calls == []


@pytest.mark.parametrize("over", [True, False])
async def test_one_call_is_erased_by_its_whole_id(world: World, over: bool) -> None:
    for name in "ab":
        await begun(world, name, 1.0, over=over)
    for other in (record("a").id[:31], "", "%"):
        assert (await erased(world, call=other)).calls == []
    assert [one.id for one in (await erased(world, call=record("a").id)).calls] == [record("a").id]
    assert [one.key.id for one in await records_of(world.archive)] == ["b"]
