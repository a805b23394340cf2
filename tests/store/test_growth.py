"""What is asked again and again costs what it finds, however many calls are stored. Steps of SQLite are counted."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ivr.call_search import WantedCalls
from ivr.storage import Block
from ivr.store.live import BLOCK
from ivr.store.rows import Rows
from ivr.store.sealing import Sealer
from ivr.store.sqlite import lists, statements
from ivr.store.sqlite.blocks import find_blocks, find_flows, find_traces, first_row
from ivr.store.sqlite.damaged import find_damaged, read_live
from ivr.store.sqlite.database_file import open_for_reading
from ivr.store.sqlite.delivery_rows import NOTIFICATIONS, PLATFORM_REQUESTS
from ivr.store.sqlite.erasure import find_ended
from ivr.store.sqlite.sqlite_search import count_over_time, find_calls
from ivr.store.sqlite.sqlite_voicemails import DONE, OPEN, find_recorded
from tests.store.store_examples import SECRET, after, line, recorded, request
from tests.store.store_examples import record as fresh
from tests.store.store_worlds import SqliteWorld

FEW, MANY = 3 * BLOCK, 12 * BLOCK
LIVE = 5

COPIES = f"""
WITH RECURSIVE number(n) AS (SELECT {LIVE + 2} UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO call SELECT n, printf('%032x', n), channel, account, 'copy-' || n, n
FROM number, call WHERE row = {LIVE + 1};
WITH RECURSIVE number(n) AS (SELECT {LIVE + 2} UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO turn (call, state, rest, message, reply, marks, trace, media)
SELECT n, state, rest, message, reply, marks, trace, n || media FROM number, turn WHERE call = {LIVE + 1};
INSERT INTO notification SELECT row, id || '.1.1', '', 1.0, 'sent', 2.0, 1, NULL, '' FROM call WHERE row > {LIVE};
INSERT INTO platform_request SELECT row, id || '.1.1', '', 1.0, 'dead', 2.0, 1, NULL, 'refused' FROM call
WHERE row > {LIVE};
INSERT INTO handled SELECT media, call, 1.0 FROM turn WHERE media IS NOT NULL AND call % 3 > 0;
INSERT OR IGNORE INTO block SELECT DISTINCT row / {BLOCK}, 1, 1 FROM call
"""


async def _fill(disk: SqliteWorld, calls: int) -> None:
    """Five live calls, the oldest of all, and so many that are over."""
    for number in range(LIVE):
        await disk.store.commit(after(fresh(f"live{number}", private=SECRET), line(), jobs=(request("1.1"),)))
    await disk.store.commit(after(fresh("over"), line(), line(1), recorded("0a.wma"), over=True))
    with closing(sqlite3.connect(disk.database)) as connection, connection:
        for statement in COPIES.split(";"):
            connection.execute(statement, (calls,) * statement.count("?"))


async def _filled(folder: Path, calls: int) -> Path:
    world = SqliteWorld(folder)
    await world.begin()
    await _fill(world, calls)
    await world.end()
    return world.database


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few calls, and many."""
    return [asyncio.run(_filled(tmp_path_factory.mktemp("calls"), calls)) for calls in (FEW, MANY)]


def _live(connection: sqlite3.Connection, folder: Path) -> object:
    sealer = Sealer.find(None, folder / "seal.key")
    loaded = read_live(connection, Rows(sealer), sealer)
    assert (len(loaded.live.calls), loaded.damaged) == (LIVE, [])
    return loaded


QUESTIONS: dict[str, Callable[[sqlite3.Connection, Path], object]] = {
    "the live calls, at the start": _live,
    "the numbers that go on, at the start": lambda connection, _: statements.Counters(connection),
    "calls whose time is up": lambda connection, _: find_ended(connection, 1e12, 20),
    "no call whose time is up": lambda connection, _: find_ended(connection, 0.5, 20),
    "the list of finished calls": lambda connection, _: lists.find_finished(connection, 0.0, 50),
    "recordings that nobody names": lambda connection, _: statements.find_unnamed(connection, ["0a.wma", "other"] * 50),
    "a call by the platform's name": lambda connection, folder: statements.find_call(
        connection, Rows(Sealer.find(None, folder / "seal.key")), fresh("live1").key
    ),
    "the live calls": lambda connection, _: lists.find_live(connection, 3),
    "how many calls are live": lambda connection, _: lists.count_calls(connection, live=True),
    "the newest calls": lambda connection, _: lists.find_summaries(connection, 2**63 - 1, 20),
    "the oldest calls": lambda connection, _: lists.find_stored(connection, 0, 20),
    "calls to be looked at for damage": lambda connection, _: find_damaged(connection, 0, 20, None),
    "a call by the beginning of its id": lambda connection, _: lists.find_ids(connection, f"{BLOCK:032x}"[:-1]),
    "our id of a call by the platform's name": lambda connection, _: lists.find_named(connection, fresh("live1").key),
    "the calls of a block by flow": lambda connection, _: find_flows(connection, Block(1, BLOCK, 1, 1)),
    "the traces of a block": lambda connection, _: list(find_traces(connection, Block(1, BLOCK, 1, 1), "f" * 64)),
    "a call by our id": lambda connection, _: lists.find_public(connection, "0" * 32),
    "what is to be told next": lambda connection, _: NOTIFICATIONS.first_due(connection),
    "what platforms are to be asked next": lambda connection, _: PLATFORM_REQUESTS.first_due(connection),
    "what was not told": lambda connection, _: NOTIFICATIONS.newest(connection, "dead", 20),
    "how much was not told": lambda connection, _: NOTIFICATIONS.count(connection, "dead"),
    "what platforms were not asked": lambda connection, _: PLATFORM_REQUESTS.newest(connection, "dead", 20),
    "a request to a platform": lambda connection, _: PLATFORM_REQUESTS.newest(connection, "waiting", 20),
    "whether platforms have to be asked": lambda connection, _: PLATFORM_REQUESTS.count(connection, "waiting"),
    "calls with a number": lambda connection, _: find_calls(connection, WantedCalls("no such"), None, 20, 500),
    "live calls among all": lambda connection, _: find_calls(connection, WantedCalls(outcome="live"), None, 20, 500),
    "the next page of calls": lambda connection, _: find_calls(connection, WantedCalls(), BLOCK, 20, 500),
    "how calls of a block ended": lambda connection, _: count_over_time(connection, Block(1, BLOCK, 1, 1), 60.0),
    "the newest recordings": lambda connection, _: find_recorded(connection, OPEN, 2**63 - 1, 20, 500),
    "recordings that are done": lambda connection, _: find_recorded(connection, DONE, 2**63 - 1, 20, 500),
    "older recordings that are done": lambda connection, _: find_recorded(connection, DONE, BLOCK, 20, 500),
    "a trace": lambda connection, _: lists.find_trace(connection, f"{FEW:032x}"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_takes_as_many_steps_at_a_few_calls_as_at_many(folders: list[Path], question: str) -> None:
    few, many = (steps(database, QUESTIONS[question]) for database in folders)
    assert few > 0
    assert many <= few * 1.1, "an index has a level more, at most"


def test_what_blocks_have_changed_is_known_by_a_row_for_each(folders: list[Path]) -> None:
    few, many = (steps(database, lambda connection, _: find_blocks(connection, float("-inf"))) for database in folders)
    assert many < few * MANY / FEW
    assert many < MANY / 20


def test_the_first_call_of_a_period_is_found_by_halving(folders: list[Path]) -> None:
    few, many = (steps(database, lambda connection, _: first_row(connection, 1e9)) for database in folders)
    assert many < few * 1.5


def test_erasing_a_call_looks_at_its_own_rows(folders: list[Path]) -> None:
    for database in folders:
        with closing(open_for_reading(database)) as connection:
            for sql, values in (*statements.overwrite_statements(1), *statements.erase_statements(1)):
                plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
                assert all(step.startswith("SEARCH") for step in plan), (sql, plan)


def steps(database: Path, question: Callable[[sqlite3.Connection, Path], object]) -> int:
    """Count the steps of SQLite's machine for a question."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    with closing(open_for_reading(database)) as connection:
        connection.set_progress_handler(count, 1)
        question(connection, database.parent)
    return counted
