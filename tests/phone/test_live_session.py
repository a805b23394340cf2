"""A live call: commands go in, events come out, in the time of the phone's clock."""

from __future__ import annotations

import asyncio
import io
import math
import wave
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from ivr.audio.g711 import A_LAW as A_LAW_TABLES
from ivr.audio.g711 import MU_LAW as MU_LAW_TABLES
from ivr.engine.commands import Segment, Text
from ivr.line.state import LONGEST_UTTERANCE
from ivr.media.capture import A_LAW, MU_LAW
from ivr.media.microphone import Microphone
from ivr.media.recorder import Recorder
from ivr.media.sound import BYTES_A_SECOND, Sound, SoundPiece, tone
from ivr.media.voice_activity import PAUSE, RELEASE
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import Identity
from ivr.phone.net.post import Reply, WebPost
from ivr.phone.phone_events import (
    Ended,
    KeyHeard,
    ListensFor,
    PhoneEvent,
    PromptAudio,
    PromptBegan,
    PromptOver,
    RecordingBegan,
    VoiceHeard,
    WordsHeard,
)
from ivr.phone.platform import Platform, Target
from ivr.phone.session import Session
from tests.phone.clockwork import ManualClock, settled
from tests.phone.fake_bot import ANSWER, DIGITS, HANG_UP, MENU, RECORD, SAY, FakeBot, Told, flow
from tests.waiting import PATIENCE, Gate

E = TypeVar("E", bound=PhoneEvent)
IDENTITY = Identity("the-app")


@dataclass
class BotInMemory:
    """A bot at the other end of a `Post`, without a network: so that a test alone decides when anything happens."""

    bot: FakeBot

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        self.bot.told.append(Told(url, headers, data))
        answer = self.bot.answers.pop(0) if self.bot.answers else b""
        assert isinstance(answer, dict | bytes)
        return Reply(200, answer if isinstance(answer, bytes) else self.bot._fill(answer), 0.0)


class Talker:
    """A voice of one second a sentence."""

    def __init__(self, *, ready: bool) -> None:
        """`ready`: what comes next can be made."""
        self.prepared: list[str] = []
        self.given_up: list[str] = []
        self.ready = asyncio.Event()
        if ready:
            self.ready.set()

    async def render(self, segments: Sequence[Segment]) -> AsyncGenerator[SoundPiece, None]:
        for segment in segments:
            assert isinstance(segment, Text)
            yield SoundPiece(tone(300, 1.0), 1.0)

    async def prepare(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            assert isinstance(segment, Text)
            self.prepared.append(segment.value)
            try:
                await self.ready.wait()
            except asyncio.CancelledError:
                self.given_up.append(segment.value)
                raise


class Listener:
    """An ear that understands everything as one thing."""

    def __init__(self, words: str | None) -> None:
        self.words = words
        self.heard: list[tuple[float, Sequence[str]]] = []

    async def understand(self, samples: bytes, phrases: Sequence[str], *, language: str) -> str | None:
        self.heard.append((len(samples) / BYTES_A_SECOND, phrases))
        return self.words


@dataclass
class LiveDriver:
    session: Session
    clock: ManualClock
    bot: FakeBot
    talker: Talker
    events: list[PhoneEvent] = field(default_factory=list)

    @property
    def outcome(self) -> dict[str, Any]:
        """What became of the first action after the answer."""
        return self.bot.outcomes[1]

    async def turn(self, seconds: float = 0.0) -> LiveDriver:
        await self.clock.turn(seconds)
        return self

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def frames(self, seconds: float, frame: bytes) -> None:
        """Let the line hear so much of a frame of 20 ms."""
        for _ in range(round(seconds * 50)):
            self.session.audio(frame)
            await self.turn(0.02)

    async def over(self) -> None:
        """Wait for the end of the call: samples are converted in a thread, whose time no clock here turns."""
        async with asyncio.timeout(PATIENCE):
            await self.session.ended()

    async def hear(self, seconds: float, samples: Callable[[float], bytes]) -> None:
        """Let the microphone hear something, in pieces of 100 ms."""
        for _ in range(round(seconds * 10)):
            self.session.audio(samples(0.1))
            await self.turn(0.1)


def quiet(seconds: float) -> bytes:
    return bytes(round(seconds * BYTES_A_SECOND))


def loud(seconds: float) -> bytes:
    count = round(seconds * BYTES_A_SECOND / 2)
    return array("h", (round(8000 * math.sin(index / 9)) for index in range(count))).tobytes()


@asynccontextmanager
async def on_the_phone(
    *answers: Any,
    words: str | None = "sales",
    paced: bool = False,
    microphone: Microphone | None = None,
    ear: Listener | None = None,
    ready: bool = True,
) -> AsyncIterator[LiveDriver]:
    clock, bot = ManualClock(), FakeBot([flow(ANSWER), *answers], base="http://127.0.0.1:1")
    web = WebPost(Guard())
    phone = Platform(Target(bot.call, "the-app"), BotInMemory(bot), IDENTITY, metadata="", files=web)
    talker = Talker(ready=ready)
    sound = Sound(talker, Recorder(encodes=False), ear or Listener(words))
    live = LiveDriver(Session(phone, sound, clock=clock, paced=paced, microphone=microphone), clock, bot, talker)
    live.session.dial()

    async def watch() -> None:
        async for event in live.session.events():
            live.events.append(event)  # what came before a failure counts

    watching = asyncio.create_task(watch())
    try:
        await live.turn()
        yield live
    finally:
        await live.session.close()
        watching.cancel()
        await web.close()


async def test_a_prompt_is_heard_for_as_long_as_it_takes() -> None:
    async with on_the_phone(flow(SAY), flow(HANG_UP)) as live:
        assert live.all(PromptBegan)[0].text == "Hello."
        assert len(live.all(PromptAudio)[0].samples) == BYTES_A_SECOND
        await live.turn(0.9)
        assert not live.all(PromptOver)
        await live.turn(0.2)
        assert live.all(PromptOver) == [PromptOver("say", interrupted=False)]
        assert live.events[-1] == Ended("bot", "hangup")


async def test_the_prompts_that_come_next_are_made_while_the_first_is_heard() -> None:
    async with on_the_phone(flow(SAY, MENU), flow(HANG_UP)) as live:
        assert live.all(PromptBegan)[-1].op == "say"
        assert live.talker.prepared == ["Press 1 or say sales."]


async def test_what_comes_next_is_made_in_its_order_and_no_longer_than_somebody_waits_for_it() -> None:
    later = {**SAY, "operationId": "later", "prompts": [{"value": "Later."}]}
    async with on_the_phone(flow(SAY, later, MENU), flow(SAY, MENU), flow(HANG_UP)) as live:
        assert live.talker.prepared == ["Later.", "Press 1 or say sales."]
        live.session.trouble()
        await live.turn()
        assert live.talker.prepared[2:] == ["Press 1 or say sales."]
        assert live.talker.given_up == []
        live.session.trouble()
        await live.turn()
        assert live.events[-1] == Ended("bot", "hangup")
    async with on_the_phone(flow(SAY, later, MENU), flow(SAY, later), flow(HANG_UP), ready=False) as live:
        assert live.talker.prepared == ["Later."]  # one at a time
        live.session.trouble()
        await live.turn()
        assert live.talker.given_up == ["Later."]
        assert live.talker.prepared == ["Later.", "Later."]


async def test_a_key_silences_the_prompt_at_once() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP)) as live:
        await live.turn(0.5)
        live.session.press("1")
        await live.turn()
        assert live.all(PromptOver) == [PromptOver("menu", interrupted=True)]
        assert live.outcome["choiceOutcome"]["choiceName"] == "sales"
        assert KeyHeard("1") in live.events


async def test_the_end_of_an_interrupted_prompt_does_not_end_the_next_one() -> None:
    async with on_the_phone(flow(MENU, SAY), flow(HANG_UP)) as live:
        await live.turn(0.9)
        live.session.press("1")
        await live.turn(0.9)
        assert [began.op for began in live.all(PromptBegan)] == ["menu", "say"]
        assert len(live.all(PromptOver)) == 1
        await live.turn(0.2)
        assert live.events[-1] == Ended("bot", "hangup")


async def test_silence_is_measured_after_the_prompt() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP)) as live:
        await live.turn(5.9)
        assert len(live.bot.outcomes) == 1
        await live.turn(0.2)
        assert live.outcome["choiceOutcome"]["completionReason"] == "initialSilenceTimeout"


async def test_a_key_that_is_held_too_long_is_no_choice() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP)) as live:
        live.session.key_down("1")
        await live.turn(1.1)
        assert live.outcome["choiceOutcome"]["completionReason"] == "interdigitTimeout"
        live.session.key_up()


async def test_typed_words_stand_in_for_a_voice() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP)) as live:
        live.session.say("Sales, please")
        live.session.say("sales")
        await live.turn()
        assert live.all(WordsHeard)[-1] == WordsHeard("sales", typed=True)
        assert live.outcome["choiceOutcome"]["completionReason"] == "speechOptionMatched"


async def test_a_voice_interrupts_is_understood_and_chooses() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP)) as live:
        await live.hear(0.4, quiet)
        await live.hear(0.8, loud)
        assert live.all(PromptOver) == [PromptOver("menu", interrupted=True)]
        await live.hear(0.6, quiet)
        assert [heard.active for heard in live.all(VoiceHeard)] == [True, False]
        assert WordsHeard("sales") in live.events
        assert live.outcome["choiceOutcome"] == {
            "completionReason": "speechOptionMatched",
            "choiceName": "sales",
        }


async def test_a_voice_that_is_not_understood_ends_in_silence() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP), words=None) as live:
        await live.hear(0.8, loud)
        await live.hear(0.6, quiet)
        assert WordsHeard(None) in live.events
        await live.turn(6)
        assert live.outcome["choiceOutcome"]["completionReason"] == "initialSilenceTimeout"


async def test_a_recording_holds_what_the_microphone_heard_and_ends_by_silence() -> None:
    async with on_the_phone(flow(RECORD), flow(HANG_UP)) as live:
        await live.turn(0.3)  # the beep
        assert live.all(RecordingBegan)
        await live.hear(2.0, loud)
        await live.hear(3.0, quiet)
        found = live.outcome
        assert found["completionReason"] == "completedSilenceDetected"
        assert found["lengthOfRecordingInSecs"] == pytest.approx(4.4, abs=0.3)
        audio = live.bot.told[2].parts["recordedAudio"]
        assert audio.startswith(b"RIFF")
        assert loud(0.1) in audio


LOUD = array("h", loud(0.02))[::2].tobytes()
"A frame at 8 kHz."


async def test_a_telephone_is_recorded_at_its_own_rate_through_a_change_of_its_codec() -> None:
    microphone = Microphone(A_LAW)
    async with on_the_phone(flow(RECORD), flow(HANG_UP), microphone=microphone) as live:
        await live.turn(0.3)
        await live.frames(1.0, A_LAW_TABLES.compressed(LOUD))
        microphone.use(MU_LAW)
        await live.frames(1.0, MU_LAW_TABLES.compressed(LOUD))
        await live.frames(3.0, MU_LAW.silence * 160)
        await live.over()
        told = live.outcome["lengthOfRecordingInSecs"]
        assert told == pytest.approx(4.4, abs=0.3)
        with wave.open(io.BytesIO(live.bot.told[2].parts["recordedAudio"])) as recorded:
            assert recorded.getframerate() == 8_000
            assert recorded.getnframes() / 8_000 == pytest.approx(told, abs=0.01)
            first, second = recorded.readframes(8_000), recorded.readframes(8_000)
        assert A_LAW_TABLES.linear(A_LAW_TABLES.compressed(LOUD)) in first
        assert MU_LAW_TABLES.linear(MU_LAW_TABLES.compressed(LOUD)) in second


async def test_a_voice_on_a_telephone_is_understood_at_the_rate_of_the_ear() -> None:
    ear = Listener("sales")
    async with on_the_phone(flow(MENU), flow(HANG_UP), microphone=Microphone(MU_LAW), ear=ear) as live:
        await live.frames(0.8, MU_LAW_TABLES.compressed(LOUD))
        await live.frames(0.6, MU_LAW.silence * 160)
        await live.over()
        assert live.outcome["choiceOutcome"]["choiceName"] == "sales"
        [(seconds, phrases)] = ear.heard
        assert seconds == pytest.approx(0.8 + PAUSE, abs=0.05)
        assert phrases == ["sales"]


class SlowListener(Listener):
    """An ear that is busy with other callers."""

    def __init__(self, words: str | None) -> None:
        super().__init__(words)
        self.gate = Gate()

    async def understand(self, samples: bytes, phrases: Sequence[str], *, language: str) -> str | None:
        await self.gate.wait()
        return await super().understand(samples, phrases, language=language)


async def test_the_ear_begins_in_a_pause_and_counts_once_the_voice_is_over() -> None:
    ear = SlowListener("sales")
    ear.gate.set()
    async with on_the_phone(flow(MENU), flow(HANG_UP), microphone=Microphone(MU_LAW), ear=ear) as live:
        await live.frames(0.8, MU_LAW_TABLES.compressed(LOUD))
        await live.frames(RELEASE - 0.1, MU_LAW.silence * 160)
        await ear.gate.reached()
        await settled()
        assert (len(ear.heard), len(live.bot.outcomes)) == (1, 1)  # it is understood, and could still go on
        await live.frames(0.2, MU_LAW.silence * 160)
        await live.over()
        assert live.outcome["choiceOutcome"]["choiceName"] == "sales"
        assert (len(ear.heard), len(live.all(WordsHeard))) == (1, 1)


async def test_what_was_understood_in_a_pause_is_dropped_if_the_voice_goes_on() -> None:
    ear = SlowListener("support")
    async with on_the_phone(flow(MENU), flow(HANG_UP), microphone=Microphone(MU_LAW), ear=ear) as live:
        for _ in range(2):
            await live.frames(0.6, MU_LAW_TABLES.compressed(LOUD))
            await live.frames(PAUSE + 0.05, MU_LAW.silence * 160)
            await ear.gate.reached()
            await settled()
            ear.gate.set()
            await settled()
            ear.words = "sales"
        await live.frames(0.4, MU_LAW.silence * 160)
        await live.over()
        assert [event.words for event in live.all(WordsHeard)] == ["sales"]
        assert [seconds for seconds, _ in ear.heard] == [
            pytest.approx(0.6 + PAUSE, abs=0.05),
            pytest.approx(0.6 + PAUSE + 0.05 + 0.6 + PAUSE, abs=0.05),
        ]


async def test_a_caller_who_talks_on_keeps_no_ear_busy_with_each_pause() -> None:
    ear = SlowListener("sales")
    async with on_the_phone(flow(MENU), flow(HANG_UP), microphone=Microphone(MU_LAW), ear=ear) as live:
        for _ in range(4):
            await live.frames(0.6, MU_LAW_TABLES.compressed(LOUD))
            await live.frames(PAUSE + 0.05, MU_LAW.silence * 160)
        await live.frames(0.4, MU_LAW.silence * 160)
        await ear.gate.reached()
        ear.gate.set()
        await live.over()
        assert live.outcome["choiceOutcome"]["choiceName"] == "sales"
        assert [seconds for seconds, _ in ear.heard] == [
            pytest.approx(0.6 + PAUSE, abs=0.05),
            pytest.approx(4 * 0.6 + 3 * (PAUSE + 0.05) + RELEASE, abs=0.05),
        ]


async def test_a_question_that_comes_after_the_pause_gets_the_whole_utterance() -> None:
    ear = Listener("sales")
    again = flow(MENU | {"operationId": "again"})
    async with on_the_phone(flow(MENU), again, flow(HANG_UP), microphone=Microphone(MU_LAW), ear=ear) as live:
        await live.frames(0.8, MU_LAW_TABLES.compressed(LOUD))
        await live.frames(RELEASE - 0.1, MU_LAW.silence * 160)
        live.session.press("1")
        await live.turn(0.02)
        await live.frames(0.4, MU_LAW.silence * 160)
        await live.over()
        assert [outcome["choiceOutcome"]["completionReason"] for outcome in live.bot.outcomes[1:3]] == [
            "dtmfOptionMatched",
            "speechOptionMatched",
        ]
        assert [seconds for seconds, _ in ear.heard] == [
            pytest.approx(0.8 + PAUSE, abs=0.05),
            pytest.approx(0.8 + RELEASE, abs=0.05),
        ]


async def test_a_caller_is_not_silent_while_the_ear_works() -> None:
    ear = SlowListener("sales")
    async with on_the_phone(flow(MENU), flow(HANG_UP), ear=ear) as live:
        await live.hear(1.0, loud)
        await live.hear(0.5, quiet)
        await ear.gate.reached()
        await live.turn(8)  # longer than a caller may be silent
        ear.gate.set()
        await live.over()
        assert live.outcome["choiceOutcome"]["choiceName"] == "sales"


async def test_a_caller_is_silent_once_the_ear_has_understood_nothing() -> None:
    ear = SlowListener(None)
    async with on_the_phone(flow(MENU), flow(HANG_UP), ear=ear) as live:
        await live.hear(1.0, loud)
        await live.hear(0.5, quiet)
        await ear.gate.reached()
        await live.turn(8)
        assert len(live.bot.outcomes) == 1
        ear.gate.set()
        await settled()
        await live.turn(1)
        assert live.outcome["choiceOutcome"]["completionReason"] == "initialSilenceTimeout"


async def test_an_ear_that_never_answers_keeps_no_caller_for_ever() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP), ear=SlowListener("sales")) as live:
        await live.hear(1.0, loud)
        await live.hear(0.5, quiet)
        await live.turn(5 + LONGEST_UTTERANCE)
        assert live.outcome["choiceOutcome"]["completionReason"] == "initialSilenceTimeout"


async def test_typed_words_are_recorded_as_the_voice_speaks_them() -> None:
    async with on_the_phone(flow(RECORD), flow(HANG_UP)) as live:
        await live.turn(0.3)
        live.session.say("my flight was late")
        await live.turn(4)
        assert live.outcome["completionReason"] == "completedSilenceDetected"
        assert tone(300, 1.0) in live.bot.told[2].parts["recordedAudio"]


def heard_seconds(live: LiveDriver) -> float:
    """Return the length of the recording that the bot got."""
    return (len(live.bot.told[2].parts["recordedAudio"]) - 44) / BYTES_A_SECOND


async def test_typed_words_take_the_place_of_what_an_open_microphone_hears() -> None:
    async with on_the_phone(flow(RECORD), flow(HANG_UP)) as live:
        await live.turn(0.25)
        await live.hear(1.0, quiet)
        live.session.say("my flight was late")
        await live.hear(4.0, quiet)
        told = live.outcome["lengthOfRecordingInSecs"]
        assert told == pytest.approx(4.0, abs=0.1)
        assert heard_seconds(live) == pytest.approx(told, abs=0.01)
        assert tone(300, 1.0) in live.bot.told[2].parts["recordedAudio"]


async def test_typed_words_are_recorded_one_after_the_other() -> None:
    async with on_the_phone(flow(RECORD), flow(HANG_UP)) as live:
        await live.turn(0.25)
        live.session.say("my flight")
        live.session.say("was late")
        await live.turn(6.0)
        told = live.outcome["lengthOfRecordingInSecs"]
        assert told == pytest.approx(4.0, abs=0.1)
        assert heard_seconds(live) == pytest.approx(told, abs=0.01)


async def test_a_recording_is_no_longer_than_the_bot_wants_it_whatever_is_typed() -> None:
    async with on_the_phone(flow(RECORD | {"maxDurationInSeconds": 2}), flow(MENU)) as live:
        await live.turn(0.25)
        await live.hear(0.5, loud)
        live.session.say("my flight was late")
        live.session.say("was late")
        await live.hear(1.6, loud)
        assert live.outcome["completionReason"] == "maxRecordingTimeout"
        assert heard_seconds(live) == 2.0
        await live.turn(1.0)
        await live.hear(0.5, quiet)
        await live.hear(0.8, loud)
        await live.hear(0.6, quiet)
        assert live.bot.outcomes[2]["choiceOutcome"]["choiceName"] == "sales"  # it is listened to again


async def test_a_voice_that_goes_on_after_typed_words_is_still_one() -> None:
    async with on_the_phone(flow(RECORD), flow(HANG_UP)) as live:
        await live.turn(0.25)
        await live.hear(0.5, loud)
        live.session.say("my flight was late")
        await live.hear(4.5, loud)
        assert len(live.bot.outcomes) == 1
        await live.hear(3.0, quiet)
        assert heard_seconds(live) == pytest.approx(live.outcome["lengthOfRecordingInSecs"], abs=0.11)


async def test_a_microphone_that_sends_nothing_records_silence() -> None:
    async with on_the_phone(flow(RECORD | {"stopTones": ["#"]}), flow(HANG_UP)) as live:
        await live.turn(1.25)
        live.session.press("#")
        await live.turn()
        assert live.outcome["completionReason"] == "completedStopToneDetected"
        assert set(live.bot.told[2].parts["recordedAudio"][44:]) == {0}


async def test_who_leaves_is_gone_whatever_is_going_on() -> None:
    async with on_the_phone(flow(MENU), flow(HANG_UP)) as live:
        live.session.hang_up()
        await live.turn()
        assert live.events[-1] == Ended("caller", "left")
        assert live.bot.results[-1]["callState"] == "terminated"
        live.session.press("1")
        live.session.audio(loud(0.1))
        await settled()
        assert isinstance(live.events[-1], Ended)


async def test_the_line_can_break() -> None:
    async with on_the_phone(flow(DIGITS), flow(HANG_UP)) as live:
        live.session.trouble()
        await live.turn()
        assert live.outcome["collectDigitsOutcome"]["completionReason"] == "temporarySystemFailure"


async def test_what_is_listened_for_is_told() -> None:
    async with on_the_phone(flow(MENU), flow(DIGITS), flow(RECORD)) as live:
        live.session.press("1")
        await live.turn()
        live.session.press("42#")
        await live.turn(0.3)
        kinds = [(heard.kind, heard.terminators) for heard in live.all(ListensFor)]
        assert kinds == [("choice", ""), ("digits", "#"), ("recording", "")]
        assert live.all(ListensFor)[0].choices[0].speech == ("sales",)


async def test_paced_sound_comes_in_frames_at_their_time() -> None:
    async with on_the_phone(flow(SAY), flow(HANG_UP), paced=True) as live:
        assert len(live.all(PromptAudio)) == 1
        await live.turn(0.5)
        assert len(live.all(PromptAudio)) == 26
        assert {len(frame.samples) for frame in live.all(PromptAudio)} == {640}
        assert live.session.player.late == 0


@pytest.mark.parametrize("key", ["x", "", "12", "E"])
async def test_what_is_no_key_is_refused(key: str) -> None:
    async with on_the_phone(flow(MENU)) as live:
        with pytest.raises(ValueError, match="a key is one of"):
            live.session.key_down(key)


async def test_keys_that_were_pressed_too_early_are_no_answer() -> None:
    async with on_the_phone(flow(MENU), flow(MENU), flow(HANG_UP)) as live:
        live.session.press("11")
        await live.turn()
        assert len(live.bot.outcomes) == 2
        assert live.all(PromptOver) == [PromptOver("menu", interrupted=True)]


async def test_somebody_who_never_stopped_speaking_is_recorded() -> None:
    async with on_the_phone(flow(MENU), flow(RECORD), flow(HANG_UP)) as live:
        await live.hear(0.5, loud)
        live.session.press("1")
        await live.hear(7.0, loud)
        await live.hear(3.0, quiet)
        assert live.bot.outcomes[2]["completionReason"] == "completedSilenceDetected"
