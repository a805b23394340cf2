"""What `Mailbox` promises, asked of every store."""

from collections.abc import Sequence
from typing import cast

from ivr.mailbox import KEPT, mail_id
from tests.store.store_examples import after, line, record
from tests.store.store_worlds import DurableWorld, World

SAID = b'{"text":"Room 4711"}'


async def saved(world: World, name: str = "a") -> str:
    """Save a call, and return our id of it."""
    commit = after(record(name), line(0))
    await world.store.commit(commit)
    return commit.record.id


async def bodies(world: World, conversation: str = "c", last: str = "", limit: int = 999) -> Sequence[bytes]:
    return [one.body for one in await world.mailbox.after(conversation, last, limit=limit)]


async def test_a_message_is_there_once_however_often_it_is_put_and_survives_a_crash(world: World) -> None:
    call = await saved(world)
    for _ in range(2):
        await world.mailbox.put(f"{call}.1.1", "c", SAID, at=1.0)
    await world.crash()
    await world.mailbox.put(f"{call}.1.1", "c", SAID, at=2.0)
    [one] = await world.mailbox.after("c", "", limit=9)
    assert (one.id, one.body) == (mail_id(f"{call}.1.1"), SAID)


async def test_what_follows_a_message_is_returned_in_order_of_its_own_conversation_alone(world: World) -> None:
    call = await saved(world)
    for number, conversation in enumerate("ccdc"):
        await world.mailbox.put(f"{call}.{number}", conversation, b'"%d"' % number, at=1.0)
    first, second, other = (mail_id(f"{call}.{number}") for number in (0, 1, 2))
    assert await bodies(world) == [b'"0"', b'"1"', b'"3"']
    assert await bodies(world, limit=2) == [b'"0"', b'"1"']
    assert await bodies(world, last=first) == [b'"1"', b'"3"']
    assert await bodies(world, last=second) == [b'"3"']
    for unknown in ("unknown", "\x00", other):
        assert await bodies(world, last=unknown) == await bodies(world)
    assert await bodies(world, "d") == [b'"2"']
    assert await bodies(world, "e") == []


async def test_a_conversation_keeps_its_newest_messages(world: World) -> None:
    call = await saved(world)
    await world.mailbox.put(f"{call}.other", "d", SAID, at=1.0)
    for number in range(KEPT + 3):
        await world.mailbox.put(f"{call}.{number}", "c", b"%d" % number, at=1.0)
    kept = await bodies(world)
    assert (len(kept), kept[0], kept[-1]) == (KEPT, b"3", b"%d" % (KEPT + 2))
    assert await bodies(world, "d") == [SAID]


async def test_of_a_call_that_is_not_there_nothing_is_kept(world: World) -> None:
    await world.mailbox.put(f"{'0' * 32}.1.1", "c", SAID, at=1.0)
    assert await bodies(world) == []


async def test_what_was_said_is_erased_with_its_call(world: World) -> None:
    begun = after(record("a"), line(0))
    await world.store.commit(begun)
    await world.mailbox.put(f"{begun.record.id}.1.1", "c", SAID, at=1.0)
    await world.store.commit(after(begun.record, over=True))
    await world.archive.forget(before=1e12, limit=9)
    assert await bodies(world) == []


async def test_what_was_said_is_stored_sealed(durable: DurableWorld) -> None:
    world = cast("World", durable)
    call = await saved(world)
    await world.mailbox.put(f"{call}.1.1", "c", SAID, at=1.0)
    await durable.crash()
    assert await bodies(world) == [SAID]
    assert durable.held([call.encode(), b"4711"]) == {call.encode()}
