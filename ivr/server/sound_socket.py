"""One WebSocket of jambonz's `listen`, from its first text to the end of the recording; whatever comes, it ends.

- The first text says the rate of the sound; others are keys, `{"event": "dtmf", "dtmf": "5"}`.
- Bytes are sound: 16 bit little endian, mono.
"""

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import WSMessage, WSMsgType, web
from msgspec import Struct

from ivr.engine.commands import Record
from ivr.server.stream_recorder import StreamRecorder, linear

LARGEST_MESSAGE = 64 * 1024
"Bytes: four seconds of sound."
MOST_TEXTS = 1000
"Text messages in one recording: the first, and the keys."
FIRST_WITHIN = 5.0
"Seconds for the first message."
LOOK = 0.5
"Seconds without a message after which what is missing is counted as silence."
AHEAD = 5.0
"Seconds of sound that may come early before no more is read."
RATES = frozenset({8_000, 16_000})

_ENDS = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING})
"The other side says that it ends the socket: the caller has gone."
_BREAKS = frozenset({WSMsgType.CLOSED, WSMsgType.ERROR})
"The socket is gone, and nobody said why."


class FirstText(Struct, frozen=True, rename="camel"):
    """What jambonz says first; there is more in it."""

    sample_rate: int = 8_000


class KeyText(Struct, frozen=True):
    """A key, as text."""

    event: str = ""
    dtmf: str = ""


class BadSender(Exception):
    """The other side does what jambonz never does."""


class Heard(Struct, frozen=True):
    """What came of a recording."""

    recorder: StreamRecorder
    "With an outcome."
    cut: bool = False
    "The sound stopped, by a broken socket or because the server ends, and the caller may still be there."


_FIRST = msgspec.json.Decoder(FirstText)
_KEY = msgspec.json.Decoder(KeyText)


async def heard_on(socket: web.WebSocketResponse, record: Record, *, ends: Callable[[], bool]) -> Heard:
    """Record what comes until the recording has ended; raise BadSender. `ends`: whether it is to end now."""
    recorder = StreamRecorder(record, linear(await _rate(socket)))
    clock = asyncio.get_running_loop().time
    began, texts = clock(), 1
    while recorder.outcome is None:
        message = await _next(socket, LOOK)
        if ends() or (message is not None and message.type in _BREAKS):
            recorder.left()
            return Heard(recorder, cut=True)
        if message is not None and message.type in _ENDS:
            recorder.left()
        elif message is not None and message.type is WSMsgType.BINARY:
            recorder.hear(message.data)
        elif message is not None and message.type is WSMsgType.TEXT:
            texts += 1
            if texts > MOST_TEXTS:
                raise BadSender("too many texts")
            _press(recorder, message.data)
        recorder.idle(clock() - began)
        early = recorder.seconds - (clock() - began) - AHEAD
        if early > 0:
            await asyncio.sleep(early)  # what is not read, its sender cannot send
    return Heard(recorder)


async def _rate(socket: web.WebSocketResponse) -> int:
    """Read the first text, and return the rate of the sound."""
    message = await _next(socket, FIRST_WITHIN)
    if message is None or message.type is not WSMsgType.TEXT:
        raise BadSender("no first text")
    try:
        first = _FIRST.decode(message.data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadSender("a first text that cannot be read") from error
    if first.sample_rate not in RATES:
        raise BadSender("a rate that was not asked for")
    return first.sample_rate


async def _next(socket: web.WebSocketResponse, within: float) -> WSMessage | None:
    """Return the next message; None: none came in time.

    The time is over for all that comes in it. aiohttp's own begins anew with each ping, so that pings without end would
    keep a recording for ever.
    """
    try:
        async with asyncio.timeout(within):
            return await socket.receive()
    except TimeoutError:
        return None


def _press(recorder: StreamRecorder, text: str) -> None:
    try:
        key = _KEY.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadSender("a text that cannot be read") from error
    if key.event == "dtmf":
        recorder.press(key.dtmf.upper())
