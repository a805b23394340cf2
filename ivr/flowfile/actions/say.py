"""`say`: how it is written."""

from collections.abc import Iterator

from ivr.engine.actions.say import Say
from ivr.flowfile.actions.base import ActionSpec, Builder
from ivr.flowfile.model_parts import Prompt, Spoken, spoken
from ivr.flowfile.source import Path


class SaySpec(ActionSpec[Prompt]):
    """The action `say` (LANGUAGE C4)."""

    word = "say"
    description = "Speaks; cannot be interrupted."
    runs = Say
    may_be_final = True

    def build(self, state: str, builder: Builder) -> Say:
        """Make what the engine runs."""
        return Say(builder.prompt(self.written))

    def successes(self) -> tuple[str, ...]:
        """Return that it is done."""
        return ("done",)

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through what it says."""
        yield from spoken(self.written, here)
