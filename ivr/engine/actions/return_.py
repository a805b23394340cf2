"""`return`: ends an invoked flow, and says to the one that invoked it how. The word itself is one of Python's."""

from ivr.engine.actions.base import Common, Result, Returns
from ivr.engine.expressions.compile import Template
from ivr.engine.scope import Scope


class Return(Common, frozen=True):
    """The action `return` (LANGUAGE C4)."""

    event: str
    "What the invoking state raises."
    value: Template | None = None
    private: bool = False
    "The value is made of private ones."

    def start(self, scope: Scope) -> Result:
        """Go back."""
        return Returns(self.event, self.value, self.private)
