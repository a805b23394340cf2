"""A turn that is missing, another call's or without its recording is found, although each row by itself can be read."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

import pytest
from msgspec.structs import replace

from ivr.store.sqlite.damaged import find_damaged
from tests.store.store_examples import after, line, recorded
from tests.store.store_examples import record as fresh
from tests.store.store_worlds import SqliteWorld

LINES = "lines of its trace are missing"
MIDDLE = "SELECT seq FROM turn WHERE call = 2 ORDER BY seq LIMIT 1 OFFSET 1"
TWICE = f"""
INSERT INTO turn SELECT 1000, call, state, rest, message, reply, marks, trace, media, audio FROM turn
WHERE seq = ({MIDDLE})
"""
CHANGES: Mapping[str, tuple[str, list[tuple[str, str]]]] = {
    "a turn in the middle is gone": (f"DELETE FROM turn WHERE seq = ({MIDDLE})", [("b", LINES)]),
    "the first turn is gone": (
        "DELETE FROM turn WHERE seq = (SELECT min(seq) FROM turn WHERE call = 2)",
        [("b", LINES)],
    ),
    "a turn belongs to another call": (
        f"UPDATE turn SET call = 3 WHERE seq = ({MIDDLE})",
        [("b", LINES), ("c", "one of its turns belongs to another call")],
    ),
    "a turn is there twice": (TWICE, [("b", LINES)]),
    "a trace is emptied": (f"UPDATE turn SET trace = '[]' WHERE seq = ({MIDDLE})", [("b", LINES)]),
    "a record is unreadable": (f"UPDATE turn SET rest = x'c1' WHERE seq = ({MIDDLE})", [("b", "its record has")]),
    "a recording lost its name": (
        "UPDATE turn SET media = NULL WHERE call = 2",
        [("b", "a recording has lost its name")],
    ),
    "a recording has another name": ("UPDATE turn SET media = x'ff' WHERE call = 2", [("b", "a recording has lost")]),
    "a recording is a text": ("UPDATE turn SET audio = 'PIECE' WHERE call = 2", [("b", "a recording has an invalid")]),
}


async def _three_calls(disk: SqliteWorld) -> None:
    """Let three calls take three turns each, in turn."""
    calls = {name: fresh(name) for name in "abc"}
    for steps in ([line()], [recorded("{}.wma"), line(2)], [line(3)]):
        for name, record in calls.items():
            named = [
                replace(step, event=replace(step.event, media=f"{name}.wma")) if hasattr(step.event, "media") else step
                for step in steps
            ]
            commit = after(record, *named)
            await disk.store.commit(commit)
            calls[name] = commit.record


@pytest.mark.parametrize("what", CHANGES)
async def test_what_is_missing_or_anothers_is_found(disk: SqliteWorld, what: str) -> None:
    await _three_calls(disk)
    await disk.store.close()
    sql, expected = CHANGES[what]
    with closing(sqlite3.connect(disk.database, isolation_level=None)) as connection:
        assert find_damaged(connection, 0, 9, None) == ([], 3)
        assert connection.execute(sql).rowcount > 0
        found = [(one.key.id, one.what) for one in find_damaged(connection, 0, 9, None)[0]]
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, said), (_, begins) in zip(found, expected, strict=True):
        assert said.startswith(begins)
        assert "PIECE" not in said
    await disk.open()
