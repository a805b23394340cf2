"""While a speech service is away another voice speaks, nobody waits for it, and the log says so once a minute."""

from collections.abc import AsyncIterator

import pytest

from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed, VoiceUnavailable
from ivr.ports import SampleRate, Voice
from ivr.speech.voice_outage import QUIET, REST, FallbackVoice, RestingVoice

HELLO = Text("Hello.", "female", "en-US")


class Service:
    """A voice that speaks, or fails after some parts."""

    def __init__(self, *parts: bytes, fails: SynthesisFailed | None = None) -> None:
        self.asked = 0
        self.fails = fails
        self._parts = parts

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.asked += 1
        for part in self._parts:
            yield part
        if self.fails:
            raise self.fails


async def spoken(voice: Voice) -> list[bytes]:
    return [part async for part in voice.speak(HELLO)]


async def failure(voice: Voice) -> str:
    with pytest.raises(SynthesisFailed) as caught:
        await spoken(voice)
    return str(caught.value)


async def test_a_service_that_is_away_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    time = 1000.0
    service = Service(fails=VoiceUnavailable("the speech service answered 503"))
    resting = RestingVoice(service, "openai", lambda: time)
    assert await failure(resting) == "the speech service answered 503"
    time += REST - 1
    assert await failure(resting) == "the speech service answered 503"
    assert service.asked == 1
    time += 2
    await failure(resting)
    assert service.asked == 2
    assert [(record.message, vars(record)["reason"]) for record in caplog.records] == [
        ("voice failed", "the speech service answered 503")
    ]
    time += QUIET
    await failure(resting)
    assert len(caplog.records) == 2
    time += REST
    service.fails = None
    assert await spoken(resting) == []


async def test_a_text_that_cannot_be_spoken_is_no_outage() -> None:
    service = Service(fails=SynthesisFailed("the speech service answered 400"))
    resting = RestingVoice(service, "openai", lambda: 0.0)
    await failure(resting)
    await failure(resting)
    assert service.asked == 2


async def test_each_reason_is_logged_with_the_voice_and_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    service = Service(fails=SynthesisFailed("no Danish"))
    resting = RestingVoice(service, "hibari", lambda: 0.0)
    for reason in ("no Danish", "no Dutch", "no Danish"):
        service.fails = SynthesisFailed(reason)
        await failure(resting)
    told = [(vars(record)["service"], vars(record)["reason"]) for record in caplog.records]
    assert told == [("hibari", "no Danish"), ("hibari", "no Dutch")]


async def test_the_next_voice_speaks_and_the_next_but_one_if_that_cannot_either() -> None:
    voices = [
        Service(fails=VoiceUnavailable("away")),
        Service(fails=SynthesisFailed("English only")),
        Service(b"espeak"),
        Service(b"never"),
    ]
    assert await spoken(FallbackVoice(voices)) == [b"espeak"]
    assert [voice.asked for voice in voices] == [1, 1, 1, 0]


async def test_the_other_voice_speaks_what_the_first_cannot() -> None:
    fallback = FallbackVoice([Service(fails=VoiceUnavailable("away")), Service(b"espeak")])
    assert await spoken(fallback) == [b"espeak"]
    assert await spoken(FallbackVoice([Service(b"nova"), Service(b"espeak")])) == [b"nova"]


async def test_no_text_begins_twice() -> None:
    fallback = FallbackVoice([Service(b"no", fails=VoiceUnavailable("away")), Service(b"espeak")])
    assert await failure(fallback) == "away"


async def test_if_neither_can_the_first_ones_reason_counts() -> None:
    fallback = FallbackVoice([Service(fails=VoiceUnavailable("away")), Service(fails=SynthesisFailed("no Klingon"))])
    assert await failure(fallback) == "away"
