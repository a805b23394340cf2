"""Who waits for messages of a conversation, and that they are not too many: a browser asks, and is answered later."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ivr.errors import WebhookError

OF_ONE: Final = 2
"Browsers that wait for one conversation; of more, the one that has waited longest is answered with nothing."
OF_VISITOR: Final = 16
"The same for all conversations of one visitor, who can begin any number of them: the places are everybody's."


class Listeners:
    """All that wait."""

    def __init__(self, most: int) -> None:
        """`most`: how many wait at a time, in all conversations."""
        self._most = most
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self._visitors: dict[str, list[asyncio.Event]] = {}
        self._count = 0
        self._closed = False

    def __len__(self) -> int:
        return self._count

    @property
    def closed(self) -> bool:
        """Whether nobody waits any more: the server goes down."""
        return self._closed

    @contextmanager
    def listening(self, conversation: str, visitor: str) -> Iterator[asyncio.Event]:
        """Return what is set once there is something; raise WebhookError (503) if too many wait."""
        others, own = self._waiting.get(conversation, ()), self._visitors.get(visitor, ())
        has_let_go = _let_go(others, OF_ONE) or _let_go(own, OF_VISITOR)
        if not has_let_go and self._count >= self._most:
            raise WebhookError(503, "busy", "Too many pages are waiting. Try again in a moment.")
        heard = asyncio.Event()
        self._count += 1
        try:
            with _among(self._waiting, conversation, heard), _among(self._visitors, visitor, heard):
                yield heard
        finally:
            self._count -= 1

    def wake(self, conversation: str) -> None:
        """Let everybody know who waits for this conversation."""
        for heard in self._waiting.get(conversation, ()):
            heard.set()

    def close(self) -> None:
        """Let everybody go."""
        self._closed = True
        for conversation in list(self._waiting):
            self.wake(conversation)


def _let_go(some: Sequence[asyncio.Event], most: int) -> bool:
    """Let the one go that has waited longest, if as many wait as may; who is going already is none of them."""
    waiting = [one for one in some if not one.is_set()]
    if len(waiting) < most:
        return False
    waiting[0].set()
    return True


@contextmanager
def _among(all_: dict[str, list[asyncio.Event]], name: str, heard: asyncio.Event) -> Iterator[None]:
    """Keep somebody who waits among those of a name; a name for which nobody waits takes no room."""
    some = all_.setdefault(name, [])
    some.append(heard)
    try:
        yield
    finally:
        some.remove(heard)
        if not some:
            del all_[name]
