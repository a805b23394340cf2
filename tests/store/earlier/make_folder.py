"""Make a data folder with calls in every state: by any version of the server, from outside, with the phone.

    python -m tests.store.earlier.make_folder CODE [CODE …] FOLDER

Each CODE is a checkout of the project, the oldest first; each serves the folder in turn, as releases do, and the last
is killed. One CODE alone gets few calls. What is written is listed in README.md beside this file.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.engine.commands import RecordingFormat
from ivr.media.sound import BYTES_A_SECOND, EncodedRecording, SilentRenderer, Sound
from ivr.phone.callers.turn_based import CallerAction, Press, Speak
from ivr.phone.net.post import Post, Reply
from ivr.settings import variable
from tests.free_ports import free_port
from tests.phone.calling import PUBLIC, Phone, Signer, phone_to
from tests.phone.fake_bot import Told

SMALL, LARGE = 900, 70_000
"Bytes of recordings: with room to spare below and above 64 KB."
KEPT = {"small": SMALL, "large": LARGE, "slow": SMALL + 1, "endless": SMALL + 2, "endless-held": SMALL + 3}


def audio(name: str) -> bytes:
    """Return a recording that can be found again, and takes little room in a repository."""
    return (f"audio of {name}. ".encode() * (KEPT[name] // 10))[: KEPT[name]]


class Named:
    """An `Encoder` of recordings with a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def encode(self, samples: bytes, form: RecordingFormat, rate: int = 16_000) -> EncodedRecording | None:
        return EncodedRecording(audio(self._name), form, len(samples) / BYTES_A_SECOND) if samples else None


class Line:
    """A `Post` that notes what it carries, and after so many messages nothing goes through any more."""

    def __init__(self, way: Post, name: str, letters: list[dict[str, Any]], *, lets: int, overtakes: bool) -> None:
        self.stopped = asyncio.Event()
        self._way = way
        self._name = name
        self._letters = letters
        self._lets = lets
        self._overtakes = overtakes

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        told = Told(url, headers, data)
        if self._overtakes and told.audio is not None:  # the end is told apart, and the recording never comes
            end = {"id": told.json["id"], "type": "callStateChange", "currentState": "terminated"}
            data, self._lets = json.dumps(end).encode(), 1
            headers = {**headers, "Content-Type": "application/json"}
            told = Told(url, headers, data)
        if self._lets == 0:
            self.stopped.set()
            await asyncio.Event().wait()
        self._lets -= 1
        letter: dict[str, Any] = {
            "call": self._name, "path": url.removeprefix(PUBLIC), "id": headers[MESSAGE_ID], "json": told.json,
            "audio": next((name for name in KEPT if audio(name) == told.audio), None), "status": None, "reply": None,
        }  # fmt: skip
        self._letters.append(letter)
        reply = await self._way.send(url, data, headers, answer_time=answer_time, most=most)
        letter["status"], letter["reply"] = reply.status, reply.body.decode()
        return reply


class Folder:
    """The data folder while it is made."""

    def __init__(self, path: Path, signer: Signer) -> None:
        self.path = path
        self.letters: list[dict[str, Any]] = []
        self._signer = signer
        self._busy: list[asyncio.Task[Any]] = []
        script = {sha256(audio("slow")).hexdigest(): 2.6} | {
            sha256(audio(name)).hexdigest(): 3600.0 for name in ("endless", "endless-held")
        }
        heard = {"text": "my flight was late", "confidence": 0.9}
        self.script = path.with_suffix(".script")
        self.script.write_text(
            json.dumps({"*": {**heard, "delay": 0.02}, **{key: {**heard, "delay": at} for key, at in script.items()}})
        )

    def environment(self, code: Path) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("IVR_")},
            **{variable(name): value for name, value in self._signer.settings.items()},
            "PYTHONPATH": str(code),
            "IVR_DATA": str(self.path),
            "IVR_STT": "scripted",
            "IVR_STT_SCRIPT": str(self.script),
        }

    async def serve(self, code: Path, flows: Path, port: int) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr", "serve", str(flows), "--port", str(port)),
            env=self.environment(code), cwd=code, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert b"Serving" in await process.stdout.readline()
        return process

    async def call(
        self,
        phone: Phone,
        name: str,
        flow: str,
        *actions: CallerAction | None,
        lets: int = -1,
        overtakes: bool = False,
        recorded: str = "small",
    ) -> None:
        """Let somebody call, to the end or until the line lets nothing more through."""
        line = Line(phone.way, name, self.letters, lets=lets, overtakes=overtakes)
        sound = Sound(SilentRenderer(), Named(recorded))
        called = asyncio.create_task(phone.call(*actions, flow=flow, sound=sound, by=line))
        stopped = asyncio.create_task(line.stopped.wait())
        self._busy += [called, stopped]
        await asyncio.wait({called, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if called.done():
            called.result()

    async def begin(self, phone: Phone, name: str, flow: str, *actions: CallerAction | None, recorded: str) -> None:
        """Let somebody call, and return when the last message is on its way."""
        self._busy.append(asyncio.create_task(self.call(phone, name, flow, *actions, recorded=recorded)))
        while not any(letter["call"] == name and letter["audio"] for letter in self.letters):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.7)  # shorter than the budget for a reply

    async def leave(self) -> None:
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def again(self, phone: Phone, name: str, times: int) -> None:
        """Send messages about a call that move nothing, each with a new id."""
        last = next(one for one in reversed(self.letters) if one["call"] == name)
        for number in range(times):
            line = Line(phone.way, name, self.letters, lets=-1, overtakes=False)
            headers = {
                "Content-Type": "application/json", MESSAGE_ID: f"nothing-new-{name}-{number}",
                "Authorization": f"Bearer {self._signer.token()}",
            }  # fmt: skip
            data = {"id": last["json"]["id"], "type": "callStateChange", "currentState": "established"}
            await line.send(f"{PUBLIC}/callback", json.dumps(data).encode(), headers, answer_time=9.0, most=1 << 20)


async def _first(folder: Folder, phone: Phone) -> None:
    """Call at an earlier release: few calls."""
    await folder.call(phone, "earlier-finished", "flight-desk", Press("2"), None, Press("1"), Speak("Lost."))
    await folder.call(phone, "earlier-key", "flight-desk", None, Press("2"), lets=3)
    await folder.call(phone, "earlier-digits", "pin-check", Press("1357"), lets=2)
    speaks: list[Any] = [Press("1"), Speak("Wait.")]
    await folder.call(phone, "earlier-held", "flight-desk", *speaks, lets=3, recorded="endless-held")


async def _all(folder: Folder, phone: Phone) -> None:
    """Call so that there is a call in every state."""
    again = [Press("2")] * 19
    await folder.call(phone, "flight-desk", "flight-desk", Press("1"), Speak("It was late."))
    await folder.call(phone, "pin-check", "pin-check", Press("2468"), Press("2"), Press("12345#"))
    await folder.call(phone, "support", "support", Press("2"), Press("*"), Press("1"), Speak("Noise."))
    await folder.call(phone, "survey", "survey", Press("2"), Speak("Bad."), Press("02032026"), Press("12*50#"))
    await folder.call(phone, "voicemail", "voicemail", Speak("Hello."), Press("2"), Speak("Again."), Press("1"))
    await folder.call(phone, "large", "voicemail", Speak("A long story."), Press("1"), recorded="large")
    await folder.call(phone, "long", "flight-desk", *again)
    await folder.again(phone, "support", 20)
    # live ones
    await folder.call(phone, "key", "flight-desk", None, lets=2)
    await folder.call(phone, "digits", "pin-check", Press("1357"), lets=2)
    await folder.call(phone, "twice", "voicemail", Speak("One."), Press("2"), Speak("Two."), lets=4)
    await folder.call(phone, "live-large", "voicemail", Speak("A long story."), lets=2, recorded="large")
    await folder.call(phone, "live-long", "flight-desk", *again, lets=19)
    await folder.call(phone, "unmoved", "support", None, lets=2)
    await folder.again(phone, "unmoved", 20)
    await folder.call(phone, "gone", "voicemail", Speak("I must go."), lets=1, overtakes=True)
    await folder.call(phone, "answered", "flight-desk", Press("1"), Speak("Slow."), lets=3, recorded="slow")
    await folder.call(phone, "held", "flight-desk", Press("1"), Speak("Wait."), lets=3, recorded="endless-held")
    await asyncio.sleep(1.0)  # the slow answer comes after the hold, and waits for the next message
    await folder.begin(phone, "owed", "support", Press("1"), Speak("Wait."), recorded="endless")


async def make(codes: list[Path], out: Path) -> None:
    signer = Signer()
    await signer.start()
    folder = Folder(out.absolute() / "data", signer)
    for code in codes:
        port = free_port()
        process = await folder.serve(code, code / "flows", port)
        last = code == codes[-1]
        async with phone_to(port, signer) as phone:
            await (_all if last and len(codes) > 1 else _first)(folder, phone)
            process.send_signal(signal.SIGKILL if last else signal.SIGTERM)
            await process.communicate()
            await folder.leave()
    _write(folder, codes[-1], out)
    await signer.stop()


def _write(folder: Folder, code: Path, out: Path) -> None:
    (out / "flows").mkdir()
    with closing(sqlite3.connect(folder.path / "calls.db")) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        calls = [call for (call,) in connection.execute("SELECT id FROM call ORDER BY row")]
        for name, source in connection.execute("SELECT hash, source FROM flow").fetchall():
            (out / "flows" / name).write_bytes(source)
        dump = [line for line in connection.iterdump() if not line.startswith('INSERT INTO "flow"')]
    (out / "calls.sql").write_text(f"PRAGMA user_version = {version};\n" + "\n".join(dump) + "\n")
    letters = {(one["id"], one["status"]): one for one in reversed(folder.letters)}
    (out / "letters.json").write_text(json.dumps(list(letters.values())[::-1], indent=0) + "\n")
    shutil.copytree(folder.path / "audio", out / "audio")
    shutil.copy(folder.path / "seal.key", out)
    (out / "calls.json").write_text(_said(folder, code, "--json"))
    (out / "cases.jsonl").write_text("".join(_said(folder, code, "export", call) for call in calls))
    shutil.rmtree(folder.path)
    folder.script.unlink()


def _said(folder: Folder, code: Path, *arguments: str) -> str:
    """Return what `ivr calls` says."""
    command = [sys.executable, "-m", "ivr", "calls", *arguments, "--data", str(folder.path)]
    return subprocess.run(command, env=folder.environment(code), cwd=code, stdout=-1, text=True, check=True).stdout


if __name__ == "__main__":
    *_codes, _out = [Path(argument).absolute() for argument in sys.argv[1:]]
    _out.mkdir(parents=True)
    asyncio.run(make(_codes, _out))
