"""However many messages come, from whom and how often, the rows of a call give back its replies to the byte."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.call_record import REMEMBERED, CallRecord, Commit
from ivr.ports import WebhookReply
from ivr.store.rows import Rows
from ivr.store.sealing import Sealer
from ivr.store.sqlite import statements
from ivr.store.sqlite.tables import TABLES
from tests.store.store_examples import ODD_REPLY, REPLY, after, line, record

REPLIES = [REPLY, ODD_REPLY, *(WebhookReply(status) for status in range(201, 208))]
ROWS = Rows(Sealer(bytes(32), source="test"))
SELDOM = st.integers(0, 9).map(lambda n: n == 0)
TURNS = st.lists(
    st.tuples(
        st.integers(-1, REMEMBERED + 6).map(lambda n: str(n) if n >= 0 else None),
        st.none() | st.sampled_from(REPLIES),
        SELDOM,
        SELDOM,
    ),
    min_size=REMEMBERED,
    max_size=60,
)


def turn(before: CallRecord, message: str | None, reply: WebhookReply | None, *, told: bool, traced: bool) -> Commit:
    """A turn that answers a message, or tells the line something else; `told`: its reply is the last one."""
    commit = after(before, *([line()] if traced else []), message=message, reply=reply)
    last = reply or before.last if told else before.last
    return replace(commit, record=replace(commit.record, last=last))


def stored(
    connection: sqlite3.Connection, turns: Sequence[tuple[str | None, WebhookReply | None, bool, bool]]
) -> CallRecord:
    """Write turns as the store does, and return the record that the last of them left."""
    now = record("a")
    connection.execute("INSERT INTO call VALUES (1, ?, ?, ?, ?, NULL)", (now.id, "skype", "app", "a"))
    for seq, (message, reply, told, traced) in enumerate(turns, 1):
        before = now if seq > 1 else None
        commit = turn(now, message, reply, told=told, traced=traced or seq == 1)
        row = ROWS.turn(seq, 1, commit, before)
        connection.execute(f"INSERT INTO turn VALUES ({', '.join('?' * len(row))})", row)
        for statement in statements.turn_statements(ROWS, commit, row, before, (), sealed=False):
            connection.execute(*statement)
        now = commit.record
    return now


@settings(deadline=None, max_examples=60)
@given(TURNS)
def test_a_call_has_the_replies_that_its_turns_wrote(
    turns: list[tuple[str | None, WebhookReply | None, bool, bool]],
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        left = stored(connection, turns)
        found = statements.find_call(connection, ROWS, left.key)
        assert found is not None
        assert found.record == left
        assert list(found.record.replies.items()) == list(left.replies.items())
        silent = "SELECT count(DISTINCT message) FROM turn WHERE trace = '[]'"
        assert connection.execute(silent).fetchone()[0] <= REMEMBERED + 1, "one may tell the last reply"
