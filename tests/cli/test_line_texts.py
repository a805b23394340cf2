"""What a line asks a voice for, text by text, is what it asks for when they come together."""

import asyncio
from collections.abc import AsyncIterator

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.audio.workers import Workers
from ivr.channels.skype.speaking import written
from ivr.cli.line_texts import asked_of_a_voice
from ivr.engine.commands import Play, Text
from ivr.media.prompt_renderer import Speaker
from ivr.media.sound import Unplayable
from ivr.phone.wire.workflow import RunnableWorkflow, read_workflow
from ivr.ports import SampleRate
from ivr.speech.wording import PART

BOT = "https://bot.example"
TEXTS = st.builds(
    Text,
    st.text(min_size=1, max_size=40) | st.text("ab .!\n\x00é🎈", max_size=600),
    st.sampled_from(["male", "female"]),
    st.sampled_from(["en-US", "EN-us", "de-AT", "en"]),
    st.sampled_from([None, "letters", "telephone", "yearMonthDay"]),
    st.booleans(),
)


class Listed:
    """A voice that lists what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Text] = []

    async def speak(self, text: Text, *, rate: SampleRate = 16_000) -> AsyncIterator[bytes]:
        self.asked.append(text)
        yield b""


async def nowhere(url: str) -> bytes:
    raise Unplayable(url)


async def heard(texts: list[Text]) -> list[Text]:
    """Send texts to a line, let it speak them, and return what its voice was asked for."""
    workflow = read_workflow(written((Play("1.1", tuple(texts)),), callback=BOT, media_base=BOT))
    assert isinstance(workflow, RunnableWorkflow)
    (command,) = workflow.commands
    assert isinstance(command, Play)
    voice = Listed()
    async for _ in Speaker(voice, nowhere, Workers(), plays=False).render(command.prompt):
        pass
    return voice.asked


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_texts_are_asked_for_together_as_alone(texts: list[Text]) -> None:
    assert asyncio.run(heard(texts)) == [part for text in texts for part in asked_of_a_voice(text)]


def test_a_long_text_is_asked_for_in_parts_of_whole_sentences() -> None:
    text = Text("This is one sentence of many. " * 100, "female", "de-DE")
    parts = asked_of_a_voice(text)
    assert len(parts) > 10
    assert all(len(part.value) <= PART and part.value.endswith(".") for part in parts)
    assert " ".join(part.value for part in parts) == text.value.strip()


def test_of_a_text_that_cannot_be_heard_nothing_is_asked() -> None:
    assert asked_of_a_voice(Text(" \x00\n", "male", "en-US")) == ()
