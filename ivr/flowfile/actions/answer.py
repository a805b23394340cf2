"""`answer`: how it is written."""

from ivr.engine.actions.answer import AnswerCall
from ivr.flowfile.actions.base import ActionSpec, Builder, Nothing


class AnswerSpec(ActionSpec[Nothing]):
    """The action `answer` (LANGUAGE C4)."""

    word = "answer"
    description = "Takes the call; implied before anything is heard: {}."
    runs = AnswerCall
    model = Nothing

    def build(self, state: str, builder: Builder) -> AnswerCall:
        """Make what the engine runs."""
        return AnswerCall()

    def successes(self) -> tuple[str, ...]:
        """Return that it is done."""
        return ("done",)
