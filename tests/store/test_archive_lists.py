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
    found = await world.store.call(one.id)
    assert found is not None
    assert found.key == key("a")
    assert SECRET not in repr(found)
    assert await world.store.call("0" * 32) is None


async def test_live_calls_are_those_that_are_not_over_the_oldest_first(world: World) -> None:
    for name, over in (("a", False), ("b", True), ("c", False)):
        await begun(world, name, 1.0, over=over)
    live = await world.store.live()
    assert [one.key.id for one in live] == ["a", "c"]
    assert SECRET not in repr(live)
    await world.store.commit(after((await world.store.load(key("a"))), over=True))
    assert [one.key.id for one in await world.store.live()] == ["c"]


async def test_live_calls_are_the_same_after_a_crash(world: World) -> None:
    for name in "abc":
        await begun(world, name, 1.0)
    await world.crash()
    assert [one.key.id for one in await world.store.live()] == ["a", "b", "c"]


async def test_recent_calls_come_newest_first_as_many_as_wanted_and_no_older_than_wanted(world: World) -> None:
    for number, name in enumerate("abcd"):
        await begun(world, name, float(number), over=number % 2 == 0)
    assert [one.key.id for one in await world.store.recent(since=0.0, limit=10)] == ["d", "c", "b", "a"]
    assert [one.key.id for one in await world.store.recent(since=2.0, limit=10)] == ["d", "c"]
    assert [one.key.id for one in await world.store.recent(since=0.0, limit=3)] == ["d", "c", "b"]
    assert [one.key.id for one in await world.store.recent(since=float("-inf"), limit=1)] == ["d"]
    assert SECRET not in repr(await world.store.recent(since=0.0, limit=10))
