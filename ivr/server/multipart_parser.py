"""Cuts a multipart body into its parts as it arrives (RFC 2046, 5.1).

What stands before the first boundary and behind the last one means nothing. A boundary's line may end with blanks. The
lines of a part's header may be folded (RFC 5322, 2.2.3). Only a small piece of a body is ever kept here.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from ivr.errors import WebhookError

MOST_HEADERS = 8
LONGEST_HEADER = 4096
"Bytes of one header, its name included."
LONGEST_PADDING = 1000
"Blanks behind a boundary."

_BEHIND = re.compile(rb"(--)|[ \t]{0,%d}\r\n" % LONGEST_PADDING)
_MAY_BECOME = re.compile(rb"-?|[ \t]{0,%d}\r?" % LONGEST_PADDING)
"What may still become one of these, if it is all that has come."
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)", re.DOTALL)


class PartHandler(Protocol):
    """What receives the parts."""

    def part(self, headers: Mapping[bytes, bytes]) -> None:
        """Begin a part; the names of its headers are in lower case."""

    def data(self, piece: bytes) -> None:
        """Take some of the bytes of the part that was begun last."""


def malformed(why: str) -> WebhookError:
    """Return the refusal of a form."""
    return WebhookError(400, "malformed-form", f"The multipart form is invalid: {why}.")


class MultipartParser:
    """Reads one body: `feed` it, then look whether it has `ended`.

    A chunk can end anywhere, also within a boundary. So each of the three readers takes what it can be sure of, and
    leaves the rest in `_kept` for the next chunk:

        content ── boundary found ──> boundary ── end of its line ──> headers ── empty line ──> content
           ^                             │ no end of a line: it was part of the content
           └─────────────────────────────┘

    What is before the first boundary is read as content, and given to no one (`_is_preamble`).
    """

    def __init__(self, boundary: bytes, taker: PartHandler) -> None:
        self.ended = False
        "The last boundary has come."
        self._delimiter = b"\r\n--" + boundary
        self._taker = taker
        # A boundary is a line: what is searched for begins with the end of the line before. The first boundary may be
        # the first line of the body, so that line end is put before it.
        self._kept = b"\r\n"
        self._read = self._content
        self._skip = 2
        "Bytes of what is kept that belong to no part, though a boundary may begin with them."
        self._is_preamble = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; raise WebhookError where they are no multipart body."""
        self._kept += chunk
        while not self.ended and self._read():
            pass

    # Each of these reads what it can, and returns whether it has come to an end that leads to another.

    def _content(self) -> bool:
        at = self._kept.find(self._delimiter)
        # The end of what has come may be the beginning of a boundary.
        end = at if at >= 0 else max(0, len(self._kept) - len(self._delimiter) + 1)
        self._give(self._kept[:end])
        self._kept = self._kept[end:]
        if at < 0:
            return False
        self._read = self._boundary
        return True

    def _boundary(self) -> bool:
        """Read what is behind a boundary; where that is no end of its line, it was none, and belongs to the part."""
        start = len(self._delimiter)
        if found := _BEHIND.match(self._kept, start):
            self.ended = found[1] is not None
            self._kept = self._kept[found.end() - (0 if self.ended else 2) :]  # a header may be empty
            self._read = self._headers
            return True
        if _MAY_BECOME.fullmatch(self._kept, start):
            return False
        self._give(self._delimiter)
        self._kept = self._kept[start:]
        self._read = self._content
        return True

    def _headers(self) -> bool:
        end = self._kept.find(b"\r\n\r\n")
        if (end if end >= 0 else len(self._kept)) > MOST_HEADERS * LONGEST_HEADER:
            raise malformed("the headers of a part are too long")
        if end < 0:
            return False
        self._taker.part(_headers(self._kept[2:end]))
        self._kept = self._kept[end + 2 :]
        self._skip = 2  # the empty line; of a part without a content it begins the next boundary
        self._is_preamble = False
        self._read = self._content
        return True

    def _give(self, piece: bytes) -> None:
        content, self._skip = piece[self._skip :], max(0, self._skip - len(piece))
        if content and not self._is_preamble:
            self._taker.data(content)


def _headers(block: bytes) -> Mapping[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    lines = _FOLD.sub(b"", block).split(b"\r\n") if block else []
    if len(lines) > MOST_HEADERS:
        raise malformed("a part has too many headers")
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None or len(line) > LONGEST_HEADER:
            raise malformed("a header of a part is invalid")
        name = found[1].lower()
        if name in headers:
            raise malformed("a part has the same header twice")
        headers[name] = found[2].strip(b" \t")
    return headers
