"""Makes a store with a million calls in a minute or two: SQLite copies the turns of calls that a server took."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ivr.store.live import BLOCK

DAY = 86400.0
DAYS = 30.0
"Over which the calls are spread, up to now."
AT_ONCE = 20_000
"Calls of one statement."
RECORDED = 10
"One call in so many of those that are over has a recording of `AUDIO` bytes."
AUDIO = 8 * 1024

# A copy is the n-th call. Its id, and what the platform calls it, is a name that the load generator does not give.
_NAME = "printf('1%031x', n)"
_NUMBERS = f"""
    WITH RECURSIVE counted (n) AS (VALUES (:first) UNION ALL SELECT n + 1 FROM counted WHERE n < :last),
    numbers (n, new) AS MATERIALIZED (SELECT n, {_NAME} FROM counted)
"""
_CALLS = f"""
    INSERT INTO call (row, id, channel, account, name, ended) {_NUMBERS}
    SELECT n, new, channel, account, new, iif(ended IS NULL, NULL, :begins + n * :apart + 60)
    FROM numbers, call WHERE row = :copied
"""
_TURNS = f"""
    INSERT INTO turn (seq, call, state, rest, message, reply, marks, trace, media, audio) {_NUMBERS}
    SELECT :seq + (n - :first) * :turns + nth, n,
        replace(replace(replace(state, :id, new), :name, new), :started, '"started":' || (:begins + n * :apart)),
        CAST(replace(CAST(rest AS TEXT), :id, new) AS BLOB), message, reply, marks, trace,
        iif(nth = 1 AND n % :recorded = 0, new || '.wma', NULL),
        iif(nth = 1 AND n % :recorded = 0, zeroblob({AUDIO}), NULL)
    FROM numbers CROSS JOIN copied ORDER BY n, nth
"""
_COPIED = """
    CREATE TEMP TABLE copied AS
    SELECT row_number() OVER (ORDER BY seq) - 1 AS nth, state, rest, message, reply, marks, trace
    FROM turn WHERE call = :copied
"""


def fill(database: Path, number: int, *, live: bool) -> None:
    """Add so many calls, as copies of the last one that is live, or over. No server may have the file."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # the server turns its log on again
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        copied, identity, name, state = connection.execute(
            "SELECT row, call.id, name, state FROM call JOIN turn ON turn.call = row "
            f"WHERE (ended IS NULL) = ? AND call.id NOT GLOB '1{'0' * 20}*' ORDER BY seq DESC LIMIT 1",
            (live,),
        ).fetchone()
        connection.execute(_COPIED, {"copied": copied})
        begun = re.search(r'"started":[0-9.]+', state)
        assert begun is not None
        (row,) = connection.execute("SELECT max(row) FROM call").fetchone()
        values = {
            "copied": copied,
            "id": identity,
            "name": name,
            "started": begun[0],
            "apart": DAYS * DAY / number,
            "begins": time.time() - DAYS * DAY - row * DAYS * DAY / number,
            "recorded": 10**9 if live else RECORDED,
        }
        (values["turns"],) = connection.execute("SELECT count(*) FROM copied").fetchone()
        connection.execute("BEGIN")
        for first in range(row + 1, row + number + 1, AT_ONCE):
            (seq,) = connection.execute("SELECT max(seq) + 1 FROM turn").fetchone()
            part = values | {"first": first, "last": min(first + AT_ONCE - 1, row + number), "seq": seq}
            connection.execute(_CALLS, part)
            connection.execute(_TURNS, part)
        connection.execute(
            f"INSERT OR REPLACE INTO block SELECT row / {BLOCK}, count(*), count(*) FROM call GROUP BY 1"
        )
        connection.execute("COMMIT")
