"""What `PlatformRequests` promises, asked of every store."""

from typing import cast

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit
from ivr.errors import StoreUnavailable
from ivr.outbox import PlatformRequest
from ivr.ports import Outbound
from tests.store.store_examples import after, line, record, records_of
from tests.store.store_worlds import DurableWorld, World

PLACE = Outbound("1.1", "POST", "/calls", {"to": "+43", "deep": [1, {"x": None}]}, "json", answered=True)
DELETE = Outbound("1.2", "DELETE", "/recordings/\u00e9")


def asking(before: CallRecord, *outbound: Outbound, at: int = 0) -> Commit:
    return replace(after(before, line(at)), outbound=outbound)


async def asked(world: World, name: str, *outbound: Outbound) -> CallRecord:
    commit = asking(record(name), *outbound)
    await world.store.commit(commit)
    return commit.record


async def claimed(world: World, now: float = 10.0, limit: int = 9, owner: str = "w") -> list[PlatformRequest]:
    return [*await world.requests.claim(owner, now=now, lease=60.0, limit=limit)]


async def test_a_turn_and_what_it_asks_of_the_platform_are_saved_together_and_survive_a_crash(world: World) -> None:
    saved = await asked(world, "a", PLACE, DELETE)
    await world.crash()
    first, second = await claimed(world)
    assert (first.request, second.request) == (PLACE, DELETE)
    assert (first.call, first.key, first.id) == (saved.id, saved.key, f"{saved.id}.1.1")
    assert (first.tries, first.state, first.due) == (1, "waiting", 70.0)


async def test_what_a_channel_asks_when_it_wakes_up_is_due_at_once(world: World) -> None:
    commit = replace(after(record("a")), outbound=(DELETE,), now=8.5)
    await world.store.commit(commit)
    assert await world.requests.next_due() == 8.5
    [one] = await claimed(world)
    assert one.made == 8.5


async def test_a_turn_that_was_not_saved_asks_nothing(world: World) -> None:
    first = await asked(world, "a", PLACE)
    with pytest.raises(StoreUnavailable):
        await world.store.commit(asking(first, DELETE, PLACE))  # one name twice
    assert await world.requests.count("waiting") == 1
    assert [one.version for one in await records_of(world.archive)] == [1]


async def test_what_is_handed_out_is_not_handed_out_again_until_its_worker_is_dead(world: World) -> None:
    await asked(world, "a", PLACE)
    assert len(await claimed(world, now=10.0)) == 1
    assert await claimed(world, now=69.0, owner="other") == []
    [again] = await claimed(world, now=70.0, owner="other")
    assert again.tries == 2


async def test_after_a_start_nothing_waits_for_a_worker_that_is_gone(world: World) -> None:
    await asked(world, "a", PLACE)
    await claimed(world, now=10.0)
    await world.crash()
    assert await claimed(world, now=11.0) == []
    await world.requests.reopen()
    assert len(await claimed(world, now=11.0)) == 1


async def test_nothing_is_left_of_what_was_sent(world: World) -> None:
    await asked(world, "a", PLACE)
    [one] = await claimed(world)
    await world.requests.settle(one.id, "sent", at=11.0)
    assert [await world.requests.count(state) for state in ("waiting", "sent", "dead")] == [0, 0, 0]
    await world.requests.settle(one.id, "sent", at=12.0)


async def test_what_failed_waits_or_is_dead(world: World) -> None:
    await asked(world, "a", PLACE, DELETE)
    first, second = await claimed(world)
    await world.requests.settle(first.id, "waiting", at=40.0, reason="busy")
    await world.requests.settle(second.id, "dead", at=11.0, reason="refused")
    assert await world.requests.next_due() == 40.0
    assert await world.requests.count("dead") == 1
    assert [one.id for one in await world.requests.list("dead", limit=9)] == [second.id]
    assert [one.id for one in await world.requests.list(limit=9)] == [second.id, first.id]
    assert await world.requests.get(second.id) == (await world.requests.list("dead", limit=1))[0]
    [again] = await claimed(world, now=41.0)
    assert (again.id, again.reason, again.tries) == (first.id, "busy", 2)


async def test_what_was_given_up_is_tried_anew_or_forgotten(world: World) -> None:
    await asked(world, "a", PLACE, DELETE)
    first, second = await claimed(world)
    for one in (first, second):
        await world.requests.settle(one.id, "dead", at=11.0, reason="refused")
    assert await world.requests.retry(second.id, now=20.0)
    assert await world.requests.drop(first.id)
    assert not await world.requests.drop(first.id)
    [again] = await claimed(world, now=20.0)
    assert (again.id, again.made, again.tries, again.reason) == (second.id, 20.0, 1, "")
    assert await world.requests.count("dead") == 0


async def test_they_are_erased_with_their_call(world: World) -> None:
    saved = await asked(world, "a", PLACE)
    await world.store.commit(after(saved, line(1), over=True))
    await world.archive.forget(before=1e9, limit=9)
    assert await world.requests.count("waiting") == 0


async def test_one_that_cannot_be_read_is_given_up(durable: DurableWorld) -> None:
    world = cast("World", durable)
    await asked(world, "a", PLACE, DELETE)
    durable.ask("UPDATE platform_request SET body = '[1]' WHERE id LIKE '%1.1'")
    unreadable = next(one for one in await world.requests.list(limit=9) if one.reason)
    assert (unreadable.reason, unreadable.job, unreadable.request.once) == ("it cannot be read", "1.1", True)
    assert [one.request for one in await claimed(world)] == [DELETE]
    assert await world.requests.count("dead") == 1


def in_lane(name: str, lane: str = "lane") -> Outbound:
    return Outbound(name, "POST", "https://connector.example/", {"text": name}, lane=lane, refusal=True)


async def test_of_a_lane_one_is_handed_out_at_a_time_in_the_order_of_the_turns(world: World) -> None:
    first = await asked(world, "a", in_lane("1.1"), in_lane("1.4"), in_lane("1.3", "other"), DELETE)
    [one, other, free] = await claimed(world)
    assert (one.request, other.request.lane, free.request) == (in_lane("1.1"), "other", DELETE)
    assert await claimed(world) == []
    await world.store.commit(asking(first, in_lane("2.1"), at=1))
    await world.requests.settle(one.id, "sent", at=11.0)
    [second] = await claimed(world)
    assert second.request.id == "1.4"
    await world.requests.settle(second.id, "dead", at=11.0)
    [third] = await claimed(world)
    assert third.request.id == "2.1"


async def test_what_waits_for_another_try_holds_up_its_lane_also_for_another_call(world: World) -> None:
    await asked(world, "a", in_lane("1.1"))
    [one] = await claimed(world)
    await asked(world, "b", in_lane("1.1"))
    await world.requests.settle(one.id, "waiting", at=40.0, reason="busy")
    assert await claimed(world, now=30.0) == []
    assert await world.requests.next_due() == 40.0
    [again] = await claimed(world, now=41.0)
    assert again.id == one.id
