"""A gateway in this process, for tests that call it."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from ivr.gateway.gateway_settings import GatewaySettings, load_gateway_settings
from ivr.gateway.running_gateway import RunningGateway, running_gateway
from ivr.media.recorder import wav
from ivr.media.sound import tone
from ivr.speech_settings import SpeechSettings
from tests.phone.fake_bot import FakeBot
from tests.waiting import PATIENCE

HELLO, OTHER, SORRY = tone(400, 0.3), tone(700, 0.3), tone(1100, 0.2)
"Samples of prompts, 16 kHz."
LONG = tone(400, 15.0) + tone(1500, 0.3)
"A prompt that nobody hears to its end who interrupts it, however busy the machine is."
FILES = {"hello.wav": wav(HELLO).data, "other.wav": wav(OTHER).data, "long.wav": wav(LONG).data}


def settings(bot: str, **flags: Any) -> GatewaySettings:
    """Return the settings of a gateway for tests: any free ports, and patience with a machine that is busy."""
    known = {
        "bot": bot,
        "sip": ("udp://127.0.0.1:0", "tcp://127.0.0.1:0"),
        "rtp": "30000-39999",
        "retry_time": PATIENCE,
        **flags,
    }
    return load_gateway_settings(flags=known).settings


@asynccontextmanager
async def gateway_to(
    bot: FakeBot | str, *, speech: SpeechSettings | None = None, **flags: Any
) -> AsyncIterator[RunningGateway]:
    """Run a gateway to a bot, with this voice and this ear."""
    url = bot if isinstance(bot, str) else bot.call
    async with running_gateway(settings(url, **flags), speech or SpeechSettings()) as running:
        yield running


def says(name: str, *, op: str = "say") -> dict[str, Any]:
    """Return a prompt that is a file of the fake bot."""
    return {"operationId": op, "action": "playPrompt", "prompts": [{"fileUri": f"BASE/files/{name}"}]}


def samples_and_rate(file: bytes) -> tuple[bytes, int]:
    """Return the samples of a WAV file, and how many there are a second."""
    with wave.open(BytesIO(file)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth()) == (1, 2)
        return reader.readframes(reader.getnframes()), reader.getframerate()


def apology(folder: Path) -> Path:
    """Write the sound that says that the bot is away."""
    file = folder / "sorry.wav"
    file.write_bytes(wav(SORRY).data)
    return file
