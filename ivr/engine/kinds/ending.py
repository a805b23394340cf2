"""`hangup` and `reject`: the call ends.

To the machine they are the same: a call that nobody has answered is declined, an answered one is hung up. They differ
in what `ivr check` lets an author say before them.
"""

from ivr.engine.kinds.base import Ends, Result
from ivr.engine.kinds.common import Common
from ivr.engine.scope import Scope


class HangUpCall(Common, frozen=True):
    """The action `hangup` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """End the call."""
        return Ends()


class RejectCall(Common, frozen=True):
    """The action `reject` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """End the call."""
        return Ends()
