"""What keeps a gateway from starting, each with what to do about it."""

from __future__ import annotations

import resource
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ivr.gateway.gateway_settings import GatewaySettings, load_gateway_settings
from ivr.gateway.running_gateway import running_gateway
from ivr.setting_sources import SettingsError
from ivr.speech_settings import SpeechSettings, load_speech_settings
from tests.gateway.calling_the_gateway import gateway_to
from tests.local_speech import empty_model

BOT = "http://127.0.0.1:9/call"


async def refused(**flags: Any) -> str:
    with pytest.raises(SettingsError) as error:
        async with gateway_to(BOT, **flags):
            pass
    return str(error.value)


async def test_a_bot_at_another_host_has_to_be_allowed() -> None:
    said = await refused(map=("*=http://192.0.2.1/call",))
    assert "192.0.2.1 is not this machine. To allow connections to it: --allow 192.0.2.1" in said
    async with gateway_to(BOT, map=("*=http://192.0.2.1/call",), allow="192.0.2.1") as gateway:
        assert gateway.plan.bot_for("x") == "http://192.0.2.1/call"


async def test_an_apology_that_cannot_be_heard_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sorry.wav"
    assert f"The apology {file} cannot be read: No such file" in await refused(apology=str(file))
    file.write_bytes(b"none")
    assert f"The apology {file} cannot be played" in await refused(apology=str(file))


async def test_an_address_that_is_taken_is_named_with_the_flag_for_another() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        assert f"SIP cannot be taken at {address}: Address already in use. Other addresses: --sip" == await refused(
            sip=address
        )
    with socket.create_server(("127.0.0.1", 0)) as server:
        status = f"127.0.0.1:{server.getsockname()[1]}"
        said = await refused(status=status)
    assert said.startswith(f"IVR_GATEWAY_STATUS: {status} cannot be had: Address already in use")


async def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    file.write_text("none")
    said = await refused(sip="tls://127.0.0.1:0", tls_certificate=str(file))
    assert said.startswith("SIP cannot be taken at tls://127.0.0.1:0: ")


async def test_too_few_open_files_are_told_with_how_many_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 512))
    said = await refused(calls=300)
    assert "`ulimit -n` allows 512 open files, and 300 calls take 1000. Raise it (LimitNOFILE= in systemd)" in said


async def test_voice_and_ear_are_set_by_the_settings_of_speech_in_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('calls = 7\nvoice = "openai"\n')
    loaded = load_gateway_settings(file=file, also=SpeechSettings.model_fields)
    speech = load_speech_settings(file=file, also=GatewaySettings.model_fields)
    assert (loaded.settings.calls, speech.settings.voice) == (7, "openai")
    with pytest.raises(SettingsError, match="IVR_VOICE_KEY"):
        async with running_gateway(loaded.settings, speech.settings):
            pass
    file.write_text("cals = 7\n")
    with pytest.raises(SettingsError, match=r"Did you mean calls\?"):
        load_gateway_settings(file=file, also=SpeechSettings.model_fields)


@pytest.mark.skipif(find_spec("faster_whisper") is None, reason="faster-whisper is not installed")
async def test_a_model_that_cannot_be_loaded_is_told_before_any_call(tmp_path: Path) -> None:
    speech = SpeechSettings(stt="whisper", whisper_model=empty_model(tmp_path))
    with pytest.raises(SettingsError, match="the Whisper model cannot be loaded"):
        async with gateway_to(BOT, speech=speech):
            pass
