"""What the bot has not been told of the line yet (protocol 22)."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from ivr.engine.line_facts import LineFacts

LookAtLine: TypeAlias = Callable[[], LineFacts]
"Return what is known of the line now; asked before each message, and never fails or waits."


class LineNews:
    """Remembers what was told of one line."""

    def __init__(self, look: LookAtLine | None, *, transfer: bool = False, questions: bool = False) -> None:
        """`look` sees the line, None: there is nothing to tell of it; the rest is offered to the bot."""
        self._look = look or LineFacts
        self._offered = {"transfer": transfer or None, "questions": questions or None}
        self._told = LineFacts()

    def take(self, *, last: bool = False) -> LineFacts | None:
        """Return what is new; None: nothing. How the sound was, and why the call ended, is told in its `last` message.

        What changes with each packet would else be news in each message.
        """
        known = replace(self._look(), **self._offered)
        if not last:
            known = replace(known, packets=None, loss=None, jitter=None, ended=None, status=None)
        news = known.since(self._told)
        self._told = self._told.updated(news)
        return None if news == LineFacts() else news
