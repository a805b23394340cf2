"""`split`: how it is written."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from ivr.engine.actions import split as engine
from ivr.engine.expressions.compile import compile_expression
from ivr.engine.expressions.types import TEXT, Type
from ivr.flowfile.actions.base import Builder, KeepingSpec, kept_in
from ivr.flowfile.containers import Fields
from ivr.flowfile.fields import ChoiceName, Guard, Json, ScalarField, Text, VariableName, refused
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Read
from ivr.flowfile.source import Path

BY = "call.party"
"By what callers are shared out unless the author says otherwise: who is on the line always gets the same."
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")


class Percent(ScalarField):
    """A share of a hundred, in hundredths of a percent: `50`, `12.5`."""

    def read(self, text: str) -> int:
        """Read the number."""
        if not _PERCENT.fullmatch(text.strip()) or Decimal(text) > 100:
            number = text.strip().removesuffix("%").rstrip()
            meant = number if _PERCENT.fullmatch(number) else None
            advice = f"Write {meant}." if meant else "Write a number from 0 to 100, such as 50 or 12.5."
            raise refused("value", f'"{text}" is not a number of percent.', advice, meant=meant)
        return int(Decimal(text) * 100)

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "number", "minimum": 0, "maximum": 100}


class Split(Model):
    """Shares callers out."""

    name: Text = Field(description="The experiment; a new name deals again.")
    by: Guard | None = Field(
        None, description="Expression whose value decides; default call.party, call.id for chance."
    )
    shares: Annotated[
        dict[Annotated[str, ChoiceName()], Annotated[int, Percent()]], Fields("shares with their percent")
    ] = Field(description="The shares by name, in percent, together 100; each name is an event.", min_length=1)
    into: Annotated[str, VariableName()] | None = Field(None, description="The variable that keeps the share's name.")


class SplitSpec(KeepingSpec[Split]):
    """The action `split` (LANGUAGE C4)."""

    word = "split"
    description = "Shares callers out: each call goes on with the name of one share."
    runs = engine.Split
    model = Split
    is_on_the_line = False
    event_fields = ("value",)
    answer_type = TEXT
    kept_as = frozenset({"text"})
    answer_called = "the name of a share"

    @classmethod
    def may_change_events(cls, inner: Path) -> bool:
        """Return whether a share was cut out."""
        return inner[:1] == ("shares",)

    def build(self, state: str, builder: Builder) -> engine.Split:
        """Make what the engine runs."""
        shares = tuple(engine.Share(name, size) for name, size in self.written.shares.items())
        by = builder.expression(self.written.by) if self.written.by else compile_expression(BY)
        return engine.Split(self.written.name, by, shares, self.written.into)

    def successes(self) -> tuple[str, ...]:
        """Return the names of the shares, each of which is an event."""
        return tuple(self.written.shares)

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return the name of the share."""
        return {"value": TEXT} if event in self.written.shares else {}

    def stores_on(self, event: str) -> bool:
        """Return whether this is a share."""
        return event in self.written.shares

    def kept_in(self, state: str) -> str:
        """Return the variable that keeps the share's name."""
        return kept_in(state, self.written.into)

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through what callers are shared out by."""
        if self.written.by is not None:
            yield Read((*here, "by"), self.written.by, "expression")
