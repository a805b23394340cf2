"""`transfer`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, get_args

from pydantic import Field

from ivr.engine.actions.transfer import TransferCall
from ivr.engine.destinations import address
from ivr.engine.events import TransferFailure
from ivr.engine.expressions.types import TEXT, Type
from ivr.flowfile.actions.base import ActionSpec, Builder, LineNeed, fractions
from ivr.flowfile.fields import Text, Time
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Read
from ivr.flowfile.source import Path

TRANSFER_FAILURES: Final = tuple(f"failed.{reason}" for reason in get_args(TransferFailure))


class Transfer(Model):
    """Connects the caller with somebody else."""

    to: Text = Field(description="A number with +, a SIP address, or a name of destinations.")
    timeout: Annotated[float, Time(5, 120)] | None = Field(
        None, description="How long it may ring: 5s to 2m, default 30s."
    )
    whisper: Text | None = Field(None, description="What whoever answers is shown of the caller.")


class TransferSpec(ActionSpec[Transfer]):
    """The action `transfer` (LANGUAGE C4)."""

    word = "transfer"
    description = "Connects the caller with somebody else."
    runs = TransferCall
    model = Transfer
    may_lack_next = True
    event_fields = ("reason",)

    def build(self, state: str, builder: Builder) -> TransferCall:
        """Make what the engine runs."""
        asked = self.written
        return TransferCall(
            to=builder.template(asked.to),
            destinations=builder.destinations,
            timeout=asked.timeout,
            whisper=builder.template(asked.whisper) if asked.whisper else None,
        )

    def successes(self) -> tuple[str, ...]:
        """Return that the caller is connected: what `next` may stand for."""
        return ("transferred",)

    def failures(self) -> tuple[str, ...]:
        """Return why the caller may not be."""
        return TRANSFER_FAILURES

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return why the caller was not connected, in one word."""
        return {"reason": TEXT} if event in TRANSFER_FAILURES else {}

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through where to, and what whoever answers is shown."""
        yield Read((*here, "to"), self.written.to, "sent")
        if self.written.whisper:
            yield Read((*here, "whisper"), self.written.whisper, "sent")

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return that the caller is connected with somebody else."""
        yield LineNeed("transfer", here)
        if self.written.whisper:
            yield LineNeed("whisper", (*here, "whisper"))
        yield from fractions(here, timeout=self.written.timeout)


def addresses(destinations: Mapping[str, str]) -> Mapping[str, str]:
    """Return the addresses of a flow's destinations by name, as far as they are some."""
    found = ((name, address(written)) for name, written in destinations.items())
    return {name: there for name, there in found if there is not None}
