"""A server in development and a played carrier need no settings: what is recorded is fetched, on this machine alone."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr import trial_carrier
from ivr.cli.phone.carrier_flags import CarrierFlags
from ivr.cli.phone.twiml_line import twiml_line
from ivr.coordination import LocalCoordination
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.news import LocalNews
from ivr.phone.callers.turn_based import TurnBased
from ivr.server.assembly import running
from ivr.server.plugs.plug import Source, Surroundings
from ivr.server.plugs.twiml import SOURCES
from ivr.server.recording_links import RecordingLinks
from ivr.settings import Settings, SettingsError
from ivr.store.data_folder import DataFolder
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_mailbox import MemoryMailbox
from tests.crash.test_twiml_killed import Keeper
from tests.free_ports import free_port
from tests.kept_recordings import kept_recordings
from tests.twiml.test_twiml_server import MESSAGE


@pytest.mark.parametrize("name", ["twilio", "telnyx"])
async def test_a_recording_of_a_played_carrier_is_fetched(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_carrier, "PORT", free_port())
    (tmp_path / "desk.yaml").write_text(MESSAGE)
    async with running(Settings(port=0, data=tmp_path / "data"), [tmp_path / "desk.yaml"], dev=True) as server:
        flags = CarrierFlags(name, bot=f"{server.url}/{name}/call/desk", allowed=("127.0.0.1",))
        async with twiml_line(flags) as line:
            sound = Sound(SilentRenderer(), Recorder(encodes=False))
            ended = await line.place(TurnBased(Keeper(), sound))
    assert (ended.by, line.findings) == ("bot", [])
    assert len(kept_recordings(tmp_path / "data")) == 1


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_that_carrier_is_for_development_alone(source: Source) -> None:
    links = RecordingLinks("https://ivr.example", b"k" * 32)
    folder, mailbox = DataFolder(Path("none")), MemoryMailbox(MemoryStore())
    shared = mailbox, LocalNews(), LocalCoordination(time.time)
    here = Surroundings("https://ivr.example", "", links, b"t" * 32, folder, True, False, *shared)
    assert repr(source.make(Settings(), here).api) == "PlatformApi(127.0.0.1)"
    with pytest.raises(SettingsError):
        source.make(Settings(), replace(here, dev=False))
