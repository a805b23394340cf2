"""A voice and an ear on a line that is nothing but frames of 20 ms: no phone, no channel, no network."""

import asyncio
import wave
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from ivr.audio.formats import RATE
from ivr.audio.workers import Workers
from ivr.engine.commands import Segment, Silence, Text
from ivr.errors import SynthesisFailed, TranscriptionFailed
from ivr.media.installed import installed_sound, missing
from ivr.media.microphone import Microphone
from ivr.media.pacing import until
from ivr.media.phrase_ear import PhraseEar
from ivr.media.player import Player
from ivr.media.prompt_renderer import Speaker
from ivr.media.sound import BYTES_A_SECOND, FRAME, FRAME_BYTES, Unplayable, silence, tone
from ivr.ports import Ear, SampleRate, Transcript, Voice
from ivr.speech.voices.espeak import EspeakVoice
from tests.phone.clockwork import ManualClock

HELLO = Text("Hello. Press 1.", "female", "en-US")
needs_voice = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")


class Hum:
    """A voice that hums, 50 ms for each word."""

    def __init__(self, fails: str = "") -> None:
        self.texts: list[Text] = []
        self._fails = fails

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.texts.append(text)
        for _ in text.value.split():
            yield tone(300.0, 0.05)
        if self._fails:
            raise SynthesisFailed(self._fails)


class Engine:
    """A speech engine that looks at what it is given."""

    name = "engine"

    def __init__(self, words: str | None) -> None:
        self.asked: list[tuple[float, str, Sequence[str]]] = []
        self._words = words

    async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
        with wave.open(str(audio)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
            self.asked.append((file.getnframes() / file.getframerate(), language, phrases))
        if self._words is None:
            raise TranscriptionFailed("failed", "the engine is not well")
        return Transcript(self._words)


async def nowhere(url: str) -> bytes:
    raise Unplayable(f"{url} cannot be fetched")


def speaker(voice: Voice | None) -> Speaker:
    return Speaker(voice, nowhere, Workers(), plays=True)


async def frames(*segments: Segment, voice: Voice, beep: bool = False) -> list[tuple[float, bytes]]:
    """Play to a line; return each frame with the time at which it left."""
    clock, sent = ManualClock(time=0.0), list[tuple[float, bytes]]()
    player = Player(speaker(voice), clock, paced=True)
    playing = asyncio.create_task(player.play(segments, lambda samples: sent.append((clock.now(), samples)), beep=beep))
    await clock.turn(2.0)
    await playing
    return sent


async def test_a_line_gets_what_a_voice_speaks_in_frames_of_20_ms_each_at_its_time() -> None:
    voice = Hum()
    sent = await frames(HELLO, voice=voice)
    assert voice.texts == [HELLO]
    assert b"".join(samples for _, samples in sent) == 3 * tone(300.0, 0.05)
    assert FRAME_BYTES == 640
    assert {len(samples) for _, samples in sent} == {640, 320}  # 50 ms are two frames and a half
    assert [round(at, 2) for at, _ in sent] == [0.0, 0.02, 0.04, 0.05, 0.07, 0.09, 0.1, 0.12, 0.14]


async def test_silence_and_the_beep_go_the_same_way() -> None:
    sent = await frames(Silence(100), HELLO, voice=Hum(), beep=True)
    assert b"".join(samples for _, samples in sent) == silence(0.1) + 3 * tone(300.0, 0.05) + tone(1000, 0.25)


class Hesitant:
    """A voice of 1 s a part, whose second part comes after 3 s."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        yield tone(300.0, 1.0)
        await until(self._clock, 3.0)
        yield tone(300.0, 1.0)


@pytest.mark.parametrize("paced", [True, False])
async def test_a_prompt_whose_voice_is_slow_is_not_over_before_it_was_heard(paced: bool) -> None:
    clock = ManualClock(time=0.0)
    player = Player(speaker(Hesitant(clock)), clock, paced=paced)
    playing = asyncio.create_task(player.play([HELLO], lambda _: None))
    await clock.turn(3.9)
    assert not playing.done()
    await clock.turn(0.2)
    assert playing.done()


async def test_a_voice_that_fails_makes_the_prompt_unplayable_and_says_why() -> None:
    with pytest.raises(Unplayable, match="The prompt cannot be spoken: no breath"):
        await frames(HELLO, voice=Hum(fails="no breath"))


async def understood(engine: Engine, *, speaks: float) -> tuple[list[bool], str | None]:
    """Let a caller speak into frames; return what the microphone told, and what an ear makes of the utterance."""
    microphone, told = Microphone(), list[bool]()
    ear: Ear = PhraseEar(engine)
    spoken = silence(0.5) + tone(300.0, speaks) + silence(1.0)
    for start in range(0, len(spoken), FRAME_BYTES):
        told += microphone.hear(spoken[start : start + FRAME_BYTES])
    utterance = microphone.utterance()
    if not utterance:
        return told, None
    return told, await ear.understand(await utterance.samples(RATE), ["yes", "no"], language="en-US")


async def test_an_ear_gets_the_utterance_that_the_frames_hold_with_what_is_listened_for() -> None:
    engine = Engine("yes")
    assert await understood(engine, speaks=0.8) == ([True, False], "yes")
    [(seconds, language, phrases)] = engine.asked
    assert 0.8 < seconds < 1.8
    assert (language, phrases) == ("en-US", ["yes", "no"])


async def test_an_ear_that_cannot_understand_says_none() -> None:
    assert await understood(Engine(None), speaks=0.8) == ([True, False], None)


async def test_an_ear_that_takes_too_long_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Engine):
        async def transcribe(self, audio: Path, *, language: str, phrases: Sequence[str]) -> Transcript:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("ivr.media.phrase_ear.LONGEST_WAIT", 0.01)
    assert await PhraseEar(Endless("yes")).understand(tone(300.0, 0.5), ["yes"], language="en-US") is None


async def test_a_click_is_no_utterance() -> None:
    engine = Engine("yes")
    assert await understood(engine, speaks=FRAME) == ([], None)
    assert engine.asked == []


@needs_voice
async def test_the_voice_that_is_installed_speaks_sentence_by_sentence() -> None:
    parts = [part async for part in EspeakVoice().speak(HELLO)]
    assert len(parts) == 2
    assert all(0.2 < len(part) / BYTES_A_SECOND < 3.0 and len(part) % 2 == 0 for part in parts)
    assert any(parts[0])


@needs_voice
async def test_what_is_installed_serves_any_carrier() -> None:
    workers = Workers()
    try:
        sound = installed_sound(workers, nowhere)
        pieces = [piece async for piece in sound.renderer.render([HELLO])]
        assert [round(len(piece.samples) / BYTES_A_SECOND, 3) for piece in pieces] == [
            round(piece.seconds, 3) for piece in pieces
        ]
        assert sum(piece.seconds for piece in pieces) > 0.5
    finally:
        await workers.close()


async def test_a_voice_whose_library_does_not_work_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(ssml: str, language: str, gender: str, rate: int) -> bytes:
        raise OSError("espeak-ng cannot be initialized")

    monkeypatch.setattr("ivr.speech.voices.espeak._samples", broken)
    with pytest.raises(SynthesisFailed, match="espeak-ng cannot be initialized"):
        [part async for part in EspeakVoice().speak(HELLO)]
