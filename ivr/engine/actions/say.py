"""`say`: speaks; cannot be interrupted."""

from ivr.engine.actions.base import Common, Result, Says
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope


class Say(Common, frozen=True):
    """The action `say` (LANGUAGE C4)."""

    prompt: Prompt

    def start(self, scope: Scope) -> Result:
        """Speak."""
        return Says(scope.prompt(self.prompt))
