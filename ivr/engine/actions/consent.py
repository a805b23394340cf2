"""`consent`: asks for a yes that a recording can depend on: a menu of two choices."""

from ivr.engine.actions.base import Raised
from ivr.engine.actions.menu import Menu
from ivr.engine.scope import Scope
from ivr.engine.values import Value

GIVEN = "given"
REFUSED = "refused"
"What the two choices are called, on the line as in the flow."


class Consent(Menu, frozen=True):
    """The action `consent` (LANGUAGE C4)."""

    def _answered(self, scope: Scope, answer: Value) -> Raised:
        """Raise what the caller said, which a variable keeps as true or false."""
        return Raised(str(answer), stores={self.into: answer == GIVEN} if self.into else {})
