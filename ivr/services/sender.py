"""What the worker of the outbox promises a sender, and what a sender promises it."""

from typing import Protocol

from msgspec import Struct

from ivr.errors import IvrError
from ivr.outbox import Notification


class NotSent(IvrError):
    """Something could not be sent; the text is for the operator."""

    def __init__(
        self, code: str, reason: str, *, for_good: bool = False, pause: float | None = None, status: int = 0
    ) -> None:
        """`code` is one word of ours, for the log; `for_good`: no later try can go better.

        `pause`: seconds for which the other side wants not to be asked. `status`: what it answered; 0: nothing.
        """
        super().__init__(reason)
        self.code = code
        self.for_good = for_good
        self.pause = pause
        self.status = status


class Sender(Protocol):
    """One way to tell somebody."""

    async def send(self, notification: Notification) -> None:
        """Send, or raise NotSent. May be run again after a crash: what is sent then has the same id."""


class Attachment(Struct, frozen=True):
    """A recording for who is told."""

    name: str
    content: bytes
    content_type: str
    address: str
    "Where it can be heard for some days."


class Attachments(Protocol):
    """The recordings that are sent along."""

    async def of(self, media: str, number: int) -> Attachment | None:
        """Return a recording, the `number`-th of its notification; None: it was erased."""


def cleaned(text: str, most: int) -> str:
    """Return a stranger's text as one short line of printable characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:most]
