"""`hangup`: how it is written."""

from ivr.engine.actions.hangup import HangUpCall
from ivr.flowfile.actions.base import ActionSpec, Builder, Nothing


class HangUpSpec(ActionSpec[Nothing]):
    """The action `hangup` (LANGUAGE C4)."""

    word = "hangup"
    description = "Ends the call: {}."
    runs = HangUpCall
    model = Nothing
    ends_the_call = True
    may_be_final = True

    def build(self, state: str, builder: Builder) -> HangUpCall:
        """Make what the engine runs."""
        return HangUpCall()
