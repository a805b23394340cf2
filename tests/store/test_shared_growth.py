"""What is asked of PostgreSQL again and again costs what it finds, however many calls are stored: pages are counted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest
from msgspec import json

from ivr.call_search import WantedCalls
from ivr.storage import Block
from ivr.store.live import BLOCK
from ivr.store.postgres import postgres_listing as listing
from ivr.store.postgres.postgres_blocks import count_traces, find_flows
from ivr.store.postgres.postgres_damage import find_damaged
from ivr.store.postgres.postgres_deliveries import PostgresOutbox, PostgresPlatformRequests
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_search import PostgresSearch
from ivr.store.postgres.postgres_voicemails import PostgresVoicemails
from tests.postgres.cluster import Database
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import SECRET, after, line, recorded, request
from tests.store.store_examples import record as fresh
from tests.waiting import PATIENCE

FEW, MANY = BLOCK, 5 * BLOCK
LIVE = 5
OVER = LIVE + 1
"The row of the one call that is over, of which all others are copies."
TURN_COLUMNS = "version, state, rest, message, reply, marks, trace, media"
COPIES = f"""
INSERT INTO call (row, id, channel, account, name, month, version, answers, due, wake, ended, started, flow, party)
SELECT n, lpad(to_hex(n), 32, '0'), channel, account, 'copy-' || n, month, version, 0, NULL, NULL, n, n, flow, party
FROM generate_series({{0}}, {{1}}) AS n, call WHERE row = {OVER};
INSERT INTO turn (month, call, {TURN_COLUMNS})
SELECT month, n, version, state, rest, message, reply, marks, trace, n || media
FROM generate_series({{0}}, {{1}}) AS n, turn WHERE call = {OVER};
INSERT INTO notification (call, id, body, made, state, due, tries, reason)
SELECT n, n || '.1.1', '', 1, 'sent', 2, 1, '' FROM generate_series({{0}}, {{1}}) AS n;
INSERT INTO platform_request (call, id, body, made, state, due, tries, reason)
SELECT n, n || '.1.1', '', 1, 'dead', 2, 1, 'refused' FROM generate_series({{0}}, {{1}}) AS n;
INSERT INTO notification (call, id, body, made, state, due, tries, reason)
SELECT n, n || '.1.2', '', 1, 'waiting', 2, 1, '' FROM generate_series({{0}}, {{1}}) AS n;
INSERT INTO platform_request (call, id, body, made, state, due, tries, reason, lane)
SELECT n, n || '.1.2', '', 1, 'waiting', 2, 1, '', 'lane ' || n % 20 FROM generate_series({{0}}, {{1}}) AS n;
INSERT INTO handled SELECT media, call, 1 FROM turn WHERE media IS NOT NULL AND call % 3 > 0
AND call BETWEEN {{0}} AND {{1}};
"""  # our own text

SOME_ARE_LEFT_OUT = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relallvisible < relpages - 2
"""
"A page or two with what has just been claimed do not count."


class Counting(PostgresPool):
    """Carries each statement out twice, and counts the pages that the second time looks at."""

    pages = 0

    async def rows(self, sql: str, *values: Any, patience: float | None = None) -> Any:
        found = await super().rows(sql, *values, patience=patience)
        explained = await super().rows(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *values, patience=patience)
        plan = json.decode(explained[0][0])[0]["Plan"]
        self.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return found


def looked_up(pool: PostgresPool, before: int | None = None, **wanted: Any) -> Awaitable[object]:
    return PostgresSearch(pool).search(WantedCalls(**wanted), before=before, limit=20, look=500)


def heard(pool: PostgresPool, before: int | None = None, *, done: bool) -> Awaitable[object]:
    return PostgresVoicemails(pool).recorded(done=done, before=before, limit=20, look=500)


Ask = Callable[[Counting], Awaitable[object]]
OF_BLOCK = Block(0, 1000, 1, 1)
QUESTIONS: dict[str, Ask] = {
    "the list of finished calls": lambda pool: listing.find_finished(pool, 0.0, 50),
    "the live calls": lambda pool: listing.find_live(pool, 3),
    "how many calls are live": lambda pool: listing.count_calls(pool, live=True),
    "the newest calls": lambda pool: listing.find_summaries(pool, 2**63 - 1, 20),
    "the oldest calls": lambda pool: listing.find_stored(pool, 0, 20),
    "calls to be looked at for damage": lambda pool: find_damaged(pool, 0, 20, None),
    "a call by the beginning of its id": lambda pool: listing.find_ids(pool, f"{BLOCK:032x}"[:-1]),
    "our id of a call by the platform's name": lambda pool: listing.find_named(pool, fresh("live1").key),
    "a call by our id": lambda pool: listing.find_public(pool, fresh("live1").id),
    "a trace": lambda pool: listing.find_trace(pool, f"{FEW:032x}"),
    "the calls of a block by flow": lambda pool: find_flows(pool, OF_BLOCK),
    "the traces of a block": lambda pool: count_traces(pool, OF_BLOCK, "f" * 64, lambda calls: len(list(calls))),
    "when something is to be told": lambda pool: PostgresOutbox(pool).next_due(),
    "when platforms are to be asked": lambda pool: PostgresPlatformRequests(pool).next_due(),
    "what is to be told": lambda pool: PostgresOutbox(pool).claim("w", now=9.0, lease=9.0, limit=4),
    "what platforms are to be asked": lambda pool: PostgresPlatformRequests(pool).claim(
        "w", now=9.0, lease=9.0, limit=4
    ),
    "what a dead server had": lambda pool: PostgresPlatformRequests(pool).reopen(),
    "calls with a number": lambda pool: looked_up(pool, number="no such"),
    "live calls among all": lambda pool: looked_up(pool, outcome="live"),
    "calls of a time": lambda pool: looked_up(pool, since=300.0, until=400.0),
    "the next page of calls": lambda pool: looked_up(pool, 1000),
    "how calls of a block ended": lambda pool: PostgresSearch(pool).over_time(OF_BLOCK, 60.0),
    "the newest recordings": lambda pool: heard(pool, done=False),
    "recordings that are done": lambda pool: heard(pool, done=True),
    "older recordings that are done": lambda pool: heard(pool, 1000, done=True),
    "what was not told": lambda pool: PostgresOutbox(pool).list("dead", limit=20),
    "what platforms were not asked": lambda pool: PostgresPlatformRequests(pool).list("dead", limit=20),
}


@pytest.fixture(scope="module")
def pages(_postgres_of_this_process: Database) -> Iterator[dict[str, Sequence[int]]]:
    """For each question, the pages that it looks at where a few calls are stored, and where there are many."""
    database = _postgres_of_this_process
    database.raze()
    yield asyncio.run(_counted(database))
    database.raze()


async def _counted(database: Database) -> dict[str, Sequence[int]]:
    world = PostgresWorld(database)
    await world.begin()
    for number in range(LIVE):
        await world.store.commit(after(fresh(f"live{number}", private=SECRET), line(), jobs=(request("1.1"),)))
    await world.store.commit(after(fresh("over"), line(), line(1), recorded("0a.wma"), over=True))
    await world.end()
    pool = await Counting.open(database.url, application="ivr tests", size=1)
    counted: dict[str, list[int]] = {name: [] for name in QUESTIONS}
    for first, last in ((OVER + 1, FEW), (FEW + 1, MANY)):
        database.run(COPIES.format(first, last))
        await _vacuumed(database)
        for name, ask in QUESTIONS.items():
            pool.pages = 0
            await ask(pool)
            counted[name].append(pool.pages)
    await pool.close()
    return dict(counted)


async def _vacuumed(database: Database) -> None:
    """Let an index answer alone for every row: while anybody looks at what was before, a vacuum leaves some out."""
    async with asyncio.timeout(PATIENCE):
        while True:
            database.run("VACUUM ANALYZE")
            if not database.ask(SOME_ARE_LEFT_OUT):
                return
            await asyncio.sleep(0)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_looks_at_as_many_pages_at_a_few_calls_as_at_many(
    pages: dict[str, Sequence[int]], question: str
) -> None:
    few, many = pages[question]
    assert few > 0
    assert many <= 1.2 * few + 8, "an index has a level more, at most"
