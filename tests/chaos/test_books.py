"""What is lost, doubled or mixed up is seen: each of these changes a quiet hour's books a little, and is found."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace

from ivr.phone.net.post import Reply
from tests.chaos.books import compared, stored_calls
from tests.chaos.world import World, world
from tests.phone.calling import Letter, Signer

pytestmark = pytest.mark.real_time
Undo: TypeAlias = Callable[[], Any]


def a_message_is_lost(one: World) -> Undo:
    """One more was acknowledged than is stored."""
    letters = one.line.acknowledged
    last = next(reversed(letters.values()))
    letters["another"] = last
    one.line.sent.add("another")
    return lambda: (letters.pop("another"), one.line.sent.discard("another"))


def a_message_counts_twice(one: World) -> Undo:
    """One was sent less than is stored."""
    name, letter = one.line.acknowledged.popitem()
    one.line.sent.discard(name)
    return lambda: (one.line.acknowledged.update({name: letter}), one.line.sent.add(name))


def a_message_was_never_answered(one: World) -> Undo:
    one.line.sent.add("another")
    return lambda: one.line.sent.discard("another")


def a_call_is_lost(one: World) -> Undo:
    letter = next(iter(one.line.acknowledged.values()))
    call = letter.json["id"]
    data = letter.data.replace(call.encode(), b"another-call")
    one.line.acknowledged["another"] = Letter(letter.url, data, letter.headers, letter.reply)
    one.line.sent.add("another")
    return lambda: (one.line.acknowledged.pop("another"), one.line.sent.discard("another"))


def a_recording_has_other_bytes(one: World) -> Undo:
    letters = one.line.acknowledged
    name, letter = next((name, letter) for name, letter in letters.items() if letter.audio)
    changed = letter.data.replace(letter.audio, letter.audio[:-1] + bytes([letter.audio[-1] ^ 1]))
    letters[name] = replace(letter, data=changed)
    return lambda: letters.update({name: letter})


def a_call_hears_another_version(one: World) -> Undo:
    letters = one.line.acknowledged
    name, letter = next((name, letter) for name, letter in letters.items() if b"blue" in letter.reply.body)
    body = letter.reply.body.replace(b" blue ", b" green ", 1)
    letters[name] = replace(letter, reply=Reply(200, body, 0.0))
    letters["again"] = letter
    return lambda: (letters.update({name: letter}), letters.pop("again"))


def an_order_is_taken_twice(one: World) -> Undo:
    return _once_more(one.services.orders)


def a_recording_is_listened_to_again_and_again(one: World) -> Undo:
    return _once_more(one.services.listened, 3)


def _once_more(counted: Counter[str], times: int = 1) -> Undo:
    name = next(iter(counted))
    counted[name] += times
    return lambda: counted.subtract({name: times})


def an_answer_is_another_calls(one: World) -> Undo:
    receipts = one.services.receipts
    before = dict(receipts)
    names = list(receipts)
    receipts.update({name: before[other] for name, other in zip(names, names[1:] + names[:1], strict=True)})
    return lambda: receipts.update(before)


def a_notification_is_lost(one: World) -> Undo:
    name, texts = one.services.notices.popitem()
    return lambda: one.services.notices.update({name: texts})


def a_notification_has_two_names(one: World) -> Undo:
    notices = one.services.notices
    notices["another"] = next(iter(notices.values()))
    return lambda: notices.pop("another")


WRONGS = (
    a_message_is_lost,
    a_message_counts_twice,
    a_message_was_never_answered,
    a_call_is_lost,
    a_recording_has_other_bytes,
    a_call_hears_another_version,
    an_order_is_taken_twice,
    a_recording_is_listened_to_again_and_again,
    an_answer_is_another_calls,
    a_notification_is_lost,
    a_notification_has_two_names,
)


async def test_books_that_differ_in_anything_are_found(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, thinking=0.2) as one:
        async with one.callers():
            for _ in range(4):
                await one.more()
        async with stored_calls(one) as (store, calls):
            good = await compared(one, store, calls)
            assert min(good.recordings, good.orders, good.notices) > 1
            for wrong in WRONGS:
                undo = wrong(one)
                with pytest.raises(AssertionError):
                    await compared(one, store, calls)
                undo()
            assert await compared(one, store, calls) == good
