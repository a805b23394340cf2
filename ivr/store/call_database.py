"""The live calls in a database that several servers share, as `ivr.store.shared_calls` asks for them.

Nothing here is cached; what is, is tried with its version. A driver of PostgreSQL stands behind this, and a twin in
memory that loses its connection and restarts when a test says so.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from ivr.call_record import CallRecord, Commit
from ivr.engine.events import Event
from ivr.ports import CallKey
from ivr.storage import Backlog, Order
from ivr.user_values import UserValues


class SharedCall(Struct, frozen=True):
    """A call as the database has it."""

    row: int
    "Its number there."
    record: CallRecord
    answers: int = 0
    "Answers of services that had come for it, stepped or not, when this was read. A turn that knows fewer is stale."
    waiting: int = 0
    "Those of them that no turn had stepped."
    sealed: bool = False
    "Whether there are sealed values of it."


class CallDatabase(UserValues, Protocol):
    """Everything raises StoreUnavailable where the database cannot be used, and says no more than why.

    A write whose outcome is unknown, since the connection was lost before the answer came, raises it as well: it may
    stand. Whoever does it again is told by version and message what became of it.
    """

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id: always the same on all servers, and it tells nothing of the id."""

    async def find(self, key: CallKey) -> SharedCall | None:
        """Return a call as last committed; None: there is none. Raises DamagedCall."""

    async def save(self, commit: Commit, before: SharedCall | None) -> SharedCall:
        """Save all of a turn or nothing, and return the call as it stands after it.

        `before` is what the turn was made from; None: it is the first of a new call. Raises StaleCall if that is not
        how the call stands, be it by a turn or by an answer that has come; or if a new call is there already.
        """

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation; 0: it has none."""

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that are saved and not yet stepped, in the order in which they came."""

    async def claim(
        self,
        owner: str,
        *,
        now: float,
        lease: float,
        limit: int,
        busy: frozenset[str] = frozenset(),
        known: Collection[tuple[str, str]],
    ) -> Sequence[Order]:
        """Hand out open orders, as `CallStore.claim`; those of a worker whose server is gone are open, too.

        `known` is what the worker has: our id of the call, and the job; that it does not get, whoever had it meanwhile.
        What it has here and does not know of is handed to it again, and counts as the same run: the answer to an
        earlier claim was lost. That claim may even be carried out after this one, and changes nothing then.
        """

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put an answer into the call's inbox, and tell all servers; False: it was not the first."""

    async def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls that this server has to wake: each is named to one first, and to all if it is late."""

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        """Return those of these recordings that no call took, and that no answer in an inbox names."""

    async def named(self, media: str) -> bool:
        """Return whether a call took this recording."""

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""

    async def backlog(self) -> Backlog:
        """Return what is under way, of all servers."""

    async def flow_with(self, asset: str) -> str | None:
        """Return the hash of a flow that has this asset, whichever server has saved it; None: there is none."""

    async def probe(self) -> None:
        """Return if calls can be read and saved."""

    async def close(self) -> None:
        """Let go of the database, and of all that this server had claimed."""
