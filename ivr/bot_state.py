"""What bots keep between two messages (Bot State, activity protocol A8): its records, and what a store promises.

A record is of a user, of a conversation, or of a user in a conversation; which bot it belongs to is a part of its name,
so that no bot reaches what another one keeps. Each write gives a record another tag (`eTag`). Whoever names a tag
writes only where it is still the record's; whoever names none writes over whatever is there.
"""

import time
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

LARGEST: Final = 32 * 1024
"Bytes of the data of a record, as JSON."
LONGEST_ID: Final = 512
"Bytes of an id."
TOUCHED_EVERY: Final = 3600.0
"Seconds after which reading a record counts as using it once more: else each would have to be written."
_TICKS: Final = 10_000_000
"In a second: the vendor's clock counts hundreds of nanoseconds."


class StateKey(Struct, frozen=True):
    """The name of a record."""

    app: str
    "The app id of the bot that keeps it."
    channel: str
    conversation: str = ""
    "Empty: of the user in all conversations of the channel."
    user: str = ""
    "Empty: of the conversation, whoever is in it."


class StateRecord(Struct, frozen=True):
    """What a bot keeps under one name."""

    data: bytes
    "JSON, as the bot has sent it."
    tag: str


class BotStates(Protocol):
    """The records of all bots. What was put or dropped survives `kill -9` and power loss before the method returns.

    `at` is the time in nanoseconds since 1970. Everything raises StoreUnavailable where the data cannot be used.
    """

    async def get(self, key: StateKey, *, at: int) -> StateRecord | None:
        """Return a record, which counts as used; None: there is none. Raises UnreadableRow."""

    async def put(self, key: StateKey, data: bytes, expected: str | None, *, at: int, most: int) -> StateRecord:
        """Keep data under a name, and return it with its new tag.

        `expected`: the tag that the record has to have, if there is one; None: any. `most`: records that a bot may
        have; those that are put at the same time may come above it. Raises StateChanged, TooManyStates.
        """

    async def drop(self, key: StateKey, expected: str | None) -> None:
        """Forget a record, which need not be there; raise StateChanged if it has another tag than the expected one."""

    async def drop_user(self, app: str, channel: str, user: str) -> Sequence[str]:
        """Forget all that a bot keeps of a user on a channel, but for what it keeps of conversations.

        Returns the user's id for what was kept of the user alone, and a conversation's for what was kept of the user in
        it, the oldest first.
        """

    async def forget(self, *, before: float, limit: int) -> int:
        """Forget records that were not used since then (seconds since 1970), and return how many: at most so many."""

    async def tidy(self) -> None:
        """Leave nothing of what was forgotten in the store's log; to be done again and again."""


class ErasedStates(Struct, frozen=True):
    """What became of an order to erase what bots keep."""

    records: int
    left: str = ""
    "Why the store's log still holds what was erased, until it is erased again; empty: it holds nothing of it."


class StateErasure(Protocol):
    """Erasing what bots keep of a user in any channel, whichever bot keeps it, or of everybody (None).

    Records of a conversation with the user's own id are the user's. Raises StoreUnavailable, and DataUnusable where the
    key of sealed values is not at hand, without which nobody's records can be found.
    """

    async def count(self, user: str | None) -> int:
        """Count what `erase` would erase."""

    async def erase(self, user: str | None) -> ErasedStates:
        """Erase it for good. The caller holds the store (`StoreLocation.hold`)."""


class StateTags:
    """Gives out tags: each once, and in the vendor's form, which shows when it was given out."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, at: int) -> str:
        """Return a new tag; `at` is the time in nanoseconds since 1970."""
        self._last = max(at // 100, self._last + 1)  # two writes of one tick, or a clock that was set back
        seconds, ticks = divmod(self._last, _TICKS)
        return f"W/\"datetime'{time.strftime('%Y-%m-%dT%H%%3A%M%%3A%S', time.gmtime(seconds))}.{ticks:07}Z'\""


def may_write(stored: str | None, expected: str | None) -> bool:
    """Return whether a write that expects a tag may go on; `stored` is the record's, None: there is no record.

    The vendor's emulator took a tag where there was no record, and so do we: what had it has been forgotten.
    """
    return expected is None or stored is None or stored == expected
