"""Calls read back from their rows, whichever database has these: a call is as its turns say, or it is damaged."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from ivr.call_record import recordings_in
from ivr.engine.commands import Request
from ivr.engine.events import Event
from ivr.errors import BrokenSeal, DataUnusable, UnreadableRow
from ivr.ports import CallKey
from ivr.storage import DamagedCallRow
from ivr.store.live import Saved
from ivr.store.rows import SEALED_STATE, Rows, read_place, read_public, read_replies, read_request, read_trace

_ID = re.compile(r"[0-9a-f]{32}")


class StoredCallRow(Struct, frozen=True):
    """A row of the table of calls, as it stands."""

    row: int
    id: str
    channel: str
    account: str
    name: str
    ended: float | None

    @property
    def key(self) -> CallKey:
        """The platform's name for the call."""
        return CallKey(self.channel, self.account, self.name)


def read_call(rows: Rows | None, stored: StoredCallRow, turns: Sequence[Sequence[Any]]) -> Saved:
    """Read a call with its replies from its turns in order; raise DataUnusable if something of it cannot be read.

    Of each turn: message, reply, marks, state, rest; NULLs stand for no turn. Without `rows`, what is private in the
    call is not opened, and left out.
    """
    if not turns or turns[-1][2] is None:
        raise UnreadableRow("none of its turns is there")
    *_, state, rest = turns[-1]
    replies, last = read_replies(turns)
    if rows is not None:
        record = rows.read_record(stored.key, state, rest, replies, last)
    else:
        record = read_public(stored.key, state, rest)
    if record.id != stored.id:
        raise UnreadableRow("its record belongs to another call")
    return Saved(stored.row, record, any(turn[2] & SEALED_STATE for turn in turns))


def read_order(
    rows: Rows | None, call: str, body: str, attempts: object, answer: bytes | None
) -> tuple[Request, Event | None]:
    """Read an order of a call with its answer, if it has one; without `rows`, no answer. Raises DataUnusable."""
    request = rows.read_request(call, body) if rows is not None else read_request(body)
    if type(attempts) is not int:
        raise UnreadableRow("an order has an invalid number of attempts")
    if answer is None or rows is None:
        return request, None
    return request, rows.read_answer(call, request, answer)


def check_turns(call: str, turns: Iterable[tuple[bytes, str, object]]) -> None:
    """See whether all turns of a call are there, and none of another call; raise UnreadableRow.

    Of each turn, in order: rest, trace, media.
    """
    steps = 0
    taken: set[str] = set()
    named: set[object] = set()
    for rest, trace, media in turns:
        lines, (of_call, steps_then) = read_trace(trace), read_place(rest)
        steps += len(lines)
        if of_call != call:
            raise UnreadableRow("one of its turns belongs to another call")
        if steps_then != steps:
            raise UnreadableRow("lines of its trace are missing")
        taken.update(recordings_in(lines))
        named.add(media)
    if taken - named:
        raise UnreadableRow("a recording has lost its name")


def damaged_row(stored: StoredCallRow, error: DataUnusable) -> DamagedCallRow:
    """Return what is told of a call that cannot be read."""
    return DamagedCallRow(str(stored.id), stored.key, over=stored.ended is not None, what=what_is_damaged(error))


def what_is_damaged(error: DataUnusable) -> str:
    """Return what of a call cannot be read, and nothing of what stands there."""
    return "a sealed value cannot be opened" if isinstance(error, BrokenSeal) else str(error)


def printable_id(call: str) -> str:
    """Return a call's id as it may be shown: what stands in its place may be anything."""
    return call if _ID.fullmatch(str(call)) else "(unreadable)"
