"""What `Outbox` promises, asked of every store."""

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit
from ivr.engine.commands import Notify
from ivr.errors import StoreUnavailable
from ivr.outbox import Notification
from tests.store.store_examples import after, line, record, records_of
from tests.store.store_worlds import World

MAIL = Notify("1.1", "mail", "desk@example.com", "A call", "Two\nlines", ("0a.wma",), flow="f", started=1.5)
HOOK = Notify("1.2", "webhook", "https://example.com/hook", text="\u00e9")


def telling(before: CallRecord, *told: Notify, at: int = 0) -> Commit:
    return replace(after(before, line(at)), notifications=told)


async def told(world: World, name: str, *notifications: Notify) -> CallRecord:
    commit = telling(record(name), *notifications)
    await world.store.commit(commit)
    return commit.record


async def claimed(world: World, now: float = 10.0, limit: int = 9, owner: str = "w") -> list[Notification]:
    return [*await world.outbox.claim(owner, now=now, lease=60.0, limit=limit)]


async def test_a_turn_and_what_it_tells_are_saved_together_and_survive_a_crash(world: World) -> None:
    saved = await told(world, "a", MAIL, HOOK)
    await world.crash()
    first, second = await claimed(world)
    assert (first.notify, second.notify) == (MAIL, HOOK)
    assert (first.call, first.job, first.id) == (saved.id, "1.1", f"{saved.id}.1.1")
    assert (first.tries, first.state, first.due) == (1, "waiting", 70.0)


async def test_a_turn_that_was_not_saved_tells_nobody(world: World) -> None:
    first = await told(world, "a", MAIL)
    with pytest.raises(StoreUnavailable):
        await world.store.commit(telling(first, HOOK, MAIL))  # one name twice
    assert await world.outbox.count("waiting") == 1
    assert [one.version for one in await records_of(world.archive)] == [1]


async def test_what_is_handed_out_is_not_handed_out_again_until_its_worker_is_dead(world: World) -> None:
    await told(world, "a", MAIL)
    assert len(await claimed(world, now=10.0)) == 1
    assert await claimed(world, now=69.0, owner="other") == []
    [again] = await claimed(world, now=70.0, owner="other")
    assert again.tries == 2


async def test_after_a_start_nothing_waits_for_a_worker_that_is_gone(world: World) -> None:
    await told(world, "a", MAIL)
    await claimed(world, now=10.0)
    await world.crash()
    assert await claimed(world, now=11.0) == []
    await world.outbox.reopen()
    [again] = await claimed(world, now=11.0)
    assert again.tries == 2


async def test_as_many_as_are_wanted_are_handed_out_and_those_due_first_come_first(world: World) -> None:
    await told(world, "a", MAIL, HOOK, replace(MAIL, job="1.3"))
    [first] = await claimed(world, limit=1)
    await world.outbox.settle(first.id, "waiting", at=500.0, reason="busy")
    assert [one.job for one in await claimed(world, now=1000.0, limit=2)] == ["1.2", "1.3"]
    assert [one.job for one in await claimed(world, now=1000.0)] == ["1.1"]


async def test_what_is_sent_leaves_nothing_of_what_was_told(world: World) -> None:
    await told(world, "a", MAIL)
    [one] = await claimed(world)
    await world.outbox.settle(one.id, "sent", at=11.0)
    found = await world.outbox.get(one.id)
    assert found is not None
    assert (found.state, found.due, found.notify, found.tries) == ("sent", 11.0, None, 1)
    assert await claimed(world, now=1e9) == []
    assert not await world.outbox.retry(one.id, now=1.0)
    assert not await world.outbox.drop(one.id)


async def test_what_failed_is_due_again_later_with_its_reason(world: World) -> None:
    await told(world, "a", MAIL)
    [one] = await claimed(world)
    await world.outbox.settle(one.id, "waiting", at=100.0, reason="the server is down")
    assert await claimed(world, now=99.0) == []
    assert await world.outbox.next_due() == 100.0
    [again] = await claimed(world, now=100.0)
    assert (again.reason, again.tries, again.notify) == ("the server is down", 2, MAIL)


async def test_the_dead_are_listed_and_tried_again_on_request_as_if_new(world: World) -> None:
    await told(world, "a", MAIL, HOOK)
    one, _ = await claimed(world)
    await world.outbox.settle(one.id, "dead", at=90.0, reason="no such mailbox")
    [dead] = await world.outbox.list("dead", limit=9)
    assert (dead.id, dead.reason, dead.notify) == (one.id, "no such mailbox", MAIL)
    assert await world.outbox.count("dead") == 1
    assert await claimed(world, now=69.0) == []
    assert await world.outbox.retry(one.id, now=200.0)
    assert not await world.outbox.retry("nobody", now=200.0)
    again = await world.outbox.get(one.id)
    assert again is not None
    assert (again.state, again.made, again.due, again.tries, again.reason) == ("waiting", 200.0, 200.0, 0, "")


async def test_one_that_is_retried_while_it_is_tried_goes_to_nobody_else(world: World) -> None:
    await told(world, "a", MAIL)
    [one] = await claimed(world)
    assert await world.outbox.retry(one.id, now=50.0)
    assert await claimed(world, now=50.0) == []
    await world.outbox.settle(one.id, "sent", at=51.0)
    assert await claimed(world, now=99.0) == []


async def test_one_that_is_dropped_while_it_is_tried_stays_so(world: World) -> None:
    await told(world, "a", MAIL)
    [one] = await claimed(world)
    assert await world.outbox.drop(one.id)
    assert not await world.outbox.drop(one.id)
    await world.outbox.settle(one.id, "waiting", at=1.0)
    assert await world.outbox.get(one.id) is None
    assert await world.outbox.next_due() is None


async def test_lists_are_the_newest_first_and_no_longer_than_asked_for(world: World) -> None:
    await told(world, "a", MAIL, HOOK)
    await told(world, "b", MAIL)
    assert [one.job for one in await world.outbox.list(limit=2)] == ["1.1", "1.2"]
    assert [one.job for one in await world.outbox.list("waiting", limit=9)] == ["1.1", "1.2", "1.1"]
    assert await world.outbox.list("sent", limit=9) == []
