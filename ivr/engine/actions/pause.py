"""`pause`: waits a given time in silence; cannot be interrupted."""

from ivr.engine.actions.base import Common, Result, Says
from ivr.engine.commands import Silence
from ivr.engine.scope import Scope


class Pause(Common, frozen=True):
    """The action `pause` (LANGUAGE C4)."""

    milliseconds: int

    def start(self, scope: Scope) -> Result:
        """Be silent."""
        return Says((Silence(self.milliseconds),))
