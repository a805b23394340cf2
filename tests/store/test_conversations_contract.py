"""What a store says of calls that follow each other in a conversation (`ivr.conversations`), asked of every store."""

from msgspec.structs import replace

from ivr.conversations import conversation_of, number_of, numbered
from ivr.ports import CallKey
from tests.store.store_examples import after, line, record
from tests.store.store_worlds import World

CHAT = CallKey("chat", "bot", "webchat/abc")


async def call(world: World, conversation: CallKey, number: int, *, over: bool = True) -> None:
    begun = replace(record(f"{conversation.id}{number}"), key=numbered(conversation, number))
    first = after(begun, line(0))
    await world.store.commit(first)
    if over:
        await world.store.commit(after(first.record, line(1), over=True))


async def test_a_conversation_without_calls_has_none(world: World) -> None:
    assert await world.store.newest(CHAT) == 0


async def test_the_newest_call_is_known_live_or_over_and_after_a_crash(world: World) -> None:
    await call(world, CHAT, 1)
    assert await world.store.newest(CHAT) == 1
    await call(world, CHAT, 2, over=False)
    assert await world.store.newest(CHAT) == 2
    await world.crash()
    assert await world.store.newest(CHAT) == 2


async def test_no_other_conversation_counts(world: World) -> None:
    for other in ("webchat/ab", "webchat/abcd", "webchat/abc#", "webchat/abc#1", "webchat/ABC"):
        await call(world, replace(CHAT, id=other), 7)
    await call(world, replace(CHAT, account="another"), 7)
    assert await world.store.newest(CHAT) == 0


async def test_what_was_erased_may_have_counted(world: World) -> None:
    await call(world, CHAT, 1)
    await world.archive.forget(before=1e9, limit=9)
    assert await world.store.newest(CHAT) in {0, 1}


def test_a_key_tells_its_conversation_and_its_number() -> None:
    for number in (1, 42, 999_999_999):
        assert (conversation_of(numbered(CHAT, number)), number_of(numbered(CHAT, number))) == (CHAT, number)
    for plain in ("webchat/abc", "webchat/abc#1", "#", ""):
        assert (conversation_of(replace(CHAT, id=plain)), number_of(replace(CHAT, id=plain))) == (
            replace(CHAT, id=plain), 0
        )  # fmt: skip
