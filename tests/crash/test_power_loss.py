"""The power goes: of each file only what was synced is left. What was acknowledged by then is there, and whole."""

import asyncio
import re
import shutil
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from ivr.call_record import REMEMBERED
from ivr.channels.skype.wire import MESSAGE_ID
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.turn_based import Press, Speak
from ivr.ports import CallKey
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_calls import SqliteStore
from tests.crash.disk import Disk, SystemCall, system_calls, traced
from tests.crash.process import Server
from tests.crash.town import LongRecordings, everybody_calls
from tests.crash.tracing import no_tracing
from tests.phone.calling import APP, Letter, Phone, Signer, phone_to
from tests.phone.people import QUICK
from tests.shipped_lines import FLOWS, shipped_lines

CALLS = 16
CUTS = 8
"How often the power goes."
_ID = re.compile(rb"\r\n" + MESSAGE_ID.encode() + rb": *([^\r\n]+)\r\n", re.IGNORECASE)


class Acknowledged:
    """Which messages were answered, as it is seen in the server's system calls."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._asked: dict[str, str] = {}
        "By connection: the id of the message that came last."

    def happens(self, call: SystemCall) -> bool:
        """Note what a system call tells; return whether it was an answer."""
        if call.name in {"read", "recvfrom", "recvmsg"} and (found := _ID.search(call.data)) is not None:
            self._asked[call.file] = found[1].decode()
        if call.name not in {"write", "writev", "sendto", "sendmsg"} or not call.data.startswith(b"HTTP/1.1 200"):
            return False
        if (message := self._asked.pop(call.file, None)) is None:
            return False
        self.ids.append(message)
        return True


async def test_what_was_acknowledged_before_the_power_went_is_there_and_whole(tmp_path: Path, signer: Signer) -> None:
    if reason := await no_tracing():
        pytest.skip(reason)
    trace = tmp_path / "trace"
    with DataFolder.open(tmp_path / "data"):
        disk = Disk(tmp_path / "data")
    async with shipped_lines(tmp_path / "flows") as settings:
        server = Server(tmp_path, signer, wrapper=traced(trace), flows=tmp_path / "flows", **settings)
        await server.start()
        async with phone_to(server.port, signer) as phone:
            await _calls(phone)
        await server.stop(signal.SIGTERM)
    letters = {letter.id: letter for letter in phone.letters}
    assert {letter.reply.status for letter in letters.values()} == {200}
    chance, cuts = Random(5), set(Random(7).sample(range(len(letters)), CUTS))
    told = Acknowledged()
    for call in system_calls(trace):
        disk.happens(call)
        if told.happens(call) and len(told.ids) in cuts:
            for number, seed in enumerate((None, chance.randrange(1 << 30))):
                image = tmp_path / f"image-{len(told.ids)}-{number}"
                disk.after_power_loss(image, seed=seed)
                await _all_there(image, [letters[one] for one in told.ids])
                shutil.rmtree(image)
    assert sorted(told.ids) == sorted(letters)


async def _calls(phone: Phone) -> None:
    """Let many call at once, and some leave long messages, which are files."""
    sound = Sound(SilentRenderer(), LongRecordings())
    town = phone.platform(phone.way, QUICK)
    flows = sorted(path.stem for path in FLOWS.glob("*.yaml"))
    await asyncio.gather(
        everybody_calls(town, flows, calls=CALLS, at_once=8, seed=3),
        *(phone.call(Speak("A long message."), Press("1"), flow="voicemail", sound=sound) for _ in range(3)),
    )


async def _all_there(folder: Path, letters: Sequence[Letter]) -> None:
    """Open what is left, and look for each message's reply and recording."""
    data = DataFolder(folder)
    store = await SqliteStore.open(data.database, seal_key=None, seal_file=data.seal_key)
    try:
        assert store.damaged == []
        for call, sent in _by_call(letters).items():
            record = await store.load(CallKey("skype", APP, call))
            assert record is not None
            for letter in sent[-REMEMBERED + 4 :]:  # later ones may be there, although they were not answered yet
                reply = record.replies[store.pseudonym(letter.id)]
                assert reply is not None
                assert reply.body == letter.reply.body
    finally:
        await store.close()
    with closing(sqlite3.connect(data.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = connection.execute("SELECT media, audio FROM turn WHERE media IS NOT NULL").fetchall()
    audio = {recording if recording is not None else (data.audio / media).read_bytes() for media, recording in kept}
    assert {letter.audio for letter in letters} - {None} <= audio


def _by_call(letters: Sequence[Letter]) -> Mapping[str, Sequence[Letter]]:
    found: dict[str, list[Letter]] = {}
    for letter in letters:
        found.setdefault(letter.json["id"], []).append(letter)
    return found
