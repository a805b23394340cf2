"""`pause`: how it is written."""

from typing import Annotated, TypeAlias

from ivr.engine.actions.pause import Pause
from ivr.flowfile.actions.base import ActionSpec, Builder
from ivr.flowfile.fields import Time

PauseLength: TypeAlias = Annotated[float, Time(0.1, 60)]
"Seconds; one prompt of a line holds no more."


class PauseSpec(ActionSpec[PauseLength]):
    """The action `pause` (LANGUAGE C4)."""

    word = "pause"
    description = "Waits in silence: 100ms to 60s; cannot be interrupted."
    runs = Pause
    may_be_final = True

    def build(self, state: str, builder: Builder) -> Pause:
        """Make what the engine runs."""
        return Pause(round(self.written * 1000))

    def successes(self) -> tuple[str, ...]:
        """Return that it is done."""
        return ("done",)
