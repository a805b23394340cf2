"""`digits`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.engine import commands
from ivr.engine.actions import digits as engine
from ivr.engine.expressions.types import TEXT, Type
from ivr.flowfile.actions.base import (
    AnsweredSpec,
    Builder,
    Confirmed,
    LineNeed,
    Matching,
    fractions,
    two_times,
    written_or,
)
from ivr.flowfile.choices import Command
from ivr.flowfile.fields import Bool, Terminators, Time, Whole
from ivr.flowfile.model_base import Model
from ivr.flowfile.source import Path


class Digits(Matching, Confirmed):
    """Asks for keys."""

    min_digits: Annotated[int, Whole(0, 20)] = Field(
        1, description="0 to 20, default 1; 0: the terminator alone is an empty answer."
    )
    max_digits: Annotated[int, Whole(1, 20)] = Field(20, description="1 to 20, default 20.")
    inter_digit: Annotated[float, Time(1, 5)] | None = Field(
        None, description="The longest pause between two keys: 1s to 5s, default 3s."
    )
    terminators: Annotated[str, Terminators()] = Field(
        "#", description='Keys that end the input, as one text in quotes: default "#"; or none.'
    )
    sensitive: Bool = Field(False, description="The keys are private: never spoken, logged or traced.")


class DigitsSpec(AnsweredSpec[Digits]):
    """The action `digits` (LANGUAGE C4)."""

    word = "digits"
    description = "Asks for keys."
    runs = engine.Digits
    model: ClassVar[type[Model] | None] = Digits
    attempts_fail_by = ("noInput", "noMatch")
    event_fields = ("digits",)
    answer_called = "a sequence of keys"
    private_fields = frozenset({"digits"})

    @property
    def answer_type(self) -> Type:
        """The type of a variable that `into` alone declares."""
        return TEXT

    @property
    def kept_as(self) -> frozenset[str]:
        """The types of variables that can keep an answer."""
        return frozenset({"text", "integer", "decimal", "date", "time"})

    @property
    def is_sensitive(self) -> bool:
        """Whether the author says that the keys are private."""
        return self.written.sensitive

    def build(self, state: str, builder: Builder) -> engine.Digits:
        """Make what the engine runs."""
        asked, defaults = self.written, builder.defaults
        variable = builder.variables[asked.into] if asked.into else None
        return engine.Digits(
            self.question(builder),
            keys=commands.DigitInput(
                minimum=asked.min_digits,
                maximum=asked.max_digits,
                terminators=asked.terminators,
                inter_digit=written_or(asked.inter_digit, defaults.inter_digit),
            ),
            variable=variable,
            sensitive=asked.sensitive or (variable is not None and variable.sensitive),
        )

    def understood(self, commands: Mapping[str, Command]) -> Mapping[str, Command]:
        """Return the commands that have a key: a line that collects keys hears no words."""
        return {name: command for name, command in super().understood(commands).items() if command.dtmf}

    def successes(self) -> tuple[str, ...]:
        """Return that keys were accepted."""
        return ("digits",)

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return the keys, as text."""
        return {"digits": TEXT} if event == "digits" else {}

    def stores_on(self, event: str) -> bool:
        """Return whether keys were accepted."""
        return event == "digits"

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return how many keys are to end the input, and what is wanted of its times."""
        asked = self.written
        yield from super().needs(here)
        yield LineNeed("terminators", (*here, "terminators"), len(asked.terminators))
        if asked.min_digits == 0:
            yield LineNeed("emptyAnswer", (*here, "minDigits"))
        yield from two_times(here, asked.initial_silence, asked.inter_digit)
        yield from fractions(here, interDigit=asked.inter_digit)
