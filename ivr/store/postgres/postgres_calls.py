"""The live calls in a PostgreSQL database that any number of servers share: `CallDatabase`.

Exactly once is the database's: a turn is one statement, which does nothing unless its call stands as the turn found it.
Nothing is cached here (see `ivr.store.shared_calls`).
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from ivr.call_record import REMEMBERED, Commit
from ivr.conversations import number_of, numbered
from ivr.engine.events import Event
from ivr.errors import DamagedCall, DataUnusable, StaleCall, StoreUnavailable, UnreadableRow
from ivr.ports import CallKey
from ivr.storage import Backlog, Order
from ivr.store.call_database import SharedCall
from ivr.store.call_reading import StoredCallRow, printable_id, read_call
from ivr.store.live import AT_ONCE
from ivr.store.postgres.postgres_errors import TakenName
from ivr.store.postgres.postgres_jobs import PostgresJobs
from ivr.store.postgres.postgres_news import PostgresNews
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_replica import Replica
from ivr.store.postgres.postgres_text import can_stand
from ivr.store.postgres.postgres_turns import turn_statement
from ivr.store.postgres.postgres_users import PostgresUsers
from ivr.store.rows import LAST_REPLY, NEW_MESSAGE, Rows
from ivr.store.sealing import Sealer
from ivr.user_values import Known, User

_WINDOW: Final = 3 * REMEMBERED
"Turns from the last one back in which the replies that are remembered nearly always are."
_LATE: Final = 3.0
"Seconds after which a call that is due is woken by any server: the one that it was named to may be gone."

# The last turns of a call. OFFSET 0 has the month of its turns known before they are looked for.
_FIND = """
SELECT call.row, call.id, call.channel, call.account, call.name, call.ended, call.version, call.answers,
(SELECT count(*) FROM job WHERE job.call = call.row AND answered IS NOT NULL) AS waiting,
turn.message, turn.reply, turn.marks, turn.state, turn.rest
FROM call LEFT JOIN LATERAL (
SELECT version, message, reply, marks, CASE WHEN version = call.version THEN turn.state END AS state,
CASE WHEN version = call.version THEN rest END AS rest FROM turn
WHERE turn.month = call.month AND turn.call = call.row AND version > call.version - $4::integer OFFSET 0
) AS turn ON true
WHERE channel = $1 AND account = $2 AND name = $3 ORDER BY turn.version
"""
_CALL_COLUMNS: Final = 9
"Those of a row of `_FIND` that are not of its turn."
_NEWEST = """
SELECT max(name) FROM call WHERE channel = $1 AND account = $2 AND name > $3 AND name <= $4 AND length(name) = $5
"""
# A call's time moves on with each turn, and the index is told when it has come. $2 and $3: our place among how many;
# $4 and $5: where the last look ended.
_DUE = f"""
WITH moved_on AS (UPDATE call SET due = wake WHERE row IN (SELECT row FROM call
WHERE due <= $1::float8 AND wake > $1 AND row % $3 = $2 ORDER BY due LIMIT {2 * AT_ONCE} FOR UPDATE SKIP LOCKED))
SELECT channel, account, name, due, row FROM call
WHERE due <= $1 AND wake <= $1 AND (row % $3 = $2 OR wake <= $1 - {_LATE}) AND (due, row) > ($4::float8, $5::bigint)
ORDER BY due, row LIMIT {AT_ONCE}
"""  # noqa: S608  # our own text
_ANSWERED = f"""
SELECT channel, account, name FROM call WHERE row % $2 = $1
AND row IN (SELECT call FROM job WHERE answered IS NOT NULL) LIMIT {AT_ONCE}
"""  # noqa: S608  # our own text
_UNNAMED = """
SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS one (name, place)
WHERE NOT EXISTS (SELECT 1 FROM turn WHERE media = name)
AND NOT EXISTS (SELECT 1 FROM job WHERE answered IS NOT NULL AND position(convert_to(name, 'UTF8') IN answer) > 0)
ORDER BY place
"""
_NAMED = "SELECT EXISTS (SELECT 1 FROM turn WHERE media = $1)"
_SAVE_FLOW = (
    "INSERT INTO flow (hash, source, assets) VALUES ($1, $2, $3) "
    "ON CONFLICT (hash) DO UPDATE SET assets = excluded.assets WHERE flow.assets <> excluded.assets"  # it was copied
)
_FLOW_WITH = "SELECT hash FROM flow WHERE assets @> ARRAY[$1] LIMIT 1"
_FLOW = "SELECT source FROM flow WHERE hash = $1"
_FLOWS_UNDER_WAY = "SELECT DISTINCT flow FROM call WHERE ended IS NULL"
_BACKLOG = """
SELECT (SELECT count(*) FROM call WHERE due IS NOT NULL), count(*), min(made) FROM job WHERE answered IS NULL
"""
_READ_ONLY = "SELECT current_setting('transaction_read_only') = 'on'"
_NOWHERE: Final = (float("-inf"), 0)


class PostgresCalls:
    """`CallDatabase`."""

    def __init__(self, pool: PostgresPool, sealer: Sealer, replica: Replica) -> None:
        """Use a pool that is closed by whoever made it, after this; `replica` is this server among all."""
        self._pool = pool
        self._rows = Rows(sealer)
        self._users = PostgresUsers(pool, sealer)
        self._replica = replica
        self._jobs = PostgresJobs(pool, self._rows, replica)
        self._last_due: tuple[float, int] = _NOWHERE
        self.news = PostgresNews(pool)

    async def open(self) -> None:
        """Show this server among the others, and listen to them; raise StoreUnavailable."""
        await self._replica.open()
        self.news.open()

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id: always the same on all servers, and it tells nothing of the id."""
        return self._rows.pseudonym(message)

    async def find(self, key: CallKey) -> SharedCall | None:
        """Return a call as last committed; None: there is none. Raises DamagedCall."""
        found = await self._pool.rows(_FIND, key.channel, key.account, key.id, _WINDOW)
        if not found:
            return None
        whole = found[0]["version"] <= _WINDOW or _holds_all_replies(found)
        if not whole:
            found = await self._pool.rows(_FIND, key.channel, key.account, key.id, found[0]["version"], patience=LONG)
            if not found:  # erased in between
                return None
        stored = StoredCallRow(*found[0][:6])
        try:
            saved = read_call(self._rows, stored, [row[_CALL_COLUMNS:] for row in found])
            if saved.record.version != found[0]["version"]:
                raise UnreadableRow("its last turn is not there")
        except DataUnusable as exc:
            raise DamagedCall(f"call {printable_id(stored.id)}: {exc}") from exc
        # Of turns that were not looked at, nobody knows: at its end, they are looked for.
        sealed = saved.sealed or (len(found) < saved.record.version and not saved.over)
        return SharedCall(stored.row, saved.record, found[0]["answers"], found[0]["waiting"], sealed)

    async def save(self, commit: Commit, before: SharedCall | None) -> SharedCall:
        """Save all of a turn or nothing, and return the call as it stands after it. Raises StaleCall."""
        turn = turn_statement(self._rows, self._users, commit, before)
        record = commit.record
        try:
            moved = await self._pool.row(turn.sql, *turn.values)
        except TakenName as error:
            raise StoreUnavailable(f"call {record.id}: {_what_is_taken(error.constraint)}") from None
        if moved is None:
            raise StaleCall(f"call {record.id}: it does not stand as this turn found it")
        row, left = moved
        if before is None:
            return SharedCall(row, record, sealed=turn.sealed)
        waiting = 0 if record.call.phase == "over" else before.waiting - left
        return SharedCall(row, record, before.answers, waiting, turn.sealed)

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation; 0: it has none. One look at the index of names."""
        first, last = numbered(conversation, 0), numbered(conversation, 999_999_999)
        where = (conversation.channel, conversation.account, first.id, last.id, len(first.id))
        name = await self._pool.value(_NEWEST, *where)
        return 0 if name is None else number_of(replace(conversation, id=name))

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that are saved and not yet stepped, in the order in which they came."""
        return await self._jobs.inbox(call)

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
        """Hand out open orders, those of dead servers too; what may not run again is answered."""
        orders, spent = await self._jobs.claim(owner, now=now, lease=lease, limit=limit, busy=busy, known=known)
        for call, job in spent:
            with suppress(DataUnusable, StoreUnavailable):  # the next claim finds it again, and has its own orders
                if await self._jobs.give_up(call, job):
                    self.news.tell("answer", call)
        return orders

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put an answer into the call's inbox, and tell all servers; False: it was not the first."""
        first = await self._jobs.finish(call, job, event)
        if first:
            self.news.tell("answer", call)
        return first

    async def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls that this server has to wake: each is named to one first, and to all if it is late.

        Where there are more than one look names, the next look goes on from there.
        """
        place, servers = self._replica.place
        found = await self._pool.rows(_DUE, now, place, servers, *self._last_due)
        self._last_due = (found[-1]["due"], found[-1]["row"]) if len(found) == AT_ONCE else _NOWHERE
        answered = await self._pool.rows(_ANSWERED, place, servers)
        return list(dict.fromkeys(CallKey(*row[:3]) for row in (*found, *answered)))

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        """Return those of these recordings that no call took, and that no answer in an inbox names."""
        return [row[0] for row in await self._pool.rows(_UNNAMED, list(media), patience=LONG)]

    async def named(self, media: str) -> bool:
        """Return whether a call took this recording."""
        return bool(await self._pool.value(_NAMED, media))

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""
        await self._pool.rows(_SAVE_FLOW, flow_hash, source, sorted(assets))

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""
        found: bytes | None = await self._pool.value(_FLOW, flow_hash) if can_stand(flow_hash) else None
        return found

    async def flow_with(self, asset: str) -> str | None:
        """Return the hash of a flow that has this asset, whichever server has saved it; None: there is none."""
        found: str | None = await self._pool.value(_FLOW_WITH, asset)
        return found

    async def flows_under_way(self) -> Sequence[str]:
        """Return the flows, by hash, that calls under way began with."""
        return [row[0] for row in await self._pool.rows(_FLOWS_UNDER_WAY, patience=LONG)]

    async def known(self, user: User, *, now: float) -> Known:
        """Return all that is kept of a caller."""
        return await self._users.known(user, now=now)

    async def forget_user(self, user: User) -> None:
        """Erase all that is kept of a caller."""
        await self._users.forget_user(user)

    async def forget_values(self, *, now: float) -> int:
        """Erase what has been kept for as long as it was to be; return how many values that were."""
        return await self._users.forget_values(now=now)

    async def backlog(self) -> Backlog:
        """Return what is under way, of all servers."""
        found = await self._pool.row(_BACKLOG, patience=LONG)
        return Backlog(*found) if found else Backlog(0, 0)

    async def probe(self) -> None:
        """Return if calls can be read and saved: a beat of this server is a write, and the last one stood."""
        if await self._pool.value(_READ_ONLY):
            raise StoreUnavailable("The database could not be used: it can only be read (a standby?).")
        if self._replica.failing:
            raise StoreUnavailable(self._replica.failing)

    async def close(self) -> None:
        """Let go of all that this server had claimed; the pool is still the caller's."""
        await self.news.close()
        with suppress(StoreUnavailable):  # the others find out by themselves
            await self._jobs.leave()
        await self._replica.close()


def _holds_all_replies(found: Sequence[Any]) -> bool:
    """Return whether the messages that are remembered and the last reply are in these turns.

    With so many new messages in them, one before them has fallen out.
    """
    new = sum(1 for row in found if (row["marks"] or 0) & NEW_MESSAGE)
    return new >= REMEMBERED and any((row["marks"] or 0) & LAST_REPLY for row in found)


def _what_is_taken(constraint: str) -> str:
    """Return which of a turn's names is taken, by the index that says so."""
    if constraint.startswith("call_"):
        return "another call has this id"
    if constraint.startswith("job_"):
        return "a job is asked for twice"
    if constraint.startswith("notification_"):
        return "a notification is made twice"
    if constraint.startswith("platform_request_"):
        return "a request to the platform is made twice"
    return "this turn, or its message, is there already"
