"""`invoke`: runs another flow, and goes on with the name that it returns."""

from collections.abc import Mapping

from ivr.engine.actions.base import Common, Invokes, Result
from ivr.engine.expressions.compile import Template
from ivr.engine.scope import Scope


class Invoke(Common, frozen=True):
    """The action `invoke` (LANGUAGE C4). The states of the other flow are built into this one."""

    arguments: Mapping[str, Template]
    "`with`: what the variables of the other flow begin with, by their names there."
    into: str | None = None
    "The variable that keeps what it returns."

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the returned value, if one does."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Begin the other flow."""
        return Invokes(self.arguments)
