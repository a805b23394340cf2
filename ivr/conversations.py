"""Calls that follow each other in one conversation, on lines where a platform names conversations and no calls.

A conversation of a chat has no end: after a flow is over, the next message begins another call. So the calls of a
conversation are numbered, and each has a key of its own, `<conversation>#000000001`: what is stored, traced and erased
is a call, as on every line. Which call a message is for is found out before the turn.
"""

import re
from typing import Final, Protocol

from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.errors import DamagedCall
from ivr.ports import CallKey, Incoming

REPEATED: Final = 600.0
"Seconds after the beginning of a call in which a platform may still repeat a message of the call before it."
_NUMBERED = re.compile(r"(.*)#([0-9]{9})", re.DOTALL)


class Conversations(Protocol):
    """The part of a store that is asked here."""

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id."""

    async def load(self, key: CallKey) -> CallRecord | None:
        """Return the call as last committed; None: there is no such call."""

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation; 0: it has none."""


def numbered(conversation: CallKey, number: int) -> CallKey:
    """Return the key of a conversation's call; the first one is 1."""
    return CallKey(conversation.channel, conversation.account, f"{conversation.id}#{number:09}")


def number_of(key: CallKey) -> int:
    """Return the number of a call in its conversation; 0: it is a call of no conversation."""
    found = _NUMBERED.fullmatch(key.id)
    return int(found[2]) if found else 0


def conversation_of(key: CallKey) -> CallKey:
    """Return the conversation of a call; of a call of none, its own key."""
    found = _NUMBERED.fullmatch(key.id)
    return CallKey(key.channel, key.account, found[1]) if found else key


async def addressed(store: Conversations, incoming: Incoming, *, now: float) -> Incoming:
    """Return a message of a conversation with the key of the call that it is for, which may not have begun yet.

    A repeat goes to the call that has answered it, also where another one has begun since.
    """
    number = await store.newest(incoming.key)
    newest = await _readable(store, numbered(incoming.key, number)) if number else None
    if newest is not None and not _knows(store, newest, incoming):
        recent = now - newest.call.facts.started < REPEATED
        before = await _readable(store, numbered(incoming.key, number - 1)) if recent and number > 1 else None
        if before is not None and _knows(store, before, incoming):
            return replace(incoming, key=before.key)
    is_over = newest is None or (newest.call.phase == "over" and not _knows(store, newest, incoming))
    if is_over and (incoming.starts or not number):
        number += 1
    return replace(incoming, key=numbered(incoming.key, number))


def _knows(store: Conversations, record: CallRecord, incoming: Incoming) -> bool:
    return store.pseudonym(incoming.id) in record.replies


async def _readable(store: Conversations, key: CallKey) -> CallRecord | None:
    """Return a call; None also where it is damaged: the conversation goes on without it."""
    try:
        return await store.load(key)
    except DamagedCall:
        return None
