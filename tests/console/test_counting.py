"""Counting any number of calls, block by block: what is read again, what is not, and what the page says of it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import astuple, replace

from ivr.call_record import Commit, Stepped
from ivr.engine.events import CallEnded
from ivr.server.closings import Closings
from ivr.server.console.counting import Counted, Counts, ListedFlows
from ivr.server.console.figures import figures_of_call, sum_of
from ivr.server.console.flow_pages import Version, flow_page, flows_page
from ivr.store.data_folder import DataFolder
from ivr.store.live import BLOCK as SIZE
from ivr.store.rows import Rows
from ivr.store.sealing import Sealer
from ivr.store.sqlite.database_file import open_database
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.statements import erase_statements
from ivr.store.sqlite.writer import CHANGE_BLOCKS
from tests.console.test_console_pages import text
from tests.console.test_figures import FLOW, PROBLEM, RINGS, record, step
from tests.console.visiting import Visit

ROWS = Rows(Sealer(bytes(32), source="test"))
LEAVES = step(15.0, CallEnded("caller"), ("report", "hangup", "thanks"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "calls.db")) as connection:
        connection.execute("BEGIN")
        yield connection


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = SqliteArchive(DataFolder(tmp_path))
    yield archive
    await archive.close()


def put(database: sqlite3.Connection, row: int, *trace: Stepped, outcome: str | None = "resolved") -> None:
    """Write a call that came in at second `row`."""
    one = record(outcome, str(row))
    call = replace(one.call, facts=replace(one.call.facts, started=float(row)))
    ended = None if outcome is None else float(row)
    database.execute("INSERT INTO call VALUES (?, ?, ?, ?, ?, ?)", (row, one.id, *astuple(one.key), ended))
    add_turn(database, row, Commit(replace(one, call=call), trace))
    change_block(database, row, members=1)


def add_turn(database: sqlite3.Connection, row: int, commit: Commit) -> None:
    (seq,) = database.execute("SELECT coalesce(max(seq), 0) + 1 FROM turn").fetchone()
    turn = ROWS.turn(seq, row, commit, commit.record)
    database.execute(f"INSERT INTO turn VALUES ({', '.join('?' * len(turn))})", turn)


def change_block(database: sqlite3.Connection, row: int, *, members: int) -> None:
    database.execute(CHANGE_BLOCKS.format("(?, 1, ?)"), (row // SIZE, members))


def save(database: sqlite3.Connection) -> None:
    database.execute("COMMIT")
    database.execute("BEGIN")


async def test_every_call_of_the_period_is_counted_however_many_there_are(
    database: sqlite3.Connection, archive: SqliteArchive
) -> None:
    for row in range(1, 3 * SIZE + 1):
        put(database, row, RINGS, PROBLEM, *([LEAVES] if row % 3 == 0 else []))
    save(database)
    counts = Counts(archive)
    counted = await counts.figures(FLOW, float("-inf"))
    assert (counted.figures.calls, counted.pending) == (3 * SIZE, False)
    assert counted.figures.left == {"report": SIZE}
    assert counted.figures.arrows["main", "report"] == 3 * SIZE
    assert [(one.flow, one.calls, one.last) for one in (await counts.flows(float("-inf"))).flows] == [
        (FLOW.hash, 3 * SIZE, 3.0 * SIZE)
    ]


async def test_a_period_begins_with_the_first_call_since_then(
    database: sqlite3.Connection, archive: SqliteArchive
) -> None:
    for row in [1, 2, 4, 7, SIZE, SIZE + 5]:
        put(database, row, RINGS)
    save(database)
    counts = Counts(archive)
    for since, calls in ((0, 6), (1, 6), (1.5, 5), (4, 4), (5, 3), (SIZE, 2), (SIZE + 1, 1), (SIZE + 6, 0), (2, 5)):
        assert (await counts.figures(FLOW, since)).figures.calls == calls
        assert sum(one.calls for one in (await counts.flows(since)).flows) == calls


async def test_calls_of_another_flow_are_not_counted(database: sqlite3.Connection, archive: SqliteArchive) -> None:
    put(database, 1, RINGS)
    save(database)
    assert (await Counts(archive).figures(replace(FLOW, hash="other"), 0.0)).figures.calls == 0


async def test_what_changed_is_counted_again(database: sqlite3.Connection, archive: SqliteArchive) -> None:
    put(database, 1, RINGS, outcome=None)
    put(database, SIZE, RINGS)
    save(database)
    counts = Counts(archive)
    assert (await counts.figures(FLOW, 0.0)).figures.left == {}
    add_turn(database, 1, Commit(record(None, "1"), (LEAVES,)))
    change_block(database, 1, members=0)
    save(database)
    assert (await counts.figures(FLOW, 0.0)).figures.left == {"report": 1}
    for statement in erase_statements(SIZE):
        database.execute(*statement)
    save(database)
    assert (await counts.figures(FLOW, 0.0)).figures.calls == 1
    assert sum(one.calls for one in (await counts.flows(0.0)).flows) == 1


async def test_what_did_not_change_is_not_read_again(database: sqlite3.Connection, archive: SqliteArchive) -> None:
    put(database, 1, RINGS)
    put(database, SIZE, RINGS)
    save(database)
    counts = Counts(archive)
    await counts.figures(FLOW, 0.0)
    database.execute("UPDATE turn SET trace = 'nobody can read this' WHERE call = 1")
    put(database, SIZE + 1, RINGS)
    save(database)
    assert (await counts.figures(FLOW, 0.0)).figures.calls == 3


async def test_one_look_counts_so_many_and_the_next_goes_on(
    database: sqlite3.Connection, archive: SqliteArchive
) -> None:
    for row in [1, SIZE, 2 * SIZE]:
        put(database, row, RINGS)
    save(database)
    counts = Counts(archive, at_once=1)
    looks = [await counts.figures(FLOW, 0.0) for _ in range(4)]
    assert [(look.figures.calls, look.pending) for look in looks] == [(1, True), (2, True), (3, False), (3, False)]


async def test_one_look_lists_so_many_and_the_next_goes_on(
    database: sqlite3.Connection, archive: SqliteArchive
) -> None:
    for row in [1, SIZE, 2 * SIZE]:
        put(database, row, RINGS)
    save(database)
    counts = Counts(archive, listed_at_once=2)
    looks = [await counts.flows(0.0) for _ in range(2)]
    assert [(sum(one.calls for one in look.flows), look.pending) for look in looks] == [(2, True), (3, False)]


@pytest.mark.parametrize("pending", [True, False])
def test_the_list_of_flows_says_that_older_calls_are_not_counted_yet(pending: bool) -> None:
    assert (
        "Still counting calls." in flows_page([], {}, closings=Closings(Path("nowhere")), pending=pending)
    ) == pending


async def test_without_calls_there_is_nothing_to_count(database: sqlite3.Connection, archive: SqliteArchive) -> None:
    save(database)
    assert await Counts(archive).flows(float("-inf")) == ListedFlows([])
    assert (await Counts(archive).figures(FLOW, float("-inf"))).figures.calls == 0


async def test_blocks_come_the_newest_first(database: sqlite3.Connection, archive: SqliteArchive) -> None:
    put(database, 5, RINGS, PROBLEM)
    put(database, SIZE, RINGS)
    save(database)
    found = await archive.blocks(0.0)
    assert [(block.number, block.first) for block in found] == [(1, SIZE), (0, 0)]
    assert [one.calls for one in await archive.flows(found[1])] == [1]


async def test_the_page_of_a_flow_shows_more_calls_than_it_used_to_count(operator: Visit) -> None:
    caller = await operator.calls()
    await caller.leaves()
    with closing(sqlite3.connect(operator.data / "calls.db")) as database:
        for row in range(2, 5101):
            database.execute(
                "INSERT INTO call SELECT ?, printf('%032x', ?), channel, account, ?, ended FROM call WHERE row = 1",
                (row, row, f"copy-{row}"),
            )
            change_block(database, row, members=1)
            database.execute(
                "INSERT INTO turn (call, state, rest, marks, trace) "
                "SELECT ?, state, rest, marks, trace FROM turn WHERE call = 1 ORDER BY seq",
                (row,),
            )
        database.commit()
    page = text(await operator.see("/console/flows/desk?period=hour"))
    assert "Calls 5,100 " in page
    assert "Callers who hung up 5,100 (100 %)" in page
    assert 'data-column="Calls in 7 days" role="cell">5,100<' in await operator.see("/console/flows")


@pytest.mark.parametrize(
    ("pending", "said", "every"), [(True, "the newest 1 of 3; still counting", "2"), (False, "the newest 1 of 3", "10")]
)
def test_a_page_with_figures_of_some_calls_says_of_which(pending: bool, said: str, every: str) -> None:
    counted = Counted(sum_of([figures_of_call("resolved", [RINGS])], FLOW), pending)
    page = flow_page(FLOW, [Version(FLOW.hash, 3, 1.0, served=True)], counted, period="all", fault="")
    assert f"<dt>Calls</dt><dd>{said}</dd>" in page
    assert f'data-every="{every}"' in page
