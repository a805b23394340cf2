"""A card on a line that shows nothing: what is heard is its text, and of one without text nothing."""

from collections.abc import Callable, Sequence

import pytest

from ivr.audio.workers import Workers
from ivr.channels.jambonz.prompts import prompt_parts
from ivr.channels.jambonz.wire import Synthesizer
from ivr.channels.skype.prompts import prompts
from ivr.channels.twiml.prompts import Prompts
from ivr.engine.cards import CardFace
from ivr.engine.commands import Audio, Card, Recorded, Segment, Silence, Text
from ivr.line import PromptStarted
from ivr.media.prompt_renderer import Speaker
from ivr.media.sound import PromptRenderer, SilentRenderer
from ivr.phone.phone_events import events_of_effect

WORDS = Text("It leaves at ten.", "female", "en-GB")
CARD = Card(CardFace("hero", title="Flight OS 123", text=WORDS.value), WORDS.voice, WORDS.language)
SILENT = Card(CardFace("hero", title="Flight OS 124"), "female", "en-GB")
SHOWN: tuple[Segment, ...] = (Silence(5), CARD, SILENT, CARD)
HEARD: tuple[Segment, ...] = (Silence(5), WORDS, WORDS)
TWIML = Prompts(media_base="https://ivr.example/media", recording=None)


def nowhere(file: Audio | Recorded) -> None:
    return None


def speaker(text: Text) -> Synthesizer:
    return Synthesizer(vendor="default", language=text.language)


WRITERS: dict[str, Callable[[Sequence[Segment]], object]] = {
    "skype": lambda segments: prompts(segments, media_base="https://ivr.example/media"),
    "twiml": lambda segments: TWIML.verbs(segments, now=0.0),
    "twiml, divided": TWIML.divided,
    "jambonz": lambda segments: prompt_parts(segments, nowhere, speaker),
    "the phone's screen": lambda segments: list(
        events_of_effect(PromptStarted("1.1", tuple(segments), interruptible=False), "")
    ),
}


@pytest.mark.parametrize("line", WRITERS)
def test_a_line_is_told_the_words_of_a_card(line: str) -> None:
    assert WRITERS[line](SHOWN) == WRITERS[line](HEARD)


async def silence_instead(url: str) -> bytes:
    return b""


@pytest.mark.parametrize("renderer", [SilentRenderer(), Speaker(None, silence_instead, Workers(), plays=True)])
async def test_a_card_takes_the_time_of_its_words(renderer: PromptRenderer) -> None:
    shown = [piece.seconds async for piece in renderer.render(SHOWN)]
    assert shown == [piece.seconds async for piece in renderer.render(HEARD)]
    await renderer.prepare(SHOWN)
