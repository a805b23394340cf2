"""`decide`: goes on by guards, asks nothing."""

from ivr.engine.kinds.base import Raised, Result
from ivr.engine.kinds.common import Common
from ivr.engine.scope import Scope

DECIDED = "decided"
"The event whose transition holds the branches of a `decide`; authors never see or write it."


class Decide(Common, frozen=True):
    """The action `decide` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """Go on at once."""
        return Raised(DECIDED)
