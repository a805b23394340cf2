"""baresip, Debian's, as a telephone: its keyboard is a socket (ctrl_tcp), its microphone a file, its ear another.

It speaks what a WAV file has (aufile; another file while it speaks, by `ausrc`), and writes down what it sends and what
it hears, frame by frame (sndfile). A player has to pull the sound through: aubridge does, which plays to nobody.
"""

from __future__ import annotations

import asyncio
import json
import wave
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.free_ports import free_port
from tests.sip_peers.listening import Levels, Listener, resampled
from tests.sip_peers.programs import PATIENCE, Program, program
from tests.waiting import until

RATES = {"PCMU": (8000, 1), "PCMA": (8000, 1), "G722": (16000, 1), "opus": (48000, 2)}
"Samples a second and channels of each codec, as baresip counts them."
LONGEST = 120.0
"Seconds of a call; then its microphone is over."
_HEADER = 44
"Bytes of a WAV file before its samples."

Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True)
class Phone:
    """How baresip is set up."""

    user: str
    transport: Transport = "udp"
    codec: str = "PCMU"
    encrypted: bool = False
    "SRTP, and no call without it."
    password: str = ""

    @property
    def address(self) -> str:
        rate, channels = RATES[self.codec]
        parts = [
            f"<sip:{self.user}@127.0.0.1;transport={self.transport}>",
            "regint=0",
            f"audio_codecs={self.codec}/{rate}/{channels}",
            *(["mediaenc=srtp-mand"] if self.encrypted else []),
            *([f"auth_user={self.user}", f'auth_pass="{self.password}"'] if self.password else []),
        ]
        return ";".join(parts)


@asynccontextmanager
async def baresip(phone: Phone, folder: Path, *, authority: Path | None = None) -> AsyncIterator[Baresip]:
    """Run it, with a folder of its own; `authority` is who is believed over TLS."""
    port = free_port(count=16)  # SIP and SIP over TLS, the keyboard, sound
    rate, channels = RATES[phone.codec]
    folder.mkdir()
    _write(folder / "quiet.wav", b"", rate, channels)
    (folder / "contacts").touch()
    (folder / "accounts").write_text(phone.address + "\n")
    (folder / "config").write_text(_configuration(port, folder, authority))
    path = program("baresip")
    assert path
    process = Program(path, "-f", str(folder), folder=folder)
    try:
        await asyncio.to_thread(process.said, "baresip is ready")
        reader, writer = await asyncio.open_connection("127.0.0.1", port + 2)
        one = Baresip(port, folder, rate, channels, reader, writer)
        try:
            yield one
        except AssertionError as error:
            said = [line for line in process.lines if line.strip() and "(bit/s)" not in line]
            raise AssertionError("\n".join([str(error), f"{phone.user}:", *said[-30:]])) from error
        finally:
            await one.close()
    finally:
        process.stop()


class Baresip:
    """A phone, and the one call that it makes or takes."""

    def __init__(
        self,
        port: int,
        folder: Path,
        rate: int,
        channels: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.port = port
        "Where it is called, by UDP and TCP."
        self._folder, self._rate, self._channels = folder, rate, channels
        self._reader, self._writer = reader, writer
        self._events: list[dict[str, Any]] = []
        self._happened = asyncio.Condition()
        self._ear, self._mouth = Listener(rate), Listener(rate)
        self._read: dict[Path, int] = {}
        self._tasks = [asyncio.create_task(self._follow_events()), asyncio.create_task(self._follow_files())]

    async def dials(self, uri: str) -> None:
        """Call, and wait for the answer."""
        await self._orders("dial", uri)
        await self._sees("CALL_ESTABLISHED")

    async def rings(self) -> None:
        """Wait until it is called."""
        await self._sees("CALL_INCOMING")

    async def accepts(self) -> None:
        """Answer the call."""
        await self._orders("accept")
        await self._sees("CALL_ESTABLISHED")

    async def hangs_up(self) -> None:
        """End the call, or decline it."""
        await self._orders("hangup")

    async def hears(self, *wanted: Levels) -> tuple[int, float]:
        """Wait until one of these was said; return which, and how like it was."""
        return await self._ear.hears(*wanted)

    async def says(self, samples: bytes) -> None:
        """Speak 16 kHz samples, and return when they were sent."""
        _write(self._folder / "words.wav", resampled(samples, 16000, self._rate), self._rate, self._channels)
        await self._orders("ausrc", "aufile,words.wav")
        await self._mouth.hears(Levels.of(samples, 16000))

    async def presses(self, keys: str) -> None:
        """Press keys, one after the other."""
        await self._orders("sndcode", keys)

    async def holds(self) -> None:
        """Put the line on hold, and take it back."""
        for order in ("hold", "resume"):
            seen = len(self._events)
            await self._orders(order)
            await self._sees("CALL_REMOTE_SDP", after=seen)

    async def left_alone(self) -> None:
        """Wait until the other side has hung up."""
        await self._sees("CALL_CLOSED")

    async def close(self) -> None:
        """Leave nothing running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()

    async def _orders(self, command: str, parameters: str = "") -> None:
        data = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(data), data))  # a netstring
        await self._writer.drain()

    async def _sees(self, kind: str, *, after: int = 0) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((event for event in self._events[after:] if event.get("type") == kind), None)

        async with asyncio.timeout(PATIENCE), self._happened:
            while (event := found()) is None:
                closed = next((event for event in self._events if event.get("type") == "CALL_CLOSED"), None)
                assert closed is None, f"the call is over: {closed['param']}" if closed else ""
                await self._happened.wait()
            return event

    async def _follow_events(self) -> None:
        while size := await self._reader.readuntil(b":"):
            data = await self._reader.readexactly(int(size[:-1]) + 1)
            async with self._happened:
                self._events.append(json.loads(data[:-1]))
                self._happened.notify_all()
            if self._events[-1].get("type") == "CALL_CLOSED":
                self._ear.hung_up()

    async def _follow_files(self) -> None:
        await until(self._new_sound, within=self._folder, patience=LONGEST)

    def _new_sound(self) -> bool:
        for kind, listener in (("dec", self._ear), ("enc", self._mouth)):
            for path in sorted(self._folder.glob(f"dump-*-{kind}.wav")):
                read = self._read.get(path, _HEADER)
                with path.open("rb") as file:
                    file.seek(read)
                    data = file.read()
                whole = data[: len(data) - len(data) % (2 * self._channels)]
                self._read[path] = read + len(whole)
                listener.hear(array("h", whole)[:: self._channels].tobytes())
        return False


def _configuration(port: int, folder: Path, authority: Path | None) -> str:
    modules = ("uuid", "account", "g711", "g722", "opus", "srtp", "aubridge", "aufile", "sndfile")
    lines: Sequence[str] = [
        "module_path /usr/lib/baresip/modules",
        "net_interface 127.0.0.1",
        f"sip_listen 127.0.0.1:{port}",
        *([f"sip_cafile {authority}", "sip_verify_server yes"] if authority else []),
        "audio_source aufile,quiet.wav",
        "audio_player aubridge,nobody",
        f"snd_path {folder}",
        f"ctrl_tcp_listen 127.0.0.1:{port + 2}",
        f"rtp_ports {port + 4}-{port + 15}",
        "jitter_buffer_delay 10-60",  # frames: a busy machine brings sound late
        "audio_buffer 200-2000",  # ms
        *(f"module_tmp {name}.so" for name in modules[:2]),
        *(f"module {name}.so" for name in modules[2:]),
        "module_app ctrl_tcp.so",
        "module_app menu.so",
    ]
    return "\n".join(lines) + "\n"


def _write(path: Path, samples: bytes, rate: int, channels: int) -> None:
    """Write samples, and silence for the rest of the call: at its end baresip would hang up."""
    if channels == 2:
        samples = b"".join(samples[at : at + 2] * 2 for at in range(0, len(samples), 2))
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(samples + bytes(round(LONGEST * rate) * 2 * channels))
