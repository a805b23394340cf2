"""What a server has said in conversations that nobody is sent to: it waits here for whoever comes and reads it."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Protocol

from msgspec import Struct

KEPT: Final = 200
"Messages of a conversation that are kept; the oldest go first."


class Mail(Struct, frozen=True):
    """One message."""

    id: str
    "Its name, which tells nothing of the call's."
    body: bytes
    "JSON."


class Mailbox(Protocol):
    """The messages of all conversations. Raises StoreUnavailable.

    What `put` has taken survives `kill -9` and power loss, and is erased with the call that said it.
    """

    async def put(self, name: str, conversation: str, body: bytes, *, at: float) -> None:
        """Take a message, at the end of its conversation; of a name that is known, nothing is taken once more.

        `name` is our id of the call, a point, and its own (`PlatformRequest.id`); `at` is the time, in seconds since
        1970. Of a call that was erased meanwhile nothing is kept.
        """

    async def after(self, conversation: str, last: str, *, limit: int) -> Sequence[Mail]:
        """Return the messages that follow one, the oldest first; of one that is not known, all."""


def mail_id(name: str) -> str:
    """Return the id of a message, by its name."""
    return sha256(name.encode()).hexdigest()[:24]
