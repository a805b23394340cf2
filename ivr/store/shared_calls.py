"""Live calls that several servers share, as each of them has them in memory: a cache that is never believed blindly.

What is cached of a call is tried with its version: a turn costs one round trip, and where another server was faster it
is `StaleCall`, and the call is loaded. `glance` gives what is cached, `load` asks the database.

Rule 1: the cache is changed after a save, never before. Rule 2: of one call, this server has one write under way. Rule
3: a write whose outcome is unknown leaves nothing in the cache, so that whoever comes next asks. Rule 4: so many writes
are under way at most.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from ivr.call_record import CallRecord, Commit, recordings_in
from ivr.engine.events import Event
from ivr.errors import StaleCall, StoreUnavailable
from ivr.news import News
from ivr.ports import CallKey
from ivr.storage import Absent, Backlog, Order
from ivr.store.call_database import CallDatabase, SharedCall
from ivr.store.live import check_follows
from ivr.store.recent import Recent
from ivr.user_values import Known, User

CACHED: Final = 20_000
"Calls in memory, some 10 KB each; what falls out is loaded when it is asked for."
UNDER_WAY: Final = 1024
"Writes at once: the most that a database that stands still keeps in memory."
REMEMBERED: Final = 1024
"Names of recordings that calls took, or may have."


class SharedCalls:
    """`CallStoreInMemory`."""

    def __init__(self, database: CallDatabase, news: News, *, cached: int = CACHED, under_way: int = UNDER_WAY) -> None:
        self._database = database
        self._calls = _Cache(cached)
        self._limit = under_way
        self._writes: dict[CallKey, _Write] = {}
        self._media: Recent[str, None] = Recent(REMEMBERED)
        self._answers: dict[str, asyncio.Event] = {}
        "Answers on their way, by our id of the call: each is set when the last of them has ended."
        self._claims = asyncio.Lock()
        self._handed: dict[str, set[tuple[str, str]]] = {}
        "Orders that workers here have, by worker: our id of the call, and the job."
        self._closed = False
        news.hear("answer", self._calls.doubt)
        news.hear("erased", self._calls.doubt)

    # --- CallStore ---

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id: always the same, and it tells nothing of the id."""
        return self._database.pseudonym(message)

    async def load(self, key: CallKey) -> CallRecord | None:
        """Return the call as last committed; None: there is no such call. Raises DamagedCall if it cannot be read."""
        found = await self._find(key)
        return found.record if found else None

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation; 0: it has none."""
        return await self._database.newest(conversation)

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that are saved and not yet stepped, in the order in which they came."""
        return await self._database.inbox(call)

    def glance(self, key: CallKey) -> CallRecord | Absent:
        """Return a call as it is cached, if nothing else is known to be on its way for it."""
        if key in self._writes:
            return Absent.WAIT
        if key not in self._calls:
            return Absent.UNKNOWN
        stored = self._calls.get(key)
        if stored is None or stored.waiting or stored.record.call.phase == "over":
            return Absent.WAIT
        return stored.record

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        """Begin to save a turn made from what is cached now; a call that is not there is taken for a new one.

        `then` is called in the event loop once all of it is durable and visible (None), or with what `commit` would
        raise. Raises at once where nothing was begun.
        """
        record = commit.record
        if record.key in self._writes:
            raise StaleCall(f"call {record.id}: another turn is being saved")
        before = self._calls.get(record.key)
        if before is None and record.key in self._calls:
            raise StaleCall(f"call {record.id}: it has to be loaded")
        self._begin(commit, before, then)

    async def commit(self, commit: Commit) -> None:
        """Save all of a turn or nothing; raise StaleCall if another turn was faster, StoreUnavailable if it cannot.

        An answer that came meanwhile does not keep it from being saved: it waits in the inbox for the next one.
        """
        key, version = commit.record.key, commit.record.version
        while True:
            await self._quiet(key)
            before = self._calls.get(key)
            if version > 1 and (before is None or before.record.version < version - 1):
                before = await self._find(key)
                if key in self._writes:
                    continue
            try:
                await self._saved(commit, before)
            except StaleCall:
                if before is None or before.record.version != version - 1 or not await self._still_stands(before):
                    raise
                continue  # it was an answer that came
            return

    async def claim(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> Sequence[Order]:
        """Hand out open orders, each to one worker of all servers at a time, and none of a call that has ended here."""
        async with self._claims:
            handed = self._handed.setdefault(owner, set())
            known = frozenset(handed)
            orders = await self._database.claim(owner, now=now, lease=lease, limit=limit, busy=busy, known=known)
            handed.update((order.call, order.request.job) for order in orders)
        alive = []
        for order in orders:
            await self._quiet(order.key)
            stored = self._calls.get(order.key)
            if stored is not None and stored.record.call.phase == "over":
                handed.discard((order.call, order.request.job))
            else:
                alive.append(order)
        return alive

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put a service's answer into the call's inbox; the first answer wins, False: it was not the first."""
        before, ended = self._answers.get(call), asyncio.Event()
        self._answers[call] = ended
        try:
            if before is not None:
                await before.wait()  # of those that come here at once, the first one is the first
            if (key := self._calls.key_of(call)) is not None:
                await self._quiet(key)  # a turn of this server that is under way would be stale by it
            first = await self._database.finish(call, job, event)
        finally:
            ended.set()
            if self._answers.get(call) is ended:
                del self._answers[call]
        self._calls.doubt(call)
        for handed in self._handed.values():
            handed.discard((call, job))
        return first

    async def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls that this server has to wake."""
        return await self._database.due(now)

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        """Return those of these recordings that no call took, and that no answer in an inbox names."""
        return await self._database.unnamed(media)

    async def named(self, media: str) -> bool:
        """Return whether a call took this recording, or may have: a write that was given up can be carried out late."""
        return media in self._media or await self._database.named(media)

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""
        await self._database.save_flow(flow_hash, source, assets)

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""
        return await self._database.flow(flow_hash)

    async def flow_with(self, asset: str) -> str | None:
        """Return the hash of a flow that has this asset, whichever server has saved it; None: there is none."""
        return await self._database.flow_with(asset)

    async def known(self, user: User, *, now: float) -> Known:
        """Return all that is kept of a caller."""
        return await self._database.known(user, now=now)

    async def forget_user(self, user: User) -> None:
        """Erase all that is kept of a caller."""
        await self._database.forget_user(user)

    async def forget_values(self, *, now: float) -> int:
        """Erase what has been kept for as long as it was to be; return how many values that were."""
        return await self._database.forget_values(now=now)

    async def backlog(self) -> Backlog:
        """Return what is under way, of all servers."""
        return await self._database.backlog()

    async def probe(self) -> None:
        """Return if calls can be read and saved; raise StoreUnavailable if not."""
        await self._database.probe()

    async def close(self) -> None:
        """Let go of the data, after everything under way is saved."""
        self._closed = True
        while self._writes:
            await self._quiet(next(iter(self._writes)))
        await self._database.close()

    # --- the cache ---

    async def _find(self, key: CallKey) -> SharedCall | None:
        """Return a call as the database has it, and cache it unless something newer came here meanwhile."""
        found = await self._database.find(key)
        if key in self._writes:
            return found
        cached = self._calls.get(key)
        if found is None:
            self._calls.drop(key)
        elif cached is None or _is_newer(found, cached):
            self._calls.put(found)
        else:
            return cached
        return found

    async def _still_stands(self, before: SharedCall) -> bool:
        """Return whether no turn has followed this one."""
        now = await self._find(before.record.key)
        return now is not None and (now.row, now.record.version) == (before.row, before.record.version)

    async def _quiet(self, key: CallKey) -> None:
        """Wait until no write of a call is under way."""
        while (write := self._writes.get(key)) is not None:
            await write.settled()

    async def _saved(self, commit: Commit, before: SharedCall | None) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self._begin(commit, before, settle)
        await done

    def _begin(self, commit: Commit, before: SharedCall | None, then: Callable[[Exception | None], None]) -> None:
        record = commit.record
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        check_follows(commit, before.record if before else None)
        if len({request.job for request in commit.jobs}) < len(commit.jobs):
            raise StoreUnavailable(f"call {record.id}: a job is asked for twice")
        if len(self._writes) >= self._limit:
            raise StoreUnavailable(f"{len(self._writes)} writes are waiting for the database.")
        write = _Write()
        self._writes[record.key] = write
        # A task of its own: a turn is saved, or not, whether somebody waits or not.
        write.task = asyncio.get_running_loop().create_task(self._save(commit, before, then), name="saving a turn")

    async def _save(self, commit: Commit, before: SharedCall | None, then: Callable[[Exception | None], None]) -> None:
        key = commit.record.key
        error: Exception | None = None
        stored: SharedCall | None = None
        try:
            stored = await self._database.save(commit, before)
        except Exception as exc:  # of any kind: whoever waits gets it
            error = exc
        write = self._writes.pop(key)
        if stored is not None:
            self._calls.put(stored)
            for media in recordings_in(commit.trace):
                self._media[media] = None
        elif isinstance(error, StaleCall):
            self._calls.must_load(key)
        else:
            self._calls.drop(key)
            for media in recordings_in(commit.trace):
                self._media[media] = None
        try:
            then(error)
        except Exception as exc:  # a mistake of ours; who waits for this write must not wait for ever because of it
            told = {"message": "after a write", "exception": exc}
            asyncio.get_running_loop().call_exception_handler(told)
        write.settle()


class _Write:
    """A write of a call that is under way, and who waits for its end."""

    task: "asyncio.Task[None]"

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def settled(self) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        await done

    def settle(self) -> None:
        for done in self._waiting:
            if not done.done():
                done.set_result(None)


class _Cache:
    """The calls that were used last, by their keys and by our ids; None: it is there, and has to be loaded."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._calls: OrderedDict[CallKey, SharedCall | None] = OrderedDict()
        self._keys: dict[str, CallKey] = {}

    def __contains__(self, key: CallKey) -> bool:
        return key in self._calls

    def get(self, key: CallKey) -> SharedCall | None:
        stored = self._calls.get(key)
        if stored is not None:
            self._calls.move_to_end(key)
        return stored

    def key_of(self, call: str) -> CallKey | None:
        return self._keys.get(call)

    def put(self, stored: SharedCall) -> None:
        key = stored.record.key
        self._forget_id(key)
        self._keys[stored.record.id] = key
        self._set(key, stored)

    def must_load(self, key: CallKey) -> None:
        self._forget_id(key)
        self._set(key, None)

    def doubt(self, call: str) -> None:
        """Have a call loaded before it is used, by our id: something else has changed it."""
        if (key := self._keys.get(call)) is not None:
            self.must_load(key)

    def drop(self, key: CallKey) -> None:
        self._forget_id(key)
        self._calls.pop(key, None)

    def _set(self, key: CallKey, stored: SharedCall | None) -> None:
        self._calls[key] = stored
        self._calls.move_to_end(key)
        if len(self._calls) > self._size:
            oldest = next(iter(self._calls))
            self.drop(oldest)

    def _forget_id(self, key: CallKey) -> None:
        before = self._calls.get(key)
        if before is not None:
            self._keys.pop(before.record.id, None)


def _is_newer(found: SharedCall, cached: SharedCall) -> bool:
    """Return whether what was found now is not older than what is cached; another call of that name always is."""
    if found.record.id != cached.record.id:
        return True
    return (found.record.version, found.answers) >= (cached.record.version, cached.answers)
