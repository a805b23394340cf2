"""The WebSocket of a `listen`, from jambonz's side: frames of sound and texts to the bot, its wishes back."""

import json
from array import array
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ivr.audio.formats import RATE, WIDTH
from ivr.carriers.jambonz.hook_delivery import basic
from ivr.carriers.jambonz.verbs import Listen

SUBPROTOCOL = "audio.jambonz.org"
"Older builds say `audio.drachtio.org`."
FRAME = 0.02
"Seconds of one frame."


class StreamRequest(Struct, frozen=True):
    """What opens one."""

    url: str
    headers: tuple[tuple[str, str], ...]
    subprotocol: str = SUBPROTOCOL


class Closed(Struct, frozen=True):
    """The bot has closed it."""

    code: int = 1000


class StreamRefused(Exception):
    """It cannot be opened, or broke off; `str()` says why."""


class Stream(Protocol):
    """One that is open. Raises StreamRefused where it breaks off."""

    async def send(self, frame: bytes | str) -> Sequence[bytes | str | Closed]:
        """Send one frame, and return what the bot has sent since the last one; where time is real, at its time."""

    async def close(self) -> None:
        """Close it from jambonz's side."""

    async def drop(self) -> None:
        """Let it break off without a word."""


class Streams(Protocol):
    """Opens them: on the network, or into a server of the same process."""

    async def open(self, request: StreamRequest) -> Stream:
        """Open one; raise StreamRefused."""


class NoStreams:
    """No network that a stream could go to."""

    async def open(self, request: StreamRequest) -> Stream:
        """Refuse: raise StreamRefused."""
        raise StreamRefused("nothing takes streams here")


def asked_for(verb: Listen) -> StreamRequest:
    """Return what opens the stream of a `listen`."""
    return StreamRequest(verb.url, tuple(basic(verb.ws_auth)))


def is_end(said: bytes | str | Closed) -> bool:
    """Return whether the bot ends the stream with this."""
    if isinstance(said, Closed):
        return True
    if isinstance(said, bytes):
        return False
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") == "disconnect"


def at_rate(samples: bytes, rate: int) -> bytes:
    """Return samples of 16 kHz at another rate: the mean of those that become one, or each several times.

    Little endian on all machines that this runs on, as the stream is.
    """
    if rate == RATE:
        return samples
    source = array("h", samples)
    wanted = len(samples) // WIDTH * rate // RATE
    if rate * 2 == RATE:
        return array("h", [(a + b) // 2 for a, b in zip(source[::2], source[1::2], strict=False)]).tobytes()
    return array("h", [source[index * RATE // rate] for index in range(wanted)]).tobytes()
