"""What a store promises: live calls (`CallStore`), and all that is stored of calls (`Archive`).

Whoever uses a store knows these, `ivr.media_storage` and no driver; `ivr.store.opening` says which stands behind them.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from enum import Enum
from typing import Literal, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.commands import Request
from ivr.engine.events import Event
from ivr.ports import CallKey
from ivr.user_values import UserValues

T = TypeVar("T")

# --- live calls -------------------------------------------------------------------------------------------------------


class Order(Struct, frozen=True):
    """A request that a worker has claimed."""

    call: str
    "Our id of the call."
    key: CallKey
    request: Request
    attempts: int
    "Runs begun so far, this one included."


class Backlog(Struct, frozen=True):
    """What is under way in a store, of all servers that share it."""

    calls: int
    "That are not over."
    orders: int
    "To services, that have no answer yet."
    oldest: float | None = None
    "When the oldest of those was ordered, in seconds since 1970; None: there is none."


class CallStore(UserValues, Protocol):
    """Live calls. What was committed survives `kill -9` and power loss before `commit` returns."""

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id: always the same, and it tells nothing of the id.

        A platform writes ids freely, and can put into one what a caller keyed.
        """

    async def load(self, key: CallKey) -> CallRecord | None:
        """Return the call as last committed; None: there is no such call.

        Raises DamagedCall if there is one that cannot be read: it is set aside, and never taken for a new one.
        """

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation (`ivr.conversations`); 0: it has none."""

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that are saved and not yet stepped, in the order in which they came."""

    async def commit(self, commit: Commit) -> None:
        """Save all of a turn or nothing; raise StaleCall if another turn was faster, StoreUnavailable if it cannot."""

    async def claim(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> Sequence[Order]:
        """Hand out open orders, each to one worker at a time; the attempt is counted, durably, before this returns.

        Those to services that are `busy` stay where they are.
        `owner` names the worker. What it has not answered `lease` seconds after the time that its request allows is
        open again (`now`: seconds since 1970): its worker is dead. An order whose third run was cut off is not handed
        out again: it is answered `ServiceFailed(job, "failed")`.
        """

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put a service's answer into the call's inbox; the first answer wins, False: it was not the first."""

    async def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls whose deadline, idle time or wake-up time is over, or whose inbox waits for a wake-up.

        So many at most that the event loop is not held up; repeated questions get all of them.
        """

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        """Return those of these recordings that no call took, live or finished, and that no answer in an inbox names.

        The sweep deletes them.
        """

    async def named(self, media: str) -> bool:
        """Return whether a call took this recording; an ignored event took nothing. Cheap: asked after each upload."""

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""

    async def backlog(self) -> Backlog:
        """Return what is under way. Looked at again and again, by each server: it must be cheap."""

    async def flow_with(self, asset: str) -> str | None:
        """Return the hash of a flow that has this asset, whichever server has saved it; None: there is none.

        A store that one server has for itself need not know: that server has all its flows in memory.
        """

    async def probe(self) -> None:
        """Return if calls can be read, and saved as far as is known; raise StoreUnavailable if not."""

    async def close(self) -> None:
        """Let go of the data, after everything under way is saved."""


class Absent(Enum):
    """Why `glance` gives no call."""

    UNKNOWN = 1
    "Not in memory: a message that starts calls may be tried as the first of a new one, with `StaleCall` if it is not."
    WAIT = 2
    "It has to be loaded: a write of it is on its way, an answer waits in its inbox, it is over or damaged."


class CallStoreInMemory(CallStore, Protocol):
    """A store whose live calls are in memory: a turn waits for nothing but its commit."""

    def glance(self, key: CallKey) -> CallRecord | Absent:
        """Return a call as last committed, if it can be told at once and nothing else is on its way for it."""

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        """Begin to save a turn that was made from what `glance` gave, with nothing awaited in between.

        `then` is called in the event loop once all of it is durable and visible (None), or with what `commit` would
        raise. Raises at once where nothing was begun.
        """


# --- stored calls -----------------------------------------------------------------------------------------------------

FOUND = 10
"Ids that `Archive.find` returns at most."
PATIENCE = 5.0
"Seconds for which erasing waits for commands that are reading."


class CallSummary(Struct, frozen=True):
    """One call, as a list shows it."""

    id: str
    flow: str
    "The hash of the flow that took it."
    channel: str
    caller: str | None
    called: str
    started: float
    "Seconds since 1970, UTC, like `ended`."
    ended: float
    "When the last thing happened."
    state: str
    outcome: str | None
    over: bool
    damaged: bool = False
    "Its state cannot be read."
    placed: bool = False
    "We placed it."

    @property
    def party(self) -> str | None:
        """Who is or was on the line, whichever side called; None if withheld."""
        return self.called if self.placed else self.caller


class StoredCall(Struct, frozen=True):
    """One call with its trace."""

    id: str
    record: CallRecord | None
    "Without what is private in it; None: it cannot be read."
    trace: Sequence[Stepped] = ()
    trouble: str = ""
    "Why it cannot be read."


class DamagedCallRow(Struct, frozen=True):
    """A call that cannot be read."""

    id: str
    "Ours, or what stands in its place."
    key: CallKey
    over: bool
    what: str
    "What of it cannot be read, and nothing of what stands there."


class ErasedCall(Struct, frozen=True):
    """What there was of one call."""

    id: str
    started: float
    lines: int
    "Of its trace."
    recordings: tuple[tuple[str, int | None], ...]
    "Name of each, and its size in bytes if it went with the call; None: a file, which `MediaStore.delete` deletes."


class Erasure(Struct, frozen=True):
    """What became of an order to erase calls."""

    calls: Sequence[ErasedCall]
    left: str = ""
    "Why the store's log still holds what was erased, until it is erased again; empty: it holds nothing of it."
    unread: int = 0
    "Damaged calls that may be of this caller: their caller cannot be read."
    values: int = 0
    "What flows had kept of the caller, beyond the calls."
    unknown_values: int = 0
    "What flows have kept of callers, where the key is not at hand that tells whose it is."


CallTrace: TypeAlias = tuple[str | None, Sequence[Stepped]]
"How a call ended (None: it has not, empty: without an outcome), and its trace."


class Block(Struct, frozen=True):
    """Calls that came in one after the other, some 50 ms to read, traces included. Two that are equal hold the same."""

    number: int
    first: int
    "The first call of it that is wanted."
    changes: int
    "How often something of it has changed: each commit of a call counts."
    members: int
    "How often a call has come or gone, or what else stands for which calls it holds."

    @property
    def taken(self) -> tuple[int, int, int]:
        """What two blocks have in common if the same flows took their calls."""
        return self.number, self.first, self.members


class FlowCalls(Struct, frozen=True):
    """The calls of a block that one version of a flow took."""

    flow: str
    "Its hash."
    calls: int
    last: float
    "When the last of them came in, in seconds since 1970."


class Archive(Protocol):
    """All stored calls, live and finished, for console and commands; beside a running server, too.

    Records come without replies and without what is private. Everything raises StoreUnavailable where the data cannot
    be read, and costs what it returns, however many calls are stored; `recent`, `stored` and `damaged` a portion at a
    time. Only `count` of all calls and `erase` look at every call. A call that cannot be read is left out of lists of
    records, and is in all others.
    """

    async def find(self, beginning: str) -> Sequence[str]:
        """Return our ids that begin so, at most ten, in order."""

    async def named(self, key: CallKey) -> str | None:
        """Return our id of the call that a platform names so; None: there is no such call."""

    async def call(self, call: str) -> CallRecord | None:
        """Return one call by our id; raise UnreadableRow."""

    async def trace(self, call: str) -> Sequence[Stepped]:
        """Return the trace of one call in order; empty: there is no such call. Raises UnreadableRow."""

    def recent(self) -> AsyncGenerator[Sequence[CallSummary], None]:
        """Return all calls, the newest first, a portion at a time; whoever stops early has read no more than that."""

    def stored(self) -> AsyncGenerator[Sequence[StoredCall], None]:
        """Return all calls with their traces, the oldest first, a portion at a time."""

    def damaged(self, *, sealed: bool) -> AsyncGenerator[Sequence[DamagedCallRow], None]:
        """Return every call of which something cannot be read, the oldest first, a portion at a time.

        With `sealed`, sealed values are opened, too; only where `opens_seals` says so, else all would look damaged.
        """

    async def opens_seals(self) -> bool:
        """Return whether the key of sealed values is at hand and the right one; raise DataUnusable if it is no key."""

    async def live(self, *, limit: int) -> Sequence[CallRecord]:
        """Return the newest calls that are not over, the oldest of them first."""

    async def finished(self, *, since: float, limit: int) -> Sequence[CallRecord]:
        """Return calls that are over and came in since then (seconds since 1970), the newest first.

        Passes over newer calls that are not over, and costs as much as there are of them.
        """

    async def count(self, which: Literal["all", "live"]) -> int:
        """Count the calls; those that are not over cost as much as there are of them."""

    async def blocks(self, since: float) -> Sequence[Block]:
        """Return the calls that came in since then, the newest block first. Reads no trace."""

    async def flows(self, block: Block) -> Sequence[FlowCalls]:
        """Return which flows took the calls of a block."""

    async def figures(self, block: Block, flow: str, count: Callable[[Iterable[CallTrace]], T]) -> T:
        """Return what `count`, outside the event loop, makes of those calls of a block that a flow (its hash) took."""

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow that took calls."""

    async def forget(self, *, before: float, limit: int) -> Sequence[ErasedCall]:
        """Erase calls that ended before then (seconds since 1970), at most so many, those that ended first.

        Where one server has the store for itself, by that one alone. The caller of this method deletes their files, or
        the sweep does. What was erased stands in the log until `empty_log`.
        """

    async def erase(self, *, caller: str | None = None, call: str | None = None) -> Erasure:
        """Erase a caller (all calls, and what is kept beyond them) or the one call with our id, all or nothing.

        What was there is overwritten, where a store has its file for itself; a server must not be there then, since it
        has these calls in memory. The caller of this method deletes their files. Raises StoreUnavailable if nothing was
        erased.
        """

    async def empty_log(self) -> bool:
        """Empty the log, which holds what was erased; return whether no reader prevented it. For the server, too."""

    async def close(self) -> None:
        """Let go of the data."""
