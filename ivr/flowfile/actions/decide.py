"""`decide`: how it is written."""

from ivr.engine.actions.decide import Decide
from ivr.flowfile.actions.base import ActionSpec, Builder
from ivr.flowfile.model_parts import Branches


class DecideSpec(ActionSpec[Branches]):
    """The action `decide` (LANGUAGE C4); its branches are a transition of the state (`ivr.flowfile.document`)."""

    word = "decide"
    description = "Goes on by guards, asks nothing."
    runs = Decide
    is_on_the_line = False

    def build(self, state: str, builder: Builder) -> Decide:
        """Make what the engine runs."""
        return Decide()
