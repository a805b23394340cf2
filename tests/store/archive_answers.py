"""Everything that an archive tells, as plain data, so that two of them can be compared."""

from collections.abc import AsyncGenerator, Sequence
from typing import TypeVar

from ivr.storage import Archive
from tests.store.store_examples import key, record

T = TypeVar("T")


async def archive_answers(archive: Archive, names: str = "abc") -> dict[str, object]:
    """Ask everything of an archive with calls of these names.

    Of how often a block has changed nothing is told, and none is told of that has no calls any more.
    """
    ids = [record(name).id for name in names]
    blocks = [block for block in await archive.blocks(0.0) if await archive.flows(block)]
    return {
        "ids": [list(await archive.find(beginning)) for beginning in ("", "0", ids[0], "z")],
        "named": [await archive.named(key(name)) for name in names],
        "records": [await archive.call(call) for call in ids],
        "traces": [list(await archive.trace(call)) for call in ids],
        "recent": await all_of(archive.recent()),
        "stored": [(one.id, one.record, list(one.trace)) for one in await all_of(archive.stored())],
        "damaged": await all_of(archive.damaged(sealed=await archive.opens_seals())),
        "live": [list(await archive.live(limit=limit)) for limit in (1, 9)],
        "finished": [list(await archive.finished(since=since, limit=limit)) for since, limit in ((0.0, 9), (9.0, 1))],
        "numbers": (await archive.count("all"), await archive.count("live")),
        "blocks": [(block.number, block.first) for block in blocks],
        "flows": [list(await archive.flows(block)) for block in blocks],
        "figures": [
            await archive.figures(block, flow.flow, lambda calls: [(ended, list(trace)) for ended, trace in calls])
            for block in blocks
            for flow in await archive.flows(block)
        ],
        "sources": [await archive.flow(name) for name in names],
    }


async def all_of(portions: AsyncGenerator[Sequence[T], None]) -> list[T]:
    """Return all that comes in portions."""
    return [one async for portion in portions for one in portion]
