"""`decide`: goes on by guards, asks nothing."""

from ivr.engine.actions.base import Common, Raised, Result
from ivr.engine.scope import Scope

DECIDED = "decided"
"The event whose transition holds the branches of a `decide`; authors never see or write it."


class Decide(Common, frozen=True):
    """The action `decide` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """Go on at once."""
        return Raised(DECIDED)
