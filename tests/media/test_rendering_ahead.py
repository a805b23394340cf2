"""The segments of a prompt are rendered while those before them are heard, and no longer than somebody listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from ivr.audio.workers import Workers
from ivr.engine.commands import Audio, Silence, Text
from ivr.errors import SynthesisFailed
from ivr.media.prompt_renderer import AHEAD, Speaker
from ivr.media.recorder import wav
from ivr.media.sound import SilentRenderer, Unplayable, tone
from ivr.ports import SampleRate
from ivr.speech.voice_cache import CachedVoice, VoiceIdentity
from tests.waiting import PATIENCE


class Slow:
    """A voice that speaks each text when it is told to."""

    def __init__(self, *texts: str) -> None:
        self.begun: list[str] = []
        self.stopped: list[str] = []
        self.speaks = {text: asyncio.Event() for text in texts}
        self.fails = ""

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.begun.append(text.value)
        try:
            await self.speaks[text.value].wait()
        except asyncio.CancelledError:
            self.stopped.append(text.value)
            raise
        if text.value == self.fails:
            raise SynthesisFailed("hoarse")
        yield text.value.encode()


def said(*texts: str) -> list[Text]:
    return [Text(text, "female", "en-US") for text in texts]


async def nowhere(url: str) -> bytes:
    raise Unplayable(f"{url} cannot be fetched")


async def test_the_next_segments_are_begun_early_and_heard_in_their_order() -> None:
    voice = Slow("one", "two", "three", "four", "five")
    async with (
        asyncio.timeout(PATIENCE),
        aclosing(Speaker(voice, nowhere, Workers(), plays=True).render(said(*voice.speaks))) as pieces,
    ):
        voice.speaks["two"].set()
        voice.speaks["one"].set()
        assert (await anext(pieces)).samples == b"one"
        assert voice.begun == ["one", "two", "three"]
        assert len(voice.begun) == 1 + AHEAD
        assert (await anext(pieces)).samples == b"two"
        for event in voice.speaks.values():
            event.set()
        assert [piece.samples async for piece in pieces] == [b"three", b"four", b"five"]
        assert voice.stopped == []


async def test_who_interrupts_stops_what_was_begun() -> None:
    voice = Slow("one", "two", "three", "four")
    async with (
        asyncio.timeout(PATIENCE),
        aclosing(Speaker(voice, nowhere, Workers(), plays=True).render(said(*voice.speaks))) as pieces,
    ):
        voice.speaks["one"].set()
        await anext(pieces)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert voice.stopped == ["two", "three"]
    assert voice.begun == ["one", "two", "three"]


async def test_a_segment_that_fails_is_told_when_it_is_due() -> None:
    voice = Slow("one", "two")
    voice.fails = "two"
    for event in voice.speaks.values():
        event.set()
    pieces = Speaker(voice, nowhere, Workers(), plays=True).render(said("one", "two"))
    assert (await anext(pieces)).samples == b"one"
    with pytest.raises(Unplayable, match="cannot be spoken: hoarse"):
        await anext(pieces)


async def test_what_comes_next_is_spoken_before_and_a_voice_that_fails_is_no_trouble_yet() -> None:
    voice = Slow("one", "two")
    voice.fails = "one"
    for event in voice.speaks.values():
        event.set()
    await Speaker(voice, nowhere, Workers(), plays=True).prepare([*said("one"), Silence(10), *said("two")])
    assert voice.begun == ["one", "two"]
    await Speaker(None, nowhere, Workers(), plays=True).prepare(said("one"))
    await SilentRenderer().prepare(said("one"))


async def test_what_calls_hear_later_leaves_a_place_for_what_one_of_them_hears_now() -> None:
    slow = Slow("now", "next", "of another call")
    voice = CachedVoice(slow, lambda text: VoiceIdentity("slow", "1", "", text.value), at_once=2)
    speaker = Speaker(voice, nowhere, Workers(), plays=True)
    async with asyncio.timeout(PATIENCE):
        expecting = [asyncio.create_task(speaker.prepare(said(text))) for text in ("next", "of another call")]
        while slow.begun != ["next"]:
            await asyncio.sleep(0)
        slow.speaks["now"].set()
        assert [piece.samples async for piece in speaker.render(said("now"))] == [b"now"]
        assert slow.begun == ["next", "now"]
        slow.speaks["of another call"].set()  # which is due, and does not wait for its turn
        assert [piece.samples async for piece in speaker.render(said("of another call"))] == [b"of another call"]
        slow.speaks["next"].set()
        await asyncio.gather(*expecting)
    assert [piece.samples async for piece in speaker.render(said("next"))] == [b"next"]
    assert slow.begun == ["next", "now", "of another call"]


async def test_a_long_file_comes_in_pieces() -> None:
    async def fetch(url: str) -> bytes:
        return wav(tone(300, 1.0) * 25).data

    workers = Workers()
    try:
        rendered = Speaker(None, fetch, workers, plays=True).render([Audio(url="http://127.0.0.1/long")])
        pieces = [piece.seconds async for piece in rendered]
    finally:
        await workers.close()
    assert pieces == [10.0, 10.0, 5.0]
