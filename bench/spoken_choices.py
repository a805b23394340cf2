"""How soon the next prompt is heard after a caller has said a choice, on the phone and through the gateway.

From the last sound of the voice to the first of the next prompt: the pause that ends a voice (`RELEASE`), the engine,
the bot's turn, and a prompt that was spoken before. A voice of flite speaks, in real time.
"""

import asyncio
import time
import wave
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from bench.voices import record, voices
from ivr.audio.workers import Workers
from ivr.media.capture import LINEAR
from ivr.media.sound import FRAME
from ivr.media.voice_activity import LEAST, RELEASE, loudness
from ivr.phone.callers.load_test import Latency, latency
from ivr.phone.phone_events import PromptAudio, PromptOver, WordsHeard
from ivr.phone.platform import Platform
from ivr.phone.session import Session
from ivr.setting_sources import SettingsError
from ivr.softphone.softphone import Softphone
from ivr.speech_settings import SpeechSettings, engine_of, live_sound, load_models, load_speech_settings

FLOW = Path(__file__).with_name("spoken.flow.yaml")
ENGINES = ("pocketsphinx", "whisper")
PHRASES = ("sales", "technical support", "billing", "opening hours", "talk to an agent")
QUIET = 0.5
"Seconds without a sound after which a caller answers."
PATIENCE = 30.0


class Answers(Struct, frozen=True):
    """What answers by voice have shown. Times are in milliseconds."""

    engine: str
    number: int
    understood: int | None
    "Of these, as one of the phrases; None: it cannot be seen from outside."
    to_words: Latency | None
    "From the end of the voice to the result of the engine."
    to_sound: Latency | None
    "From the end of the voice to the next prompt."


def utterances() -> Sequence[bytes]:
    """Return each phrase as samples of 16 kHz that end with the voice; empty: no voice is installed."""
    with TemporaryDirectory() as folder:
        return [_voice(record(Path(folder), phrase, voices()[0], "wide").file) for phrase in PHRASES if voices()]


def _voice(file: Path) -> bytes:
    with wave.open(str(file)) as sound:
        samples = sound.readframes(sound.getnframes())
    size = LINEAR.frame_bytes
    frames = [samples[start : start + size] for start in range(0, len(samples), size)]
    while frames and loudness(frames[-1]) < LEAST:
        frames.pop()
    return b"".join(frames)


def check(engine: str) -> None:
    """Raise SettingsError if the engine is not here."""
    engine_of(_settings(engine), Workers())


def _settings(engine: str) -> SpeechSettings:
    return load_speech_settings(flags={"stt": engine}).settings


# --- the phone -------------------------------------------------------------------------------------------------------


async def on_the_phone(phone: Platform, engine: str, answers: int) -> Answers:
    """Answer by voice on one call; raise SettingsError if the engine is not here."""
    workers = Workers()
    try:
        sound = live_sound(_settings(engine), workers, phone.fetch)
        await load_models(workers)
        caller = _Speaker(Session(phone, sound), utterances(), answers)
        await caller.call()
    finally:
        await workers.close()
    return Answers(engine, len(caller.to_sound), caller.understood, latency(caller.to_words), latency(caller.to_sound))


class _Speaker:
    """A caller whose microphone is open all the time."""

    def __init__(self, session: Session, said: Sequence[bytes], answers: int) -> None:
        self.understood = 0
        self.to_words: list[float] = []
        self.to_sound: list[float] = []
        self._session = session
        self._said = said
        self._answers = answers
        self._spoken = 0
        self._ended = 0.0
        "When the voice ended; 0: the next prompt was heard since then."
        self._queued = bytearray()

    async def call(self) -> None:
        self._session.dial()
        microphone = asyncio.create_task(self._microphone())
        try:
            async for event in self._session.events():
                self._on(event)
        finally:
            microphone.cancel()
            with suppress(asyncio.CancelledError):
                await microphone

    def _on(self, event: object) -> None:
        since = time.perf_counter() - self._ended
        match event:
            case WordsHeard(words=words) if self._ended:
                self.to_words.append(since)
                self.understood += words is not None
            case PromptAudio() if self._ended:
                self.to_sound.append(since)
                self._ended = 0.0
            case PromptOver() if self._spoken == self._answers:
                self._session.hang_up()
            case PromptOver():
                self._queued += bytes(round(QUIET / FRAME) * LINEAR.frame_bytes)
                self._queued += self._said[self._spoken % len(self._said)]
                self._spoken += 1

    async def _microphone(self) -> None:
        """Send a frame at its time: of the voice, or of silence."""
        due, size = time.perf_counter(), LINEAR.frame_bytes
        while True:
            speaks = bool(self._queued)
            self._session.audio(bytes(self._queued[:size]).ljust(size, b"\0"))
            del self._queued[:size]
            if speaks and not self._queued:
                self._ended = time.perf_counter()
            due += FRAME
            await asyncio.sleep(max(0.0, due - time.perf_counter()))


# --- the gateway -----------------------------------------------------------------------------------------------------


async def on_the_gateway(phone: Softphone, engine: str, answers: int, now: Callable[[], float]) -> Answers:
    """Answer by voice on one call."""
    said = [await phone.encoded(samples, "PCMA") for samples in utterances()]
    call = await phone.dial(lambda _: None)
    waits = []
    for number in range(answers):
        if not await call.until(lambda each: each.quiet >= QUIET and not each.leg.queued, PATIENCE):
            break
        call.play(said[number % len(said)])
        await call.until(lambda each: not each.leg.queued, PATIENCE)
        ended = now()
        call.listen_anew()
        if await call.until(lambda each: each.first_loud, PATIENCE) and call.first_loud:
            waits.append(call.first_loud - ended)
    call.hang_up()
    await call.leg.ended()
    return Answers(engine, len(waits), None, None, latency(waits))


def lines(found: Sequence[Answers]) -> Sequence[str]:
    """Return what was found, in sentences."""
    sentences = [
        f"After an answer by voice, with {each.engine}: the next prompt after {_times(each.to_sound)}"
        + ("" if each.to_words is None else f", the engine's result after {_times(each.to_words)}")
        + f"; {each.number} answers"
        + ("." if each.understood is None else f", {each.understood} understood.")
        for each in found
    ]
    pause = f"Of these times, {1000 * RELEASE:.0f} ms are the pause that ends a voice."
    return [*sentences, pause] if sentences else []


def _times(each: Latency | None) -> str:
    return "no time" if each is None else f"{each.p50:.0f} ms (p90 {each.p90:.0f}, max {each.max:.0f})"


def not_measured(engine: str, error: SettingsError) -> str:
    """Return why an engine was not measured."""
    return f"Answers by voice with {engine}. {error}"
