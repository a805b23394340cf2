"""`reject`: the call ends before anybody has answered it; see `hangup`."""

from ivr.engine.actions.base import Common, Ends, Result
from ivr.engine.scope import Scope


class RejectCall(Common, frozen=True):
    """The action `reject` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """End the call."""
        return Ends()
