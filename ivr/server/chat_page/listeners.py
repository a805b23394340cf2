"""Who waits for messages of a conversation, and that they are not too many: a browser asks, and is answered later."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ivr.errors import WebhookError

OF_ONE: Final = 2
"Browsers that wait for one conversation; of more, the one that has waited longest is answered with nothing."


class Listeners:
    """All that wait."""

    def __init__(self, most: int) -> None:
        """`most`: how many wait at a time, in all conversations."""
        self._most = most
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    @property
    def closed(self) -> bool:
        """Whether nobody waits any more: the server goes down."""
        return self._closed

    @contextmanager
    def listening(self, conversation: str) -> Iterator[asyncio.Event]:
        """Return what is set once there is something; raise WebhookError (503) if too many wait."""
        others = self._waiting.setdefault(conversation, [])
        if len(others) >= OF_ONE:
            others[0].set()
        elif self._count >= self._most:
            self._forget(conversation)
            raise WebhookError(503, "busy", "Too many pages are waiting. Try again in a moment.")
        heard = asyncio.Event()
        others.append(heard)
        self._count += 1
        try:
            yield heard
        finally:
            others.remove(heard)
            self._count -= 1
            self._forget(conversation)

    def wake(self, conversation: str) -> None:
        """Let everybody know who waits for this conversation."""
        for heard in self._waiting.get(conversation, ()):
            heard.set()

    def close(self) -> None:
        """Let everybody go."""
        self._closed = True
        for conversation in list(self._waiting):
            self.wake(conversation)

    def _forget(self, conversation: str) -> None:
        if not self._waiting.get(conversation, True):
            del self._waiting[conversation]
