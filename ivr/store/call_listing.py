"""Calls in lists, whichever database has them: what a row of a list tells, without what is private in the call."""

import contextlib
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ivr.call_record import CallRecord, Stepped
from ivr.errors import UnreadableRow
from ivr.ports import CallKey
from ivr.storage import Block, CallSummary, CallTrace, StoredCall
from ivr.store.live import BLOCK
from ivr.store.rows import LATEST, read_public, read_trace

T = TypeVar("T")

PORTION, MOST = 32, 1024
"Calls that are read at a time where all are listed: a few at first, in case no more are wanted, then twice as many."
NEWEST = 2**63 - 1
"After the last row that can be."


async def in_portions(
    ask: Callable[[int, int], Awaitable[tuple[Sequence[T], int]]], start: int, *, most: int = MOST
) -> AsyncGenerator[Sequence[T], None]:
    """Ask for so many from the row of the last answer on (at first `start`), until there is no further row.

    An answer is what was found, and the row of the last of it. `most`: calls that are asked for at a time.
    """
    number, position = PORTION, start
    while True:
        found, last = await ask(position, number)
        if last == position:
            return
        yield found
        number, position = min(2 * number, most), last


def public_record(row: Sequence[Any]) -> CallRecord:
    """Read a call from its row: number, id, channel, account, name, state, rest. Raises UnreadableRow."""
    _, call, *name, state, rest = row
    record = read_public(CallKey(*name), state, rest)
    if record.id != call:
        raise UnreadableRow("its record belongs to another call")
    return record


def readable_records(rows: Iterable[Sequence[Any]]) -> list[CallRecord]:
    """Read calls as `public_record` does; those that cannot be read are left out."""
    calls = []
    for row in rows:
        with contextlib.suppress(UnreadableRow):  # `ivr calls damaged` names it
            calls.append(public_record(row))
    return calls


def stored_call(row: Sequence[Any], traces: Iterable[str]) -> StoredCall:
    """Read a call from its row, as `public_record` does, with the traces of its turns."""
    _, call, *_ = row
    try:
        return StoredCall(str(call), public_record(row), read_traces(traces))
    except UnreadableRow as error:
        return StoredCall(str(call), None, trouble=str(error))


def read_traces(traces: Iterable[str]) -> list[Stepped]:
    """Read the trace of a call from those of its turns; raise UnreadableRow."""
    return [line for trace in traces for line in read_trace(trace)]


def call_traces(turns: Iterable[tuple[int, str | None, str]]) -> Iterator[CallTrace]:
    """Read the traces of calls from their turns in order: the call's number, how it ended, the turn's trace.

    A call that cannot be read is left out.
    """
    for (_, ended), call in itertools.groupby(turns, key=lambda turn: (turn[0], turn[1])):
        try:
            trace = read_traces(lines for _, _, lines in call)
        except UnreadableRow:  # `ivr calls damaged` names it; the others are counted
            continue
        yield ended, trace


def rows_of(block: Block) -> tuple[int, int]:
    """Return the first row of a block, and the last one that may be there."""
    return block.first, (block.number + 1) * BLOCK - 1


def call_summary(identity: object, *, over: bool, state: Sequence[object], last: object, damaged: bool) -> CallSummary:
    """Return a row of a list of calls; what cannot be read of it is empty.

    `state` are members of the call's state: flow, channel, caller, called, time of the start, state, outcome, whether
    we placed it. `last`: when the last thing happened; None: nothing did.
    """
    flow, channel, caller, called, started, name, outcome, placed = state
    begun = time_of(started)
    return CallSummary(
        str(identity),
        str(flow or ""),
        str(channel or ""),
        None if caller is None else str(caller),
        str(called or ""),
        begun,
        time_of(last) or begun,
        str(name or ""),
        None if outcome is None else str(outcome),
        over,
        damaged=damaged,
        placed=bool(placed),
    )


def time_of(value: object) -> float:
    """Return a time; 0 for a value that is not a valid time."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= LATEST else 0.0
