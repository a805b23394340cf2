"""Calls to be damaged, for tests of any store: how they are made, and how what is damaged is found."""

from collections.abc import Sequence

from ivr.call_record import CallRecord
from ivr.storage import Archive, CallStore, DamagedCallRow
from tests.store.store_examples import SECRET, after, answered, line, record, recorded, request


async def three_calls(store: CallStore) -> Sequence[CallRecord]:
    """Begin three calls; each holds something private, has an answer that waits, and is owed another."""
    calls = []
    for name in "abc":
        commit = after(
            record(name, private=SECRET), line(), recorded(f"{name}.wma"),
            jobs=(request("1.1", sensitive=True), request("1.2")),
        )  # fmt: skip
        await store.commit(commit)
        await store.finish(commit.record.id, "1.1", answered("1.1"))
        calls.append(commit.record)
    return calls


async def found_in(archive: Archive, *, sealed: bool) -> Sequence[DamagedCallRow]:
    """Return what a command finds."""
    return [one async for portion in archive.damaged(sealed=sealed) for one in portion]
