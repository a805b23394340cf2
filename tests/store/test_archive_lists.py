"""The lists of the archive, asked of every store: live calls, recent ones, one by its id."""

from msgspec.structs import replace
from store_examples import SECRET, after, key, line, record
from store_worlds import World

from ivr.ports import CallRecord


async def begun(world: World, name: str, started: float, **more: object) -> CallRecord:
    """Commit the first turn of a call that came in at that time."""
    fresh = record(name, private=SECRET)
    call = replace(fresh.call, facts=replace(fresh.call.facts, started=started))
    commit = after(replace(fresh, call=call), line(), **more)
    await world.store.commit(commit)
    return commit.record


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
