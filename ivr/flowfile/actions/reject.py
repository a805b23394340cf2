"""`reject`: how it is written."""

from collections.abc import Iterator

from ivr.engine.actions.reject import RejectCall
from ivr.flowfile.actions.base import ActionSpec, Builder, LineNeed, Nothing
from ivr.flowfile.source import Path


class RejectSpec(ActionSpec[Nothing]):
    """The action `reject` (LANGUAGE C4)."""

    word = "reject"
    description = "Declines a call that has not been answered: {}."
    runs = RejectCall
    model = Nothing
    ends_the_call = True
    may_be_final = True

    def build(self, state: str, builder: Builder) -> RejectCall:
        """Make what the engine runs."""
        return RejectCall()

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return that a call is declined."""
        yield LineNeed("reject", here)
