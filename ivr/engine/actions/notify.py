"""`notify`: tells somebody by mail or webhook, and goes on at once; the call never waits for it, and it never fails."""

from ivr.engine import commands
from ivr.engine.actions.base import Common, Notifies, Result
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.scope import Scope
from ivr.engine.values import Recording
from ivr.engine.web_addresses import written_address

_TIMES = frozenset({"now", "today"})


class Notify(Common, frozen=True):
    """The action `notify` (LANGUAGE C4)."""

    way: commands.NotificationWay
    to: tuple[Template, ...]
    "Each is told by itself: one that cannot be reached keeps no other from being told."
    subject: Template | None = None
    text: Template | None = None
    attach: tuple[Expression, ...] = ()
    "What is no recording is not attached: there was none."

    def start(self, scope: Scope) -> Result:
        """Order what is told, and go on."""
        subject, text = self._texts(scope)
        values = [one.value(scope) for one in self.attach]
        media = tuple(value.media for value in values if isinstance(value, Recording) and value.media is not None)
        return Notifies(
            tuple(
                commands.Notify("", self.way, self._address(to, scope), subject, text, media, computed=not to.literal)
                for to in self.to
            ),
            self._texts(_at_the_beginning(scope)) if self._tells_time else (subject, text),
        )

    def _address(self, to: Template, scope: Scope) -> str:
        return written_address(to, scope) if self.way == "webhook" else to.text(scope)

    @property
    def _tells_time(self) -> bool:
        texts = (one for one in (self.subject, self.text) if one)
        return any(not expression.roots.isdisjoint(_TIMES) for text in texts for expression in text.expressions)

    def _texts(self, scope: Scope) -> tuple[str, str]:
        return self.subject.text(scope) if self.subject else "", self.text.written(scope) if self.text else ""


def _at_the_beginning(scope: Scope) -> Scope:
    """Return the same scope, in which it is still the time at which the call came in."""
    started = scope.started
    return scope.having({"now": started, "today": started.date()})
