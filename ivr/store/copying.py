"""Copying a whole store into an empty one, of whichever driver: calls in progress go on there where they stand.

Each portion is written together with the place up to which it was read, so a copy that was cut off goes on from there.
At the end all of both stores is read again and compared by a hash, and only then can the new one be served.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from hashlib import blake2b
from typing import Any, Final

from msgspec import Struct, msgpack

from ivr.errors import DataUnusable
from ivr.store.copied_tables import TABLES, CopiedTable, CopySource, CopyTarget

RECORDINGS: Final = "recording"
"What recordings are called beside the tables."


class Told(Struct, frozen=True):
    """How far a copy has come."""

    what: str
    "A table, or recordings."
    done: int
    total: int | None
    "None: that is not known."
    checking: bool = False
    "Whether it is being compared."


class Digest(Struct, frozen=True):
    """What a table holds: two that are equal hold the same."""

    rows: int
    hash: bytes


async def copy_store(source: CopySource, target: CopyTarget, tell: Callable[[Told], None]) -> dict[str, int]:
    """Copy all, compare it, and let servers use the target; return how many rows of each table, and recordings.

    Raises DataUnusable if the target holds something else at the end, StoreUnavailable where one of both cannot be
    used: then the same copy can be asked for again, and goes on.
    """
    await target.begin(source.name)
    for table in TABLES:
        await _copy_rows(source, target, table, tell)
    await _copy_recordings(source, target, tell)
    counted = await _compare(source, target, tell)
    await target.finish()
    return counted


async def _copy_rows(source: CopySource, target: CopyTarget, table: CopiedTable, tell: Callable[[Told], None]) -> None:
    total, done = await source.count(table), await target.count(table)
    tell(Told(table.name, done, total))
    async with aclosing(source.portions(table, target.place(table.name))) as portions:
        async for portion in portions:
            await target.add(table, portion)
            done += len(portion.rows)
            tell(Told(table.name, done, total))


async def _copy_recordings(source: CopySource, target: CopyTarget, tell: Callable[[Told], None]) -> None:
    place = target.place(RECORDINGS)
    after, done = str(place[0]) if place else "", 0
    tell(Told(RECORDINGS, done, None))
    async with aclosing(source.recordings(after)) as portions:
        async for portion in portions:
            for recording in portion:
                await target.add_recording(recording, source.pieces(recording.name))
                done += 1
            tell(Told(RECORDINGS, done, None))


async def _compare(source: CopySource, target: CopyTarget, tell: Callable[[Told], None]) -> dict[str, int]:
    counted = {}
    for table in TABLES:
        tell(Told(table.name, 0, None, checking=True))
        counted[table.name] = _same(table.name, *await _both(digest_rows(source, table), digest_rows(target, table)))
    tell(Told(RECORDINGS, 0, None, checking=True))
    counted[RECORDINGS] = _same(RECORDINGS, *await _both(digest_recordings(source), digest_recordings(target)))
    return counted


async def _both(*reading: Coroutine[Any, Any, Digest]) -> list[Digest]:
    """Read both at the same time; if one cannot be read, the other is read no further."""
    tasks = [asyncio.create_task(one) for one in reading]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _same(what: str, source: Digest, target: Digest) -> int:
    if source != target:
        raise DataUnusable(
            f"The copy differs from what was copied: {what}, {target.rows} rows instead of {source.rows}, or others. "
            "Was the source served since the copy began? Nothing of it was changed by the copy. "
            "Begin anew with an empty target."
        )
    return source.rows


async def digest_rows(store: CopySource, table: CopiedTable) -> Digest:
    """Read all of a table."""
    whole, rows = blake2b(digest_size=32), 0
    async with aclosing(store.portions(table, ())) as portions:
        async for portion in portions:
            for row in portion.rows:
                whole.update(msgpack.encode(table.compared(row)))
            rows += len(portion.rows)
    return Digest(rows, whole.digest())


async def digest_recordings(store: CopySource) -> Digest:
    """Read all recordings that are in no row."""
    whole, number = blake2b(digest_size=32), 0
    async with aclosing(store.recordings("")) as portions:
        async for portion in portions:
            for recording in portion:
                one = blake2b(digest_size=32)
                async with aclosing(store.pieces(recording.name)) as pieces:
                    async for piece in pieces:
                        one.update(piece)
                whole.update(msgpack.encode((recording.name, one.digest())))
                number += 1
    return Digest(number, whole.digest())
