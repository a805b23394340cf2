"""What `ivr prompts` makes is what a live call asks for: a flow is played by a voice that can do nothing by itself."""

from __future__ import annotations

import asyncio
import json
import math
from array import array
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from ivr.audio.workers import Workers
from ivr.cli import main
from ivr.cli.line_texts import asked_of_a_voice
from ivr.engine.commands import Text
from ivr.errors import SynthesisFailed
from ivr.flowfile.load import load_flow, texts_of
from ivr.media.installed import missing
from ivr.media.pacing import Handle, LoopClock
from ivr.media.prompt_renderer import Speaker
from ivr.media.recorder import Recorder
from ivr.media.sound import BYTES_A_SECOND, Sound, Unplayable
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import Identity
from ivr.phone.net.post import Reply, WebPost
from ivr.phone.phone_events import Ended, ListensFor, PhoneEvent, PromptOver, RecordingBegan
from ivr.phone.platform import Platform, Target
from ivr.phone.session import Session
from ivr.ports import SampleRate
from ivr.speech.voice_cache import CachedVoice, VoiceIdentity
from ivr.speech.voice_folder import VoiceFolder
from ivr.speech.voices.espeak import EspeakVoice
from tests.callers.bot import Bot, dial
from tests.callers.platform import Report
from tests.phone.fake_bot import Told
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")

LONG = " ".join(f"Sentence {number} of a greeting that is longer than one part." for number in range(1, 8))
FLOW = f"""
flow: desk
language: de-AT
voice: female
initial: greet
defaults: {{noInput: [Hallo?], initialSilence: 30s}}
on: {{exhausted: bye, error: broken}}
variables: {{company: Contoso}}
states:
  greet:
    say:
      - Willkommen bei {{{{ company }}}}.
      - {{text: {LONG}, language: en-US, voice: male}}
      - {{silence: 10ms}}
      - {{text: "Tab\\there.", language: en-US, emphasize: true}}
      - {{text: "2026-12-24", sayAs: yearMonthDay, language: en-US}}
    next: ask
  ask:
    menu:
      prompt: {{text: AB, sayAs: letters}}
      noMatch: [Nein., Wieder nicht.]
      maxAttempts: 4
      choices:
        english: {{dtmf: "1", prompt: "Für Englisch die {{{{ key }}}}."}}
        other: {{dtmf: "2", prompt: "Sonst die {{{{ key }}}}."}}
    on:
      english: {{target: note, set: {{language: en-US}}, say: English now.}}
      other: bye
  note:
    record: {{prompt: Speak., transcribe: true, holdPrompt: One moment., into: note, format: wav}}
    next: code
    on: {{error.transcribe: bye}}
  code:
    digits: {{prompt: Your code., reprompt: The code., noMatch: Three keys., minDigits: 3, maxDigits: 3}}
    next: thanks
  thanks: {{say: ["We heard {{{{ note.transcript or 'nothing' }}}}.", "Thank you."], next: bye}}
  bye: {{say: {{text: Goodbye., language: en-US}}, final: true}}
  broken: {{say: Never spoken here., final: true, outcome: failed}}
"""


class Mute:
    """espeak-ng, as far as the cache can tell; it speaks nothing."""

    def __init__(self) -> None:
        self.asked: list[Text] = []

    def identity(self, text: Text) -> VoiceIdentity:
        return EspeakVoice().identity(text)

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.asked.append(text)
        raise SynthesisFailed("mute")
        yield b""


class Noted:
    """A voice in front of another one: what was asked of it."""

    def __init__(self, voice: CachedVoice) -> None:
        self.asked: list[Text] = []
        self._voice = voice

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.asked.append(text)
        if "{{" in text.value or "cancel my flight" in text.value:
            return  # what only a call knows: nobody made it ahead
        async for part in self._voice.speak(text, rate=rate):
            yield part


class HurriedClock(LoopClock):
    """Time that passes a hundred times as fast."""

    def now(self) -> float:
        return super().now() * 100

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        return super().call_at(when / 100, callback)


class Luck(Random):
    """The service answers after one hold prompt, and well."""

    def __init__(self) -> None:
        super().__init__()
        self._holds = [0.9]

    def random(self) -> float:
        return self._holds.pop() if self._holds else 0.5


class FlowAsBot:
    """A flow at the other end of a `Post`."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self._luck = Luck()

    async def send(self, url: str, data: bytes, headers: Mapping[str, str], *, answer_time: float, most: int) -> Reply:
        told = Told(url, headers, data)
        self.bot = self.bot.post(Report(json.dumps(told.json).encode(), told.is_form), self._luck)
        return Reply(200, json.dumps(self.bot.workflow).encode() if self.bot.workflow else b"", 0.0)


def loud(seconds: float) -> bytes:
    count = round(seconds * BYTES_A_SECOND / 2)
    return array("h", (round(8000 * math.sin(index / 9)) for index in range(count))).tobytes()


async def nowhere(url: str) -> bytes:
    raise Unplayable(url)


async def played(bot: FlowAsBot, voice: Noted) -> list[PhoneEvent]:
    """Play the flow to its end: silence, two wrong keys, a choice, a message, silence, a wrong code, a right one."""
    web = WebPost(Guard())
    phone = Platform(Target("http://127.0.0.1:1/call"), bot, Identity("the-app"), metadata="", files=web)
    sound = Sound(Speaker(voice, nowhere, Workers(), plays=True), Recorder(encodes=False), None)
    session = Session(phone, sound, clock=HurriedClock())
    session.dial()
    keys = ["", "9", "9", "1", "", "12", "123"]
    asked, events = "", []
    async with asyncio.timeout(PATIENCE):
        async for event in session.events():
            events.append(event)
            match event:
                case ListensFor(kind="choice" | "digits", op=op):
                    asked = op
                case PromptOver(op=op) if op == asked:
                    session.press(keys.pop(0))
                case RecordingBegan():
                    session.audio(loud(1.0))
                    session.press("#")
    await web.close()
    return events


def spoken(file: Path) -> set[Text]:
    """Return all that a voice is asked for, but for what only a call knows, and a state that is not come to."""
    bundle = load_flow(file).bundle
    assert bundle is not None
    texts = (text for one in texts_of(bundle) if one.state != "broken" for text in one.spoken)
    return {part for text in texts for part in asked_of_a_voice(text)}


def test_every_text_of_a_live_call_that_is_the_same_in_all_is_there_before_it(tmp_path: Path) -> None:
    file, folder = tmp_path / "desk.yaml", tmp_path / "voices"
    file.write_text(FLOW, "utf-8")
    result = CliRunner().invoke(main, ["prompts", str(file), "--tts", "espeak", "--cache", str(folder)])
    assert result.exit_code == 0, result.output
    mute = Mute()
    voice = Noted(CachedVoice(mute, mute.identity, at_once=4, folder=VoiceFolder(folder, most=1 << 30)))
    bot = FlowAsBot(dial(load_flow(file).served()))
    events = asyncio.run(played(bot, voice))
    assert isinstance(events[-1], Ended)
    assert mute.asked == []
    assert {text for text in voice.asked if "cancel my flight" not in text.value} == spoken(file)
