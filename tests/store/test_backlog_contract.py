"""What is under way in a store, asked of every store: for the metrics of all servers that share it."""

from ivr.engine.events import ServiceFailed
from tests.store.store_examples import after, key, line, record, request
from tests.store.store_worlds import World


async def test_what_is_under_way_is_counted(world: World) -> None:
    assert (await world.store.backlog()).calls == 0
    first = after(record("a"), line(0), jobs=(request("0.1"), request("0.2")))
    await world.store.commit(first)
    await world.store.commit(after(record("b"), line(3)))
    found = await world.store.backlog()
    assert (found.calls, found.orders, found.oldest) == (2, 2, first.at)
    await world.store.finish(first.record.id, "0.1", ServiceFailed("0.1", "timeout"))
    assert (await world.store.backlog()).orders == 1


async def test_a_call_that_is_over_leaves_nothing(world: World) -> None:
    first = after(record("a"), line(0), jobs=(request("0.1"),))
    await world.store.commit(first)
    current = await world.store.load(key("a"))
    await world.store.commit(after(current, line(1), over=True))
    found = await world.store.backlog()
    assert (found.calls, found.orders, found.oldest) == (0, 0, None)
