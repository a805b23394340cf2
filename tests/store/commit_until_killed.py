"""A server that commits calls full of secrets, says so line by line, and never ends by itself."""

import asyncio
import sys
from pathlib import Path

from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_calls import SqliteStore
from tests.store.store_examples import SECRET, after, answered, line, record, request


async def calls(store: SqliteStore, caller: int) -> None:
    for number in range(1_000_000):
        commit = after(record(f"{caller}-{number}", private=SECRET), line(), jobs=(request("1.1", sensitive=True),))
        await store.commit(commit)
        await store.finish(commit.record.id, "1.1", answered("1.1", SECRET))
        for _ in range(3):
            print(commit.record.key.id, commit.record.version, flush=True)
            commit = after(commit.record, line())
            await store.commit(commit)


async def main() -> None:
    folder = DataFolder.open(Path(sys.argv[1]))
    store = await SqliteStore.open(folder.database, seal_key=None, seal_file=folder.seal_key)
    await asyncio.gather(*(calls(store, caller) for caller in range(8)))


asyncio.run(main())
