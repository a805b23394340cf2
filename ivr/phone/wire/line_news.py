"""What the bot has not been told of the line yet (protocol 22)."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from ivr.engine.line_facts import LineFacts

LookAtLine: TypeAlias = Callable[[], LineFacts]
"Return what is known of the line now; asked before each message, and never fails or waits."


class LineNews:
    """Remembers what was told of one line."""

    def __init__(self, look: LookAtLine | None) -> None:
        """`look` sees the line; None: there is nothing to tell of it."""
        self._look = look
        self._told = LineFacts()

    @property
    def offers_transfer(self) -> bool:
        """Whether the bot was told that its caller can be connected with somebody else."""
        return self._told.transfer is True

    def take(self, *, last: bool = False) -> LineFacts | None:
        """Return what is new; None: nothing. How the sound was, and why the call ended, is told in its `last` message.

        What changes with each packet would else be news in each message.
        """
        if self._look is None:
            return None
        known = self._look()
        if not last:
            known = replace(known, packets=None, loss=None, jitter=None, ended=None)
        news = known.since(self._told)
        self._told = self._told.updated(news)
        return None if news == LineFacts() else news
