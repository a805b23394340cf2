"""Orders that are owed to calls, and their answers that no turn has stepped yet, as rows of one table.

What is handed out, how often, and whose answer counts is as `ivr.store.orders` says; here the database decides it, for
all servers at once. Who changes a call and its orders locks the call first, so that no two wait for each other; who
claims orders touches no call, and passes over what somebody else has in hand.
"""

from collections.abc import Collection, Sequence
from math import inf
from operator import itemgetter
from typing import Final

from ivr.engine.events import Event, ServiceFailed
from ivr.errors import DamagedCall, DataUnusable
from ivr.ports import CallKey
from ivr.storage import Order
from ivr.store.call_reading import printable_id, read_order, what_is_damaged
from ivr.store.orders import MAX_RUNS
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_replica import GONE, Replica
from ivr.store.rows import Rows

_GIVEN_UP: Final = 100
"Orders that one claim gives up at most."

# What a worker can be given at all, while its server is seen to be alive: what it takes else is open to all at once.
# $1 owner, $3 busy services; $6 and $7 what it knows that it has, our ids of the calls and the jobs.
_WANTED = """answered IS NULL AND service <> ALL($3::text[])
AND EXISTS (SELECT 1 FROM replica WHERE replica.name = split_part($1, '/', 1))
AND NOT EXISTS (SELECT 1 FROM unnest($6::text[], $7::text[]) AS known (call, job)
JOIN call AS its ON its.id = known.call WHERE its.row = job.call AND known.job = job.id)"""
# Open: nobody has it, or whoever has it is dead. $2 now.
_OPEN = f"""(owner IS NULL OR (until <= $2 AND owner <> $1)
OR ({GONE} AND split_part(owner, '/', 1) <> split_part($1, '/', 1)))"""
# What $1 has and does not know of is handed to it again: the answer to an earlier claim did not come. That claim may be
# carried out late, and then changes nothing but `until`.
_CLAIM = f"""
WITH open AS (SELECT call, id FROM job WHERE {_WANTED} AND ((attempts < {MAX_RUNS} AND {_OPEN}) OR owner = $1)
ORDER BY asked LIMIT $4 FOR UPDATE SKIP LOCKED),
claimed AS (UPDATE job SET attempts = attempts + (owner IS DISTINCT FROM $1)::integer, owner = $1,
until = $2::float8 + timeout + $5::float8
FROM open, call WHERE job.call = open.call AND job.id = open.id AND call.row = job.call
RETURNING job.asked, call.id, channel, account, name, job.body, job.attempts, job.id),
spent AS (SELECT job.asked, call.id, channel, account, name, '', job.attempts + 1, job.id
FROM job JOIN call ON call.row = job.call WHERE {_WANTED} AND attempts >= {MAX_RUNS} AND {_OPEN}
ORDER BY asked LIMIT {_GIVEN_UP})
SELECT * FROM claimed UNION ALL SELECT * FROM spent
"""  # noqa: S608  # our own text
_ATTEMPTS: Final = 6
"The place of an order's runs in a row of `_CLAIM`; of one that may not run again, one more than it may have."
_BODY = """
SELECT job.body FROM job JOIN call ON call.row = job.call WHERE call.id = $1 AND job.id = $2 AND answered IS NULL
"""
# The call is told first, and so locked; of two answers the second finds no order that is open.
_ANSWER = """
WITH told AS (UPDATE call SET answers = answers + 1 WHERE id = $1
AND EXISTS (SELECT 1 FROM job WHERE job.call = call.row AND job.id = $2 AND answered IS NULL) RETURNING row),
kept AS (UPDATE job SET answered = nextval('answer_place'), answer = $3 FROM told
WHERE job.call = told.row AND job.id = $2 AND answered IS NULL RETURNING 1)
SELECT 1 FROM kept
"""
_INBOX = """
SELECT job.body, job.attempts, job.answer FROM job JOIN call ON call.row = job.call
WHERE call.id = $1 AND answered IS NOT NULL ORDER BY answered
"""
_LEAVE = "UPDATE job SET owner = NULL, until = NULL WHERE owner LIKE $1 AND answered IS NULL"


class PostgresJobs:
    """The orders of all calls, as one server has to do with them."""

    def __init__(self, pool: PostgresPool, rows: Rows, replica: Replica) -> None:
        self._pool = pool
        self._rows = rows
        self._replica = replica

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that wait, in the order in which they came; raise DamagedCall."""
        found = await self._pool.rows(_INBOX, call)
        try:
            read = [read_order(self._rows, call, *row) for row in found]
        except DataUnusable as exc:
            raise DamagedCall(f"call {printable_id(call)}: {what_is_damaged(exc)}") from exc
        return tuple(event for _, event in read if event is not None)

    async def claim(
        self,
        worker: str,
        *,
        now: float,
        lease: float,
        limit: int,
        busy: frozenset[str],
        known: Collection[tuple[str, str]],
    ) -> tuple[Sequence[Order], Sequence[tuple[str, str]]]:
        """Hand out open orders for a run, and name those that may not run again: our id of the call, and the job."""
        if limit < 1:
            return (), ()
        owner = self._replica.owner(worker)
        calls, jobs = [call for call, _ in known], [job for _, job in known]
        found = await self._pool.rows(_CLAIM, owner, now, sorted(busy), limit, lease, calls, jobs)
        found = sorted(found, key=itemgetter(0))
        claimed = [row for row in found if row[_ATTEMPTS] <= MAX_RUNS]
        last = claimed[-1][0] if len(claimed) == limit else inf
        orders = []
        for _, call, *key, body, attempts, _ in claimed:
            try:
                request, _ = read_order(self._rows, call, body, attempts, None)
            except DataUnusable:
                continue  # its call cannot be read either: it runs out of time, and is set aside
            orders.append(Order(call, CallKey(*key), request, attempts))
        # Those behind the last one that is handed out have to wait for their turn, too.
        spent = [(row[1], row[-1]) for row in found if row[_ATTEMPTS] > MAX_RUNS and row[0] < last]
        return orders, spent

    async def leave(self) -> None:
        """Open again all that workers of this server have: it ends in order."""
        await self._pool.rows(_LEAVE, f"{self._replica.name}/%")

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put an answer into the call's inbox; False: it was not the first, or nobody waits for it."""
        body = await self._pool.value(_BODY, call, job)
        if body is None:
            return False
        try:
            request, _ = read_order(self._rows, call, body, 0, None)
        except DataUnusable as exc:
            raise DamagedCall(f"call {printable_id(call)}: {what_is_damaged(exc)}") from exc
        answer = self._rows.answer(call, request, event)
        return await self._pool.value(_ANSWER, call, job, answer) is not None

    async def give_up(self, call: str, job: str) -> bool:
        """Answer an order that may not run again."""
        return await self.finish(call, job, ServiceFailed(job, "failed"))
