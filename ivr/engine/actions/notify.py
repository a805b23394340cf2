"""`notify`: tells somebody by mail or webhook, and goes on at once; the call never waits for it, and it never fails."""

from ivr.engine import commands
from ivr.engine.actions.base import Common, Notifies, Result
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.scope import Scope
from ivr.engine.values import Recording


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
        subject = self.subject.text(scope) if self.subject else ""
        text = self.text.written(scope) if self.text else ""
        values = [one.value(scope) for one in self.attach]
        media = tuple(value.media for value in values if isinstance(value, Recording) and value.media is not None)
        return Notifies(
            tuple(
                commands.Notify("", self.way, to.text(scope), subject, text, media, computed=not to.literal)
                for to in self.to
            )
        )
