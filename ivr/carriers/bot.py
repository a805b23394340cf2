"""A bot, as a carrier sees it: an address that is sent requests and answers with a document."""

from typing import Protocol

from msgspec import Struct


class BotRequest(Struct, frozen=True):
    """One request, complete and signed."""

    method: str
    "`POST` or `GET`."
    url: str
    "Absolute, letter by letter as it was signed."
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: float = 0.0
    "Seconds since the call began, by the caller's clock; time may be simulated."


class BotReply(Struct, frozen=True):
    """What the bot answered."""

    status: int
    content_type: str
    "Without parameters, in small letters; empty: none was sent."
    body: bytes


class BotFailed(Exception):
    """Nothing came back that could be used; `str()` says why, for people."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is one word: `timeout`, `connect`, or what else it was."""
        super().__init__(message)
        self.code = code


class Bot(Protocol):
    """Whatever answers: an HTTP client, or a server in the same process."""

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        """Return the answer to a request; raise BotFailed if there is none within that many seconds."""
