"""Calls in one SQLite file that no other process writes: memory is the truth for live calls, the file is their log.

A turn on a live call asks the disk nothing and waits for it once, together with all other turns of that moment. A call
that is over or unknown is looked up in the file and then remembered for a while, since repeats of its last message
come within minutes.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from ivr.call_record import CallRecord, Commit
from ivr.conversations import conversation_of, number_of
from ivr.engine.events import Event
from ivr.errors import DamagedCall, DataUnusable, StaleCall, StoreUnavailable
from ivr.ports import CallKey
from ivr.storage import Absent, Backlog, Order
from ivr.store.call_reading import printable_id
from ivr.store.live import Saved
from ivr.store.orders import Owed
from ivr.store.recent import Recent
from ivr.store.rows import SEALED_STATE, Rows
from ivr.store.sealing import Sealer
from ivr.store.sqlite import statements
from ivr.store.sqlite.damaged import Damaged, RestoredCalls, keep_proof, proves, read_live
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.erasure import EndedCall
from ivr.store.sqlite.read_only import Reader
from ivr.store.sqlite.sqlite_errors import REFUSALS, unusable
from ivr.store.sqlite.state_rows import StateRows
from ivr.store.sqlite.statements import Counters
from ivr.store.sqlite.user_rows import UserRows, count_expired, expired
from ivr.store.sqlite.writer import Statement, Write, Writer, empty_log, settling
from ivr.store.state_columns import PURPOSE
from ivr.user_values import Known, User

QUEUE = 1024
"Writes that may wait for the disk: some 60 ms of work, and the most that a stalled disk keeps in memory."
REMEMBERED = 1024
"Calls that are not live, and still in memory; and as many names of recordings."


class SqliteStore:
    """`CallStoreInMemory`."""

    def __init__(self, database: Path, opened: "_Opened", queue: int) -> None:
        self._rows = opened.rows
        self._users = opened.users
        self._live = opened.loaded.live
        self._damaged = {one.key: one for one in opened.loaded.damaged}
        self._counters = opened.counters
        self._recent: Recent[CallKey, Saved | None] = Recent(REMEMBERED)  # None: was looked up, and there was none
        self._media: Recent[str, None] = Recent(REMEMBERED)
        self._newest: Recent[CallKey, int] = Recent(REMEMBERED)
        self._lookups = Reader(database)
        self._sweeps = Reader(database)  # its own: a long look must not keep callers waiting
        self._writer = Writer(opened.connection, limit=queue)

    @classmethod
    async def open(cls, database: Path, *, seal_key: str | None, seal_file: Path, queue: int = QUEUE) -> "SqliteStore":
        """Load the live calls; raise DataUnusable. The caller owns the folder (`DataFolder.open`) until `close`.

        Calls that cannot be read are set aside: see `damaged`.
        """
        return cls(database, await asyncio.to_thread(_load, database, seal_key, seal_file), queue)

    @property
    def damaged(self) -> Sequence[Damaged]:
        """The calls that are set aside: they cannot be read, and nothing of them is changed."""
        return list(self._damaged.values())

    @property
    def flows_under_way(self) -> Sequence[str]:
        """The flows, by hash, that calls under way began with."""
        return self._live.flows()

    # --- CallStore ---

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id: always the same, and it tells nothing of the id."""
        return self._rows.pseudonym(message)

    async def load(self, key: CallKey) -> CallRecord | None:
        """Return the call as last committed; None: there is no such call. Raises DamagedCall if it cannot be read."""
        saved = await self._find(key)
        return saved.record if saved else None

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation; 0: it has none.

        What is being saved right now may not count yet: whoever takes its number for the next one finds it there.
        """
        known = self._newest.get(conversation)
        if known is not None:
            return known
        found = await self._lookups.read(lambda connection: statements.find_newest(connection, conversation))
        self._newest[conversation] = max(found, self._newest.get(conversation) or 0)
        return self._newest[conversation]

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that are saved and not yet stepped, in the order in which they came."""
        return self._live.orders.inbox(call)

    def glance(self, key: CallKey) -> CallRecord | Absent:
        """Return a call as last committed, if it can be told at once and nothing else is on its way for it."""
        saved = self._live.calls.get(key)
        if self._writer.busy(key):
            return Absent.WAIT
        if saved is None:
            known = key in self._damaged or self._recent.get(key) is not None
            return Absent.WAIT if known else Absent.UNKNOWN
        return Absent.WAIT if self._live.orders.inbox(saved.record.id) else saved.record

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        """Begin to save a turn made from what memory says now; a call that is not there is taken for a new one.

        `then` is called in the event loop once all of it is durable and visible (None), or with what `commit` would
        raise. Raises at once where nothing was begun.
        """
        record = commit.record
        key = record.key
        self._check_readable(key)
        if self._writer.busy(key):
            raise StaleCall(f"call {record.id}: another turn is being saved")
        stored = self._live.calls.get(key) or self._recent.get(key)
        self._live.check(commit, stored)
        row, before = (stored.row, stored.record) if stored else (next(self._counters.rows), None)
        ended = None
        if record.call.phase == "over":
            ended = commit.trace[-1].now if commit.trace else 0.0
        turn = self._rows.turn(next(self._counters.turns), row, commit, before)
        sealed = stored is not None and stored.sealed
        dropped = self._live.orders.leaving(commit)
        beside = statements.turn_statements(self._rows, commit, turn, before, dropped, sealed=sealed)
        if commit.kept:
            beside = [*beside, *self._users.kept(commit)]
        sealed = bool(turn[6] & SEALED_STATE) or (sealed and ended is None)

        def settled(error: Exception | None) -> None:
            try:
                if error is None:
                    self._apply(Saved(row, record, sealed), commit, turn[8])
                elif isinstance(error, StaleCall):
                    self._recent.forget(key)  # it is not what was remembered
            except Exception as exc:  # a mistake of ours: whoever waits gets it
                error = exc
            then(error)

        call = None if stored else (row, record.id, key.channel, key.account, key.id, ended)
        over = (row, ended) if stored and ended is not None else None
        self._writer.save(Write(then=settled, key=key, turn=turn, call=call, ended=over, statements=beside))

    async def commit(self, commit: Commit) -> None:
        """Save all of a turn or nothing; raise StaleCall if another turn was faster, StoreUnavailable if it cannot."""
        key = commit.record.key
        while True:  # from the last look at memory to the hand-over there is no await
            if commit.record.version > 1:  # a new call is not looked up: the file refuses one that is there
                await self._find(key)
            if not self._writer.busy(key):
                break
            await self._writer.quiet(key)
        done = asyncio.get_running_loop().create_future()
        self.hand_over(commit, settling(done, lambda: None))
        await done

    async def claim(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> Sequence[Order]:
        """Hand out open orders, each to one worker at a time; see `ivr.store.orders` for those that run no more.

        After a start none is held back: the lock of the folder shows that whoever had it is gone.
        """
        orders = self._live.orders
        runs, spent = orders.take(owner, now=now, lease=lease, limit=limit, busy=busy)
        if not runs and not spent:
            return ()
        written = [statements.run_statement(run) for run in runs]
        written += [self._answer(owed, owed.given_up()) for owed in spent]

        def counted() -> list[Order]:
            for owed in spent:
                orders.answer(owed.call, owed.request.job, owed.given_up())
            return orders.begin(runs)

        try:
            return await self._writer.saved(written, counted)
        except (StoreUnavailable, asyncio.CancelledError):
            orders.put_back([*(run.owed for run in runs), *spent])
            raise

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put a service's answer into the call's inbox; the first answer wins, False: it was not the first."""
        orders = self._live.orders
        owed = orders.get(call, job)
        if owed is None:
            return False
        # Another answer may be on its way to the disk: of two, the row and the inbox take the one handed over first.
        return await self._writer.saved([self._answer(owed, event)], lambda: orders.answer(call, job, event))

    async def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls whose deadline, idle time or wake-up time is over, or whose inbox waits for a wake-up."""
        return self._live.due(now)

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        """Return those of these recordings that no call took."""
        return await self._sweeps.read(lambda connection: statements.find_unnamed(connection, media))

    async def named(self, media: str) -> bool:
        """Return whether a call took this recording."""
        if media in self._media:  # nearly always: it is asked right after the commit
            return True
        return not await self._lookups.read(lambda connection: statements.find_unnamed(connection, [media]))

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""
        await self._writer.saved([(statements.ADD_FLOW, (flow_hash, source))], lambda: None)

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""
        return await self._lookups.read(lambda connection: statements.find_flow(connection, flow_hash))

    async def flow_with(self, asset: str) -> str | None:
        """Return None: the one server that has this store has its flows in memory."""
        return None

    async def known(self, user: User, *, now: float) -> Known:
        """Return all that is kept of a caller. It is not in memory: who calls again calls later."""
        return await self._lookups.read(lambda connection: self._users.known(connection, user, now))

    async def forget_user(self, user: User) -> None:
        """Erase all that is kept of a caller."""
        await self._writer.saved(self._users.forgetting(user), lambda: None)

    async def forget_values(self, *, now: float) -> int:
        """Erase what has been kept for as long as it was to be; return how many values that were."""
        count = await self._sweeps.read(lambda connection: count_expired(connection, now))
        if count:  # nearly never: a write costs a sync
            await self._writer.saved(expired(now), lambda: None)
        return count

    async def backlog(self) -> Backlog:
        """Return what is under way; orders of before a start count from then."""
        return self._live.backlog()

    async def probe(self) -> None:
        """Return if calls can be read, and saved as far as is known; raise StoreUnavailable if not.

        Whether they can be saved is tried out only where the last write failed: each try costs a synced commit.
        """
        await self._lookups.read(lambda connection: statements.find_flow(connection, ""))
        if self._writer.failing:
            await self._writer.saved(statements.PROBE, lambda: None)

    async def close(self) -> None:
        """Let go of the data, after everything under way is saved."""
        await self._lookups.close()
        await self._sweeps.close()
        await self._writer.close()

    # --- for its archive ---

    async def erase_ended(self, ended: Sequence[EndedCall]) -> None:
        """Erase calls that are over, in one commit, and forget them and their recordings."""
        erased = []
        for one in ended:
            await self._writer.quiet(one.key)  # and hand over at once: else a late message may come between the two
            then = partial(self._forget, one)
            erased.append(self._writer.saved(statements.erase_statements(one.row), then, key=one.key))
        await asyncio.gather(*erased)

    def derived_key(self, purpose: str) -> bytes:
        """Return a key that only who has the sealing key can have, for one purpose."""
        return self._rows.derived_key(purpose)

    # --- for its outbox, and what bots keep ---

    def written(self, statements: Sequence[Statement], *, key: Hashable | None = None) -> "asyncio.Future[None]":
        """Carry statements out that touch nothing in memory; done once they stand, or StoreUnavailable."""
        return self._writer.saved(statements, lambda: None, key=key)

    async def quiet(self, key: Hashable) -> None:
        """Wait until nothing is being written under a key."""
        await self._writer.quiet(key)

    async def empty_log(self) -> bool:
        """Write the log's pages into the database and empty it; return whether no reader prevented it."""
        return await self._writer.empty_log()

    # --- memory ---

    async def _find(self, key: CallKey) -> Saved | None:
        """Return a call from memory, or from the file if it is not there."""
        self._check_readable(key)
        while key not in self._live.calls and key not in self._recent:
            found = await self._lookups.read(lambda connection: statements.find_call(connection, self._rows, key))
            if key not in self._live.calls and key not in self._recent:  # else: committed meanwhile, and newer
                self._recent[key] = found
        return self._live.calls[key] if key in self._live.calls else self._recent[key]

    def _answer(self, owed: Owed, event: Event) -> Statement:
        return statements.answer_statement(self._rows, owed, event, next(self._counters.answers))

    def _check_readable(self, key: CallKey) -> None:
        if (damaged := self._damaged.get(key)) is not None:
            raise DamagedCall(f"call {printable_id(damaged.id)}: {damaged.what}")

    def _forget(self, erased: EndedCall) -> None:
        self._recent[erased.key] = None
        self._live.orders.forget(erased.contents.id)
        for media, _ in erased.contents.recordings:
            self._media.forget(media)

    def _apply(self, saved: Saved, commit: Commit, media: str | None) -> None:
        self._live.apply(saved, commit)
        if saved.record.version == 1 and (number := number_of(saved.record.key)):
            self._newest[conversation_of(saved.record.key)] = number
        if media is not None:
            self._media[media] = None
        if saved.over:
            self._recent[saved.record.key] = saved


class _Opened(Struct):
    """What the start read."""

    connection: sqlite3.Connection
    rows: Rows
    users: UserRows
    loaded: RestoredCalls
    counters: Counters


def _load(database: Path, seal_key: str | None, seal_file: Path) -> _Opened:
    sealer = Sealer.find(seal_key, seal_file)
    rows = Rows(sealer)
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(contextlib.closing(open_database(database)))
        try:
            opened = _Opened(
                connection, rows, UserRows(sealer), read_live(connection, rows, sealer), Counters(connection)
            )
            if not proves(connection, sealer):
                StateRows(sealer.derived(PURPOSE)).require_right_key(connection)
            sealer.keep()
            keep_proof(connection, sealer)
            empty_log(connection)
        except REFUSALS as error:
            raise DataUnusable(unusable(database, error)) from error
        stack.pop_all()
    return opened
