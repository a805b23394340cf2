"""Everything that a whole call needs besides the server: flows, a data folder, and a phone that the server believes."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ivr.call_record import CallRecord, Stepped
from ivr.ports import CallKey
from ivr.server.assembly import running
from ivr.server.listener import Listener
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from ivr.store.sqlite.sqlite_calls import SqliteStore
from tests.kept_recordings import kept_recordings
from tests.phone.calling import APP, Phone, Signer, phone_to
from tests.server.harness import Way

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu:
      prompt: Press 1 to leave a message.
      choices:
        message: {dtmf: "1", speech: [message]}
      noMatch: That is no choice.
    on: {message: report}
  report:
    record:
      prompt: Speak after the beep.
      transcribe: true
      holdPrompt: One moment please.
      into: problem
    next: thanks
    on: {error.transcribe: thanks}
  thanks:
    say: "Thank you. We heard {{ problem.transcript or 'your recording' }}. Goodbye."
    final: true
  bye: {say: Goodbye., final: true}
"""


class World:
    """A data folder, flows and whom to believe, between servers."""

    listener: Listener
    "The port of the server that was started last."

    def __init__(self, folder: Path, signer: Signer, *, way: Way = "short") -> None:
        """Serve in this folder, and believe this signer; `way` is the one that plain requests take."""
        self.folder, self.signer, self.way = folder, signer, way
        self.flows = folder / "flows"
        self.flows.mkdir()
        (self.flows / "desk.yaml").write_text(DESK)
        self.script({"text": "my flight was late", "confidence": 0.9})

    def script(self, line: Mapping[str, object]) -> None:
        (self.folder / "script.json").write_text(json.dumps({"*": line}))

    @asynccontextmanager
    async def server(self, **changed: Any) -> AsyncIterator[Phone]:
        """Serve with the token check on, and give a phone to call with."""
        chosen: dict[str, Any] = {
            **self.signer.settings,
            "port": 0,
            "data": self.folder / "data",
            "stt": "scripted",
            "stt_script": self.folder / "script.json",
            **changed,
        }
        async with running(Settings(**chosen), [self.flows], dev=False, short=self.way == "short") as server:
            self.listener = server.listener
            port = int(server.url.rpartition(":")[2])
            async with phone_to(port, self.signer) as phone:
                yield phone

    @property
    def audio(self) -> list[Path]:
        """The files in the folder of recordings."""
        return sorted((self.folder / "data" / "audio").iterdir())

    @property
    def recordings(self) -> dict[str, bytes]:
        """All recordings by name, those in the rows and those that are files."""
        return kept_recordings(self.folder / "data")

    async def calls(self) -> Sequence[CallRecord]:
        """Look at all calls, while a server runs."""
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            return [one.record async for portion in archive.stored() for one in portion if one.record is not None]
        finally:
            await archive.close()

    async def look(self, call: str) -> tuple[CallRecord, list[Stepped]]:
        """Look into the store while no server has it."""
        with DataFolder.open(self.folder / "data") as folder:
            store = await SqliteStore.open(folder.database, seal_key=None, seal_file=folder.seal_key)
            record = await store.load(CallKey("skype", APP, call))
            assert record is not None
            await store.close()
            archive = SqliteArchive(folder)
            trace = await archive.trace(record.id)
            await archive.close()
        return record, list(trace)
