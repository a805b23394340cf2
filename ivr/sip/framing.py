"""Messages cut out of a stream (RFC 3261 18.3), and the keepalives between them (RFC 5626 3.5.1, 4.4.1)."""

import re
from collections.abc import Iterator

from msgspec import Struct

from ivr.sip.message import LONGEST_BODY, LONGEST_HEAD, MalformedMessage

_LINE = b"\r\n"
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE)


class KeepAlive(Struct, frozen=True):
    """Line breaks between two messages."""

    answer: bytes
    "What to send back: a line break for the two of a ping, nothing for the one of a pong."


class StreamFramer:
    """Cuts one connection's bytes into messages; a message is at most LONGEST_HEAD and LONGEST_BODY long."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        "How much of what is held has no end of a head in it."

    @property
    def partial(self) -> bool:
        """Whether a part of a message is held back until the rest of it comes."""
        return bool(self._held) and not _END.startswith(bytes(self._held[:4]))

    def feed(self, data: bytes) -> Iterator[bytes | KeepAlive]:
        """Take what was read, and return what is whole now.

        Raises MalformedMessage when where a message ends cannot be known: the connection is to be closed.
        """
        self._held += data
        return self._cut()

    def _cut(self) -> Iterator[bytes | KeepAlive]:
        while self._held:
            if self._held.startswith(_LINE):
                if len(self._held) < 4 and _END.startswith(bytes(self._held)):
                    return  # one line break, or the first half of two
                ping = self._held.startswith(_END)
                del self._held[: 4 if ping else 2]
                yield KeepAlive(_LINE if ping else b"")
                continue
            length = self._length()
            if length is None or len(self._held) < length:
                return
            message = bytes(self._held[:length])
            del self._held[:length]
            self._searched = 0
            yield message

    def _length(self) -> int | None:
        """Return the length of the first message that is held; None while its head is not whole."""
        end = self._held.find(_END, max(0, self._searched - 3))
        if end > LONGEST_HEAD or (end < 0 and len(self._held) > LONGEST_HEAD + len(_END)):
            raise MalformedMessage("no end of the headers")
        if end < 0:
            self._searched = len(self._held)
            return None
        self._searched = end
        return end + len(_END) + _content_length(bytes(self._held[:end]))


def _content_length(head: bytes) -> int:
    """Return the length of the body; one that is not stated is empty, as most peers take it (RFC 3261 20.14)."""
    stated = [found[1].strip() for found in _LENGTH.finditer(head)]
    if not stated:
        return 0
    if len(stated) > 1 or not re.fullmatch(rb"[0-9]{1,9}", stated[0]) or int(stated[0]) > LONGEST_BODY:
        raise MalformedMessage("a Content-Length that cannot be followed")
    return int(stated[0])
