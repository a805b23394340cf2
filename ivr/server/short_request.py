"""Cuts plain requests out of a connection's bytes: those that the short way may take, and nothing that is unusual.

Pure: bytes in, a verdict out. llhttp, on which aiohttp is built as well, reads each head and refuses what is not HTTP.
What is said here is which of the heads that it lets pass are plain, and that is narrow on purpose: whatever might be
read in two ways, or asks the server for more than an answer, is unusual.

    feed ──> HEAD ──> BODY ──> WHOLE ── next ──> …      the request is there; `behind` belongs to the next one
              └────────┴─────> UNUSUAL                  `raw` is all that came of it, for aiohttp
"""

import re
from collections.abc import Mapping
from enum import Enum

import httptools
from msgspec import Struct

LONGEST_HEAD = 8190
"Bytes. aiohttp refuses a line of a head that is longer, so it refuses none of the lines of these heads."
MOST_HEADERS = 64
MOST_LAYOUTS = 4
"That a connection remembers."

_BEGINNING = b"POST /call"
_LINE = re.compile(rb"POST (/call(?:back|/[A-Za-z0-9_-]{1,100})?) HTTP/1\.1")
_LINES = {b"POST /call HTTP/1.1": "/call", b"POST /callback HTTP/1.1": "/callback"}
"The request lines that are not looked at twice, and their paths."
_END = b"\r\n\r\n"

_NEEDED = (b"host", b"content-length", b"content-type")
_UNUSUAL = frozenset(
    {
        *(b"content-encoding", b"content-range", b"expect", b"http2-settings", b"keep-alive", b"origin"),
        *(b"proxy-connection", b"range", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
"What changes how a request is read or answered, or comes from a browser."
_OF_BROWSERS = b"sec-"


class Verdict(Enum):
    """What has come of a request."""

    HEAD = 1
    "A part of its head, plain as far as it goes."
    BODY = 2
    "A plain head, and not all of the body."
    WHOLE = 3
    "All of a plain request."
    UNUSUAL = 4
    "What only aiohttp may read."


HEAD, BODY, WHOLE, UNUSUAL = Verdict


class Layout(Struct, frozen=True, gc=False):
    """How the sender of a head spells the names of the fields that matter."""

    content_length: bytes
    content_type: bytes
    authorization: bytes
    "Empty: there is no such field; `connection` likewise."
    connection: bytes
    read: tuple[tuple[bytes, str], ...]
    "Of the fields that the channel reads, with their names in lower case."


class RequestReader:
    """Reads the requests of one connection, one after the other."""

    __slots__ = (
        *("_begun", "_complete", "_fields", "_layout", "_layouts", "_missing", "_more", "_most", "_parser", "_reads"),
        *("_seen", "_start"),
        *("authorization", "behind", "body", "content_type", "length", "on_header", "path"),
    )

    def __init__(self, reads: Mapping[bytes, str], *, most: int) -> None:
        """Read bodies of at most so many bytes; a longer one is unusual.

        `reads`: the names, in lower case, of the fields that the channel reads, as they come and as text.
        """
        self._reads = reads
        self._most = most
        self._fields: dict[bytes, bytes] = {}
        "Of the current head, by their names as they are spelled."
        # The parser fills it by itself: that saves a frame of Python for each field. (It would be slower to let it
        # call `__setitem__`, for which a tuple is made each time. A field that comes twice is noticed by `_is_plain`.)
        self.on_header = self._fields.setdefault
        self._layout: Layout | None = None
        self._layouts: dict[tuple[bytes, ...], Layout] = {}
        "By the names of a head. A client sends the same names each time, so one look at them is enough."
        self._seen = b""
        "What came of the current request; what came later of a body is in `_more`."
        self._more = bytearray()
        self._start = 0
        "Where the body begins."
        self._missing = 0
        "How much of it is to come."
        self._begun = 0
        "Messages of which the parser has seen the beginning, since the last boundary."
        self._complete = False
        "It has seen the end of the last of them."
        # What a whole head says:
        self.path = ""
        self.authorization = b""
        "The credentials as they came; empty: there are none."
        self.content_type = b""
        self.length = 0
        "Bytes of the body."
        self.body = b""
        self.behind = b""
        "What came together with the end of the request, and belongs to the next one."
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)

    def begin_anew(self) -> None:
        """Begin at a message boundary, whatever came before."""
        self._parser = httptools.HttpRequestParser(self)
        self.next()

    def next(self) -> None:
        """Forget the current request. What came behind it is to be fed again."""
        self._fields.clear()
        self._layout = None
        self._seen = self.body = self.behind = b""
        self._missing = self._begun = 0
        self._complete = False
        if self._more:
            self._more.clear()

    def close(self) -> None:
        """Let go of the parser, which knows this reader: two objects that hold each other are not freed at once."""
        self._parser = None

    @property
    def raw(self) -> bytes:
        """All that was fed of the current request; `behind` is no part of it."""
        return self._seen + self._more if self._more else self._seen

    def headers(self) -> Mapping[str, str]:
        """Return the fields that the channel reads, by their names in lower case, once the head is whole."""
        read = {}
        if self._layout is not None:
            for spelled, name in self._layout.read:  # there are two at most
                read[name] = self._fields[spelled].rstrip(b" \t").decode("ascii")
        return read

    def feed(self, data: bytes) -> Verdict:
        """Read what comes next. After WHOLE, `next` is due; after UNUSUAL, `begin_anew`."""
        if self._missing:
            return self._feed_body(data)
        if not self._seen:
            if self._is_one_request(data):
                return WHOLE
            self.begin_anew()  # the parser may have read further than to the end of the first of several
        return self._feed_head(data)

    def _is_one_request(self, data: bytes) -> bool:
        """Read what is one plain request and no more, as nearly all data is; return whether it was."""
        if not (data.startswith(_BEGINNING) and self._parses(data) and self._complete and self._begun == 1):
            return False
        if not self._lay_out():
            return False
        start = len(data) - self.length
        if start > LONGEST_HEAD or not self._is_plain(data[:start]):
            return False
        self._seen, self.body = data, data[start:]
        return True

    def _feed_head(self, data: bytes) -> Verdict:
        """Read a head piece by piece, and no further than the request goes."""
        seen = len(self._seen)
        head = self._seen = self._seen + data if seen else data
        start = head.find(_END, max(0, seen - 3)) + 4
        if start < 4:
            # What is unusual already is not kept waiting for its end.
            begins = head.startswith(_BEGINNING) or _BEGINNING.startswith(head)
            return HEAD if begins and len(head) <= LONGEST_HEAD and self._parses(data) else UNUSUAL
        if start > LONGEST_HEAD or not self._parses(head[seen:start]):
            return UNUSUAL
        self._start = start
        if not (self._lay_out() and self._is_plain(head[:start])):
            return UNUSUAL
        end = start + self.length
        if end > len(head):
            self._missing = end - len(head)
            return BODY if self._parses(head[start:]) else UNUSUAL
        self.body = head[start:end]
        if end < len(head):
            self._seen, self.behind = head[:end], head[end:]
        return self._ended(self.body)

    def _feed_body(self, data: bytes) -> Verdict:
        if len(data) < self._missing:
            self._more += data
            self._missing -= len(data)
            return BODY if self._parses(data) else UNUSUAL
        last, self.behind = data[: self._missing], data[self._missing :]
        self._seen += self._more + last
        self._more.clear()
        self.body = self._seen[self._start :]
        return self._ended(last)

    def _ended(self, last: bytes) -> Verdict:
        """Judge a request by its last bytes: our count and the parser's must end at the same place."""
        return WHOLE if self._parses(last) and self._complete else UNUSUAL

    def _lay_out(self) -> bool:
        """Find the fields that matter; return whether they are plain."""
        fields = self._fields
        names = tuple(fields)
        layout = self._layouts.get(names) or self._laid_out(names)
        if layout is None:
            return False
        if layout.connection and fields[layout.connection].lower() != b"keep-alive":
            return False
        self._layout = layout
        self.authorization = fields.get(layout.authorization, b"")
        self.content_type = fields[layout.content_type]
        self.length = int(fields[layout.content_length])
        return 0 < self.length <= self._most

    def _is_plain(self, head: bytes) -> bool:
        """Return whether a head, of which the fields are plain, is so as a whole."""
        line = head[: head.find(b"\r\n")]
        path = _LINES.get(line)
        if path is None:
            found = _LINE.fullmatch(line)
            if found is None:
                return False
            path = found[1].decode("ascii")
        self.path = path
        # One line for each field, one before and one behind them: so none came twice.
        return head.count(b"\n") == len(self._fields) + 2 and head.endswith(_END) and head.isascii()

    def _laid_out(self, names: tuple[bytes, ...]) -> Layout | None:
        """Return the layout of a head with these names; None: it is unusual."""
        spelled = {name.lower(): name for name in names}
        if len(spelled) < len(names) or len(names) > MOST_HEADERS or not spelled.keys() >= {*_NEEDED}:
            return None
        if any(name in _UNUSUAL or name.startswith(_OF_BROWSERS) for name in spelled):
            return None
        if len(self._layouts) >= MOST_LAYOUTS:
            self._layouts.clear()
        layout = self._layouts[names] = Layout(
            content_length=spelled[b"content-length"],
            content_type=spelled[b"content-type"],
            authorization=spelled.get(b"authorization", b""),
            connection=spelled.get(b"connection", b""),
            read=tuple((spelled[name], self._reads[name]) for name in spelled if name in self._reads),
        )
        return layout

    def _parses(self, data: bytes) -> bool:
        if self._parser is None:
            return False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        return True

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Note that a message has begun."""
        self._begun += 1
        self._complete = False

    def on_message_complete(self) -> None:
        """Note that the parser has seen the end of a message."""
        self._complete = True
