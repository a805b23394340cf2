"""How soon a caller hears the next prompt after a key, and how steadily sound comes on many calls at once.

`make bench-phone`, or `python -m bench.phone [--quick] [--json] [--bot URL]`. Without `--bot` a server of ours is
started with the shipped support flow. Speech synthesis is included (pip install 'ivr[phone]'): once with prompts that
were spoken before, as they mostly are on a line, and once with every prompt spoken anew. Then what a caller's sound
costs, frame by frame. Then, on a server of ours alone, how soon the next prompt follows an answer by voice.
"""

import argparse
import asyncio
import json
import math
import os
import shutil
import time
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from msgspec import Struct, to_builtins
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench import spoken_choices
from bench.run import SCRATCH
from bench.spoken_choices import Answers
from bench.subject import cores, free_port, running
from ivr.audio import g711
from ivr.cli.event_loop import fast_loop
from ivr.media.capture import LINEAR, MU_LAW, CaptureFormat
from ivr.media.installed import missing, sound_of_parts
from ivr.media.microphone import Microphone
from ivr.media.sound import Sound
from ivr.phone.phone_events import PromptAudio
from ivr.phone.platform import Platform, Target, platform, sound_of
from ivr.phone.session import Session
from ivr.setting_sources import SettingsError
from ivr.speech.voices.espeak import EspeakVoice, installed_voice
from ivr.trace.folders import FLOWS

AIM = 150.0
"Milliseconds from a key to the first sound of the next prompt, at p99."
LATE = 20
"Milliseconds after which a frame of sound counts as late."
WRONG_KEY = "9"
TRIES = 2
"After which a flow gives up on a caller, mostly."


async def key_to_sound(session: Session, waits: list[float]) -> None:
    """Press a wrong key as soon as a prompt is heard, and note how long it takes until the next one is."""
    session.dial()
    left, pressed = TRIES, 0.0
    async for event in session.events():
        if not isinstance(event, PromptAudio):
            continue
        if pressed:
            waits.append(time.perf_counter() - pressed)
        if left == 0:
            session.hang_up()
            continue
        left -= 1
        pressed = time.perf_counter()
        session.press(WRONG_KEY)


async def steady(sessions: list[Session], seconds: float) -> None:
    """Let all calls listen to the menu at the same time, and hang up."""

    async def one(session: Session, delay: float) -> None:
        await asyncio.sleep(delay)
        session.dial()
        asyncio.get_running_loop().call_later(seconds, session.hang_up)
        async for _ in session.events():
            pass

    await asyncio.gather(*(one(session, number / 200) for number, session in enumerate(sessions)))


class Waits(Struct, frozen=True):
    """Milliseconds from a key to the first sound of the next prompt."""

    keys: int
    p50: float
    p90: float
    p99: float
    max: float


class FrameCost(Struct, frozen=True):
    """Processor time for a caller's 20 ms, in microseconds: voice told from silence, recorded."""

    telephone: float
    "G.711, as it comes from a telephone."
    wideband: float
    "16 kHz, 16 bit."


class Results(Struct, frozen=True):
    """Everything that one run found."""

    spoken_before: Waits
    spoken_anew: Waits
    calls_at_once: int
    frames: int
    late: int
    "Frames that came more than 20 ms late."
    frame_microseconds: FrameCost
    missing: Sequence[str]
    "What is not installed, and so was not measured."
    answers: Sequence[Answers] = ()
    "By voice."


class Extent(Struct, frozen=True):
    """How much is measured."""

    keyed_calls: int = 100
    calls_at_once: int = 200
    seconds: float = 10.0
    "Of sound on each of these."
    answers: int = 40
    "By voice, for each engine."


QUICK = Extent(keyed_calls=20, calls_at_once=50, seconds=3.0, answers=10)


async def measure(bot: str, extent: Extent, console: Console) -> Results:
    async with platform(Target(bot)) as phone:
        sound = sound_of(phone)
        # Nothing that this voice spoke is kept.
        fresh = sound_of_parts(EspeakVoice() if installed_voice() else None, None, phone.workers, phone.fetch)
        await _keyed(phone, sound, 2)  # all is loaded, and the menu's prompts are spoken
        console.print("From key to sound, prompts synthesised before")
        before = await _keyed(phone, sound, extent.keyed_calls)
        console.print("From key to sound, every prompt newly synthesised")
        anew = await _keyed(phone, fresh, extent.keyed_calls)
        console.print(f"{extent.calls_at_once} calls at once, {extent.seconds:g} s of sound on each")
        sessions = [Session(phone, sound, paced=True) for _ in range(extent.calls_at_once)]
        await steady(sessions, extent.seconds)
    return Results(
        spoken_before=before,
        spoken_anew=anew,
        calls_at_once=extent.calls_at_once,
        frames=sum(session.player.frames for session in sessions),
        late=sum(session.player.late for session in sessions),
        frame_microseconds=FrameCost(
            frame_cost(phone, sound, MU_LAW, g711.MU_LAW.compressed(noise(8_000))),
            frame_cost(phone, sound, LINEAR, noise(16_000)),
        ),
        missing=missing(),
    )


def noise(rate: int) -> bytes:
    """Return a second that is half a voice, half a quiet line."""
    chance = Random(1)
    heights = [4000] * (rate // 2) + [30] * (rate // 2)
    return array("h", (round(chance.gauss(0, height)) for height in heights)).tobytes()


def frame_cost(phone: Platform, sound: Sound, form: CaptureFormat, second: bytes) -> float:
    """Return what a frame costs in a recorded call; the best of many tries, since other work only adds to it."""
    microphone = Microphone(form)
    session = Session(phone, sound, microphone=microphone)
    frames = [second[start : start + form.frame_bytes] for start in range(0, len(second), form.frame_bytes)]
    best = math.inf
    for _ in range(200):
        microphone.record()
        began = time.perf_counter()
        for frame in frames:
            session.audio(frame)
        best = min(best, time.perf_counter() - began)
    return round(1e6 * best / len(frames), 1)


async def _keyed(phone: Platform, sound: Sound, calls: int) -> Waits:
    waits: list[float] = []
    for _ in range(calls):
        await key_to_sound(Session(phone, sound), waits)
    ordered = sorted(1000 * wait for wait in waits) or [0.0]
    shares = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9, 0.99, 1.0)]
    return Waits(len(waits), *(round(each, 1) for each in shares))


@asynccontextmanager
async def a_bot(flow: Path) -> AsyncIterator[str]:
    """Run a server of ours, and give the address of its only flow."""
    scratch, port = SCRATCH / str(os.getpid()), free_port()
    scratch.mkdir(parents=True)
    command = ["ivr", "serve", "--dev", "--port", str(port), str(flow)]
    environment = {"IVR_DATA": str(scratch / "data"), "IVR_LOG_LEVEL": "warning"}
    try:
        async with running(command, port=port, core=cores()[0], log=scratch / "log", environment=environment):
            yield f"http://127.0.0.1:{port}/call/{flow.name.split('.')[0]}"
    finally:
        shutil.rmtree(scratch)


async def run(bot: str | None, extent: Extent, console: Console) -> Results:
    if bot:
        return await measure(bot, extent, console)
    async with a_bot(FLOWS / "support.yaml") as own:
        found = await measure(own, extent, console)
    async with a_bot(spoken_choices.FLOW) as own, platform(Target(own)) as phone:
        return await _with_answers(found, phone, extent.answers, console)


async def _with_answers(found: Results, phone: Platform, number: int, console: Console) -> Results:
    if not spoken_choices.utterances():
        return replace(found, missing=[*found.missing, "Answers by voice. flite speaks them (apt-get install flite)."])
    answers, missing = [], [*found.missing]
    for engine in spoken_choices.ENGINES:
        console.print(f"From answers by voice to the next prompt, understood by {engine}")
        try:
            answers.append(await spoken_choices.on_the_phone(phone, engine, number))
        except SettingsError as error:
            missing.append(spoken_choices.not_measured(engine, error))
    return replace(found, answers=answers, missing=missing)


def show(found: Results, console: Console) -> None:
    """Print the tables."""
    table = Table(title=f"From a key to the first sound of the next prompt, in ms (aim: {AIM:g} at p99)")
    for heading in ("", "keys", "p50", "p90", "p99", "max"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, waits in (("synthesised before", found.spoken_before), ("newly synthesised", found.spoken_anew)):
        table.add_row(name, str(waits.keys), *(f"{each:.1f}" for each in (waits.p50, waits.p90, waits.p99, waits.max)))
    console.print(table)
    console.print(
        f"{found.calls_at_once} calls at once: {found.late:,} of {found.frames:,} frames over {LATE} ms late."
    )
    cost = found.frame_microseconds
    console.print(
        f"20 ms of a caller cost {cost.telephone:g} microseconds in G.711, {cost.wideband:g} in wideband: "
        f"{cost.telephone * 50 * 200 / 1e4:.0f} and {cost.wideband * 50 * 200 / 1e4:.0f} % of a core for 200 calls."
    )
    for line in spoken_choices.lines(found.answers):
        console.print(line)
    for each in found.missing:
        console.print(f"Not measured: {each}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="bench.phone", description="Measure how soon and how steadily a caller hears."
    )
    parser.add_argument("--bot", metavar="URL", help="a bot to call, instead of a server started for it")
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of a minute; less exact")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    arguments = parser.parse_args()
    screen = Console(stderr=True)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        results = runner.run(run(arguments.bot, QUICK if arguments.quick else Extent(), screen))
    if arguments.json:
        print(json.dumps(to_builtins(results), indent=2))
    else:
        show(results, Console())
