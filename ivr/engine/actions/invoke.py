"""`invoke`: runs another flow, and goes on with the name that it returns."""

from ivr.engine.actions.base import Common, Invokes, Result
from ivr.engine.flow import Assignment
from ivr.engine.scope import Scope


class Invoke(Common, frozen=True):
    """The action `invoke` (LANGUAGE C4). The states of the other flow are built into this one."""

    arguments: tuple[Assignment, ...]
    "`with`: what the variables of the other flow begin with; by their names here, after that of the state and a slash."
    into: str | None = None
    "The variable that keeps what it returns."

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the returned value, if one does."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Begin the other flow."""
        return Invokes({given.variable: given.value for given in self.arguments})
