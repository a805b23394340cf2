"""The twin of what bots keep: the same promises but for durability. No method of it ever waits."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.bot_state import TOUCHED_EVERY, StateKey, StateRecord, StateTags, may_write
from ivr.errors import StateChanged, TooManyStates


class _Held(Struct, frozen=True):
    record: StateRecord
    touched: float


class MemoryBotStates:
    """`BotStates`."""

    def __init__(self) -> None:
        self._all: dict[StateKey, _Held] = {}
        self._tags = StateTags()

    async def get(self, key: StateKey, *, at: int) -> StateRecord | None:
        """Return a record, which counts as used; None: there is none."""
        held = self._all.get(key)
        if held is None:
            return None
        if at / 1e9 - held.touched >= TOUCHED_EVERY:
            self._all[key] = replace(held, touched=at / 1e9)
        return held.record

    async def put(self, key: StateKey, data: bytes, expected: str | None, *, at: int, most: int) -> StateRecord:
        """Keep data under a name, and return it with its new tag; raise StateChanged, TooManyStates."""
        self._check(key, expected)
        if key not in self._all and sum(other.app == key.app for other in self._all) >= most:
            raise TooManyStates(f"{most} records")
        record = StateRecord(data, self._tags.next(at))
        self._all[key] = _Held(record, at / 1e9)
        return record

    async def drop(self, key: StateKey, expected: str | None) -> None:
        """Forget a record, which need not be there; raise StateChanged if it has another tag than the expected one."""
        self._check(key, expected)
        self._all.pop(key, None)

    async def drop_user(self, app: str, channel: str, user: str) -> Sequence[str]:
        """Forget all that a bot keeps of a user on a channel, but for what it keeps of conversations."""
        gone = [key for key in self._all if (key.app, key.channel, key.user) == (app, channel, user)]
        for key in gone:
            del self._all[key]
        return [key.conversation or key.user for key in gone]

    async def forget(self, *, before: float, limit: int) -> int:
        """Forget records that were not used since then (seconds since 1970), and return how many: at most so many."""
        old = sorted((held.touched, number, key) for number, (key, held) in enumerate(self._all.items()))
        gone = [key for touched, _, key in old if touched < before][:limit]
        for key in gone:
            del self._all[key]
        return len(gone)

    async def tidy(self) -> None:
        """Do nothing: there is no log."""

    def _check(self, key: StateKey, expected: str | None) -> None:
        held = self._all.get(key)
        if not may_write(held.record.tag if held else None, expected):
            raise StateChanged("another tag")
