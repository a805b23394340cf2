"""`hangup`: the call ends.

To the machine it is the same as `reject`: a call that nobody has answered is declined, an answered one is hung up. They
differ in what `ivr check` lets an author say before them.
"""

from ivr.engine.actions.base import Common, Ends, Result
from ivr.engine.scope import Scope


class HangUpCall(Common, frozen=True):
    """The action `hangup` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """End the call."""
        return Ends()
