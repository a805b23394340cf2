"""What is delivered to others for calls, and no call waits for: notifications, and requests to platforms."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from ivr.engine.commands import Notify
from ivr.ports import CallKey, Outbound

DeliveryState: TypeAlias = Literal["waiting", "sent", "dead"]


class Notification(Struct, frozen=True):
    """Somebody is to be told of something, and what became of it."""

    call: str
    "Our id of the call."
    notify: Notify | None
    "What is told; None: it was sent, and what was told stands in the call's trace alone."
    job: str
    made: float
    "When the call ordered it, in seconds since 1970, like all times here."
    state: DeliveryState = "waiting"
    tries: int = 0
    "Tries begun so far."
    due: float = 0.0
    "When it is tried next, or when it was sent or given up."
    reason: str = ""
    "Why the last try failed, in our words."

    @property
    def id(self) -> str:
        """Its name: the same each time that it is sent."""
        return f"{self.call}.{self.job}"


class PlatformRequest(Struct, frozen=True):
    """A request to the platform of a call; nothing of it is left once it is sent."""

    call: str
    "Our id of the call."
    key: CallKey
    "The platform's: it says whose platform is asked."
    request: Outbound
    made: float
    "When the turn ordered it, in seconds since 1970, like all times here."
    state: DeliveryState = "waiting"
    tries: int = 0
    "Tries begun so far."
    due: float = 0.0
    "When it is tried next, or when it was given up."
    reason: str = ""
    "Why the last try failed, in our words."

    @property
    def id(self) -> str:
        """Its name: the same each time that it is sent."""
        return f"{self.call}.{self.request.id}"

    @property
    def job(self) -> str:
        """Its name within the call."""
        return self.request.id


D_co = TypeVar("D_co", covariant=True)


class Deliveries(Protocol[D_co]):
    """What is to be delivered for all calls, for the server and for a command beside it.

    Each is saved with the turn that ordered it. It is sent once or, where a worker was killed between sending and
    `settle`, again. Erased with its call. Nothing of it is in memory, so that a command can look and change beside a
    running server. Raises StoreUnavailable.
    """

    async def claim(self, owner: str, *, now: float, lease: float, limit: int) -> Sequence[D_co]:
        """Hand out what is due, each to one worker at a time; the try is counted, durably, before this returns.

        What has not been settled `lease` seconds later is due again: its worker is dead. What cannot be read is not
        handed out, and is dead.
        """

    async def settle(self, delivery: str, state: DeliveryState, *, at: float, reason: str = "") -> None:
        """Note what became of a try: sent or given up (`dead`) at a time, or to be tried again then (`waiting`).

        Nothing is left of what was told once it is sent. One that was dropped or erased meanwhile stays so.
        """

    async def reopen(self) -> None:
        """Make due again what was handed out to servers that are gone; for the start.

        Where one server alone has the store, that is all. Nobody knows what became of those tries, so they have no
        reason (`reason`).
        """

    async def next_due(self) -> float | None:
        """Return when the next one is due; None: none waits."""

    async def count(self, state: DeliveryState) -> int:
        """Count those of a state."""

    async def get(self, delivery: str) -> D_co | None:
        """Return one by its name."""

    async def list(self, state: DeliveryState | None = None, *, limit: int) -> Sequence[D_co]:
        """Return the newest ones, of one state or of all, the newest first; of one that cannot be read, its name."""

    async def retry(self, delivery: str, *, now: float) -> bool:
        """Make one that waits or is dead due, with its time and tries counted anew; False: there is none."""

    async def drop(self, delivery: str) -> bool:
        """Forget one that waits or is dead; False: there is none."""

    async def close(self) -> None:
        """Let go of the data."""


PlatformRequests: TypeAlias = Deliveries[PlatformRequest]
"The requests to platforms (`Commit.outbound`)."
Outbox: TypeAlias = Deliveries[Notification]
"The notifications of all calls (`Commit.notifications`)."
