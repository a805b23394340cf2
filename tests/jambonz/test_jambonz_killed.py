"""The server is killed (SIGKILL) in a call of jambonz: what it had acknowledged is there, and the call goes on."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from ivr.engine.events import OperationFailed, RecordingMade
from tests.crash.process import Server
from tests.jambonz.jambonz_line import BASE
from tests.jambonz.jambonz_world import SECRET, JambonzSide, JambonzWorld
from tests.jambonz.recording_house import heard, played, voice
from tests.kept_recordings import kept_recordings
from tests.phone.calling import Signer

FLOW = """\
flow: desk
initial: leave
on: {exhausted: bye, error: sorry, error.limit: bye}
states:
  leave: {record: {prompt: Speak., into: message}, next: review}
  review: {menu: {prompt: Press 1 to keep it., choices: {keep: {dtmf: "1"}}}, on: {keep: bye}}
  sorry: {menu: {prompt: Sorry. Press 1., choices: {again: {dtmf: "1"}}}, on: {again: leave}}
  bye: {say: Goodbye., final: true}
"""


class Killed:
    """A server in several lives, and jambonz's end of one call."""

    def __init__(self, folder: Path, server: Server, side: JambonzSide) -> None:
        self.folder, self.server, self.side = folder, server, side

    async def again(self) -> None:
        """Kill the server, and start it once more."""
        await self.server.stop(signal.SIGKILL)
        await self.server.start()


@pytest.fixture
async def killed(tmp_path: Path, signer: Signer) -> AsyncIterator[Killed]:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/desk.yaml").write_text(FLOW)
    account = {"IVR_JAMBONZ_WEBHOOK_SECRET": SECRET, "IVR_JAMBONZ_ACCOUNT_SID": BASE["account_sid"]}
    server = Server(tmp_path, signer, flows=tmp_path / "flows", **account)
    await server.start()
    async with aiohttp.ClientSession() as client:
        yield Killed(tmp_path, server, JambonzSide(server.port, client))
    await server.stop(signal.SIGKILL)


async def test_a_recording_that_was_confirmed_is_kept_and_its_step_answered(killed: Killed) -> None:
    side, said = killed.side, voice(5.0)
    await side.ring()
    await side.record(said)
    await killed.again()
    await side.post(side.verb("listen")["actionHook"])
    assert side.heard == ["Press 1 to keep it."]
    await killed.again()
    await side.press("1")
    assert side.heard == ["Goodbye."]
    [audio] = kept_recordings(killed.server.data).values()
    assert audio.endswith(said)


async def test_a_recording_that_was_cut_off_is_a_failure_of_the_line_and_the_caller_is_still_there(
    killed: Killed,
) -> None:
    side = killed.side
    await side.ring()
    async with side.socket() as socket:
        await played(socket, voice(2.0))
        await heard(socket)
        await killed.again()
    await side.post(side.verb("listen")["actionHook"])
    assert side.heard == ["Sorry. Press 1."]
    await side.press("1")
    await side.record(voice(1.0))
    await side.post(side.verb("listen")["actionHook"])
    assert side.heard == ["Press 1 to keep it."]
    _, trace = await JambonzWorld(killed.folder, []).call()
    assert [type(step.event) for step in trace if isinstance(step.event, OperationFailed | RecordingMade)] == [
        OperationFailed,
        RecordingMade,
    ]
