"""Serves the orders of a data folder with the service `fetch` alone: `ADDRESS FOLDER`, until it is killed."""

import asyncio
import sys
from pathlib import Path

from ivr.engine.commands import FETCH
from ivr.ports import CallKey
from ivr.server.jobs import Worker
from ivr.services.platform_api import PlatformApi
from ivr.services.recording_fetch import RecordingFetch
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_store


async def main(base: str, folder: Path) -> None:
    with DataFolder.open(folder) as data:
        opened = await open_store(StoreLocation(data))
        api = PlatformApi(base, "Bearer secret")
        worker = Worker(opened.calls, {FETCH: RecordingFetch({"sim": api}, opened.recordings, largest=1 << 24)})

        async def wake(_: CallKey) -> None:
            print("answered", flush=True)

        worker.start(wake)
        print("serving", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
