"""`ask`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, get_args

from pydantic import Field

from ivr.engine.actions import ask as engine
from ivr.engine.commands import FreeSpeech
from ivr.engine.expressions.types import BOOLEAN, DATE, TEXT, Type
from ivr.flowfile.actions.base import Builder, LineNeed
from ivr.flowfile.actions.digits import Digits, DigitsSpec
from ivr.flowfile.choices import Command
from ivr.flowfile.fields import OneOf
from ivr.flowfile.source import Path


class Ask(Digits):
    """Asks for one value, by keys or in words."""

    speech: Annotated[FreeSpeech, OneOf(*get_args(FreeSpeech))] = Field(
        description="What is said: number, date, yesno. On lines that recognise free speech; keys do everywhere."
    )


class AskSpec(DigitsSpec):
    """The action `ask` (LANGUAGE C4)."""

    word = "ask"
    description = "Asks for one value, by keys or in words."
    runs = engine.Ask
    model = Ask
    answer_called = "a sequence of keys, or what is said instead"
    written: Ask

    @property
    def answer_type(self) -> Type:
        """The type of a variable that `into` alone declares: what is asked for."""
        return {"date": DATE, "yesno": BOOLEAN}.get(self.written.speech, TEXT)

    @property
    def kept_as(self) -> frozenset[str]:
        """The types of variables that can keep an answer."""
        return super().kept_as | ({"boolean"} if self.written.speech == "yesno" else set())

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return that a value is said."""
        yield from super().needs(here)
        yield LineNeed("freeSpeech", (*here, "speech"))

    def build(self, state: str, builder: Builder) -> engine.Ask:
        """Make what the engine runs."""
        asked = super().build(state, builder)
        return engine.Ask(asked.question, asked.keys, asked.variable, asked.sensitive, self.written.speech)

    def understood(self, commands: Mapping[str, Command]) -> Mapping[str, Command]:
        """Return all commands: here they can be said, too."""
        return commands if self.written.commands else {}
