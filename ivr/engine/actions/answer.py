"""`answer`: takes the call, and goes on when the line says that it is taken.

Every other action takes the call by itself where it must, in the same reply; who writes `answer` out wants to know
that somebody is there before anything else happens.
"""

from ivr.engine.actions.base import Common, Raised, Result, Takes
from ivr.engine.events import Event, OperationDone
from ivr.engine.scope import Scope


class AnswerCall(Common, frozen=True):
    """The action `answer` (LANGUAGE C4)."""

    def start(self, scope: Scope) -> Result:
        """Take the call."""
        return Takes()

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Go on once the line has taken it."""
        return Raised("done") if isinstance(event, OperationDone) else None
