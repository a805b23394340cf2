"""The twins in memory of what is delivered to others: what a `MemoryStore` holds. No method ever waits."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from ivr.outbox import DeliveryState, Notification, PlatformRequest
from ivr.store.memory.memory_calls import MemoryStore

D = TypeVar("D", Notification, PlatformRequest)


class MemoryDeliveries(Generic[D]):
    """`Deliveries`."""

    def __init__(self, held: dict[str, D]) -> None:
        self._all: dict[str, D] = held
        self._owned: set[str] = set()

    async def claim(self, owner: str, *, now: float, lease: float, limit: int) -> Sequence[D]:
        """Hand out what is due, each to one worker at a time."""
        waiting = [one for one in self._first() if one.due <= now]
        taken = [
            replace(one, due=now + lease, tries=one.tries + 1)
            for one in sorted(waiting, key=lambda one: one.due)[:limit]
        ]
        self._all.update({one.id: one for one in taken})
        self._owned.update(one.id for one in taken)
        return taken

    async def settle(self, delivery: str, state: DeliveryState, *, at: float, reason: str = "") -> None:
        """Note what became of a try."""
        one = self._all.get(delivery)
        if one is not None and one.state == "waiting":
            self._settled(replace(one, state=state, due=at, reason=reason))
            self._owned.discard(delivery)

    async def reopen(self) -> None:
        """Make due again what was handed out: no worker is alive."""
        for name in self._owned & self._all.keys():
            self._all[name] = replace(self._all[name], due=self._all[name].made, reason="")
        self._owned.clear()

    async def next_due(self) -> float | None:
        """Return when the next one is due; None: none waits."""
        return min((one.due for one in self._first()), default=None)

    async def count(self, state: DeliveryState) -> int:
        """Count those of a state."""
        return sum(one.state == state for one in self._all.values())

    async def get(self, delivery: str) -> D | None:
        """Return one by its name."""
        return self._all.get(delivery)

    async def list(self, state: DeliveryState | None = None, *, limit: int) -> Sequence[D]:
        """Return the newest ones, of one state or of all, the newest first."""
        return [one for one in reversed(self._all.values()) if state in {None, one.state}][:limit]

    async def retry(self, delivery: str, *, now: float) -> bool:
        """Make one that waits or is dead due, with its time and tries counted anew; False: there is none."""
        one = self._open(delivery)
        if one is not None:
            due = one.due if delivery in self._owned else now
            self._all[delivery] = replace(one, state="waiting", made=now, due=due, tries=0, reason="")
        return one is not None

    async def drop(self, delivery: str) -> bool:
        """Forget one that waits or is dead; False: there is none."""
        return self._open(delivery) is not None and self._all.pop(delivery) is not None

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def _settled(self, one: D) -> None:
        self._all[one.id] = one

    def _first(self) -> Sequence[D]:
        """Return what waits for nothing but its time."""
        return [one for one in self._all.values() if one.state == "waiting"]

    def _open(self, delivery: str) -> D | None:
        one = self._all.get(delivery)
        return one if one is not None and one.state != "sent" else None


class MemoryPlatformRequests(MemoryDeliveries[PlatformRequest]):
    """`PlatformRequests`."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store.requests)

    def _settled(self, one: PlatformRequest) -> None:
        if one.state == "sent":
            del self._all[one.id]
        else:
            super()._settled(one)

    def _first(self) -> Sequence[PlatformRequest]:
        """Return what waits for nothing but its time: the first of each lane, and all of none."""
        lanes: set[str] = set()
        found = []
        for one in super()._first():
            if one.request.lane not in lanes:
                found.append(one)
            lanes |= {one.request.lane} - {""}
        return found


class MemoryOutbox(MemoryDeliveries[Notification]):
    """`Outbox`."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store.notifications)

    def _settled(self, one: Notification) -> None:
        super()._settled(replace(one, notify=None) if one.state == "sent" else one)
