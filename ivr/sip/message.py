"""SIP messages: bytes to structs and back (RFC 3261 7, 20, 25).

A message that `parse` returns has what every message needs: the functions below that read Via, CSeq, From, To,
Contact and routes never fail on it. One that cannot be taken is `MalformedMessage`; of a request it holds what is
needed to answer.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from ivr.errors import IvrError
from ivr.sip.addresses import MalformedAddress, NameAddress, SipUri, Via, parse_name_address, parse_uri, parse_via

LONGEST_HEAD = 65536
"Bytes of start line and headers."
LONGEST_BODY = 65536
"Bytes."
MOST_LINES = 256
"Header lines of a message, and values of its headers."

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition", "e": "Content-Encoding",
    "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported", "l": "Content-Length", "m": "Contact",
    "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires",
    "y": "Identity",
}  # fmt: skip
"Compact forms: RFC 3261 7.3.3, and those that later RFCs registered."
_PECULIAR = ("Call-ID", "CSeq", "RSeq", "RAck", "WWW-Authenticate", "Min-SE", "MIME-Version", "SIP-ETag",
             "SIP-If-Match", "Content-ID")  # fmt: skip
_TOKEN_LISTS = frozenset({"Allow", "Supported", "Require", "Proxy-Require", "Unsupported", "Accept", "Allow-Events"})
"Lists that are written on one line."
_LISTS = _TOKEN_LISTS | {"Via", "Contact", "Route", "Record-Route", "Path", "Service-Route", "P-Asserted-Identity",
                         "Diversion", "History-Info", "Reason"}  # fmt: skip
"Headers whose value may be split at commas (RFC 3261 7.3.1, and their own RFCs)."
_ONCE = ("From", "To", "Call-ID", "CSeq", "Content-Type")
_NEEDED = ("From", "To", "Call-ID", "CSeq")
_ADDRESSES = frozenset({"Contact", "Record-Route"})
"Headers that a dialog is made of: each value must be an address. A Route is none of an end's business."
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_FOLD = re.compile(r"\r\n[ \t]+")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: ([^\r\n]*))?", re.IGNORECASE)
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_CSEQ = re.compile(rf"([0-9]{{1,10}})[ \t]+({_TOKEN.pattern})")
_URI_CHARACTERS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x7e]+")

Fields: TypeAlias = tuple[tuple[str, str], ...]


class Headers(Struct, frozen=True):
    """The headers of a message in their order, one item for each value of a list.

    Make them by `Headers.of`. Names are compared without case, and kept as the RFCs spell them, since sipp and old
    gateways compare letters.
    """

    fields: Fields = ()

    @classmethod
    def of(cls, *fields: tuple[str, str]) -> "Headers":
        """Return these headers; a list such as Allow is split at its commas."""
        return cls(tuple((spelled(name), one) for name, value in fields for one in _values(spelled(name), value)))

    def get(self, name: str) -> str | None:
        """Return the first value of a header."""
        name = spelled(name)
        for each, value in self.fields:
            if each == name:
                return value
        return None

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a header."""
        name = spelled(name)
        return tuple(value for each, value in self.fields if each == name)

    def replaced(self, name: str, *values: str) -> "Headers":
        """Return headers with these values, where the first of the name stood or else at the end."""
        name = spelled(name)
        new = Headers.of(*((name, value) for value in values)).fields
        at = next((index for index, (each, _) in enumerate(self.fields) if each == name), len(self.fields))
        return Headers((*self.fields[:at], *new, *(each for each in self.fields[at:] if each[0] != name)))

    def added(self, name: str, value: str) -> "Headers":
        """Return headers with one more at the end."""
        return Headers(self.fields + Headers.of((name, value)).fields)

    def without(self, name: str) -> "Headers":
        """Return headers without any of this name."""
        name = spelled(name)
        return Headers(tuple(each for each in self.fields if each[0] != name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


class Request(Struct, frozen=True):
    """A SIP request."""

    method: str
    uri: str
    "The Request-URI as written."
    headers: Headers
    "Without Content-Length, which `encode` writes."
    body: bytes = b""


class Response(Struct, frozen=True):
    """A SIP response."""

    status: int
    "100 to 699."
    reason: str
    headers: Headers
    "Without Content-Length, which `encode` writes."
    body: bytes = b""


Message: TypeAlias = Request | Response


class CSeq(Struct, frozen=True):
    """The place of a request among those of its dialog (RFC 3261 20.16)."""

    number: int
    method: str


class MalformedMessage(IvrError):
    """What came is no SIP message that can be taken; the text says why, and holds nothing of what was sent."""

    def __init__(self, text: str, request: Request | None = None, status: int = 400) -> None:
        super().__init__(text)
        self.request = request
        "What could be read of a request that may be answered: its top Via can be read, and it is no ACK."
        self.status = status
        "400, or 505 for another version of SIP."


def parse(data: bytes) -> Message:
    """Read one whole message, a datagram or what `StreamFramer` cut out; raise MalformedMessage if it is none.

    Without Content-Length the rest of the data is the body; with one, what lies beyond is ignored (RFC 3261 18.3).
    """
    if data[:1] in (b"\r", b"\n"):
        data = data.lstrip(b"\r\n")  # RFC 3261 7.5
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank or len(head) > LONGEST_HEAD:
        raise MalformedMessage("no end of the headers")
    if head.count(b"\r\n") > MOST_LINES:
        raise MalformedMessage("too many header lines")
    lines = _unfolded(_decoded(head)).split("\r\n")
    fields, problems = _read_fields(lines[1:])
    if len(fields) > MOST_LINES:
        raise MalformedMessage("too many values of headers")
    headers = Headers(tuple(each for each in fields if each[0] != "Content-Length"))
    body, untrue = _cut([value for name, value in fields if name == "Content-Length"], body)
    problems += untrue
    if len(body) > LONGEST_BODY:
        raise MalformedMessage("too long a body")
    if found := _STATUS_LINE.fullmatch(lines[0]):
        problems += _problems(headers)
        if problems:
            raise MalformedMessage(problems[0])
        return Response(int(found[1]), found[2] or "", headers, body)
    return _request(lines[0], headers, body, problems)


def encode(message: Message) -> bytes:
    """Return the bytes of a message, with its Content-Length.

    Raise ValueError rather than write a line break inside a line: a stranger's text that got into a header cannot
    begin another header or a body.
    """
    if isinstance(message, Request):
        lines = [f"{message.method} {message.uri} SIP/2.0"]
    else:
        lines = [f"SIP/2.0 {message.status} {message.reason}"]
    last = ""
    for name, value in message.headers.fields:
        if name == last and name in _TOKEN_LISTS:
            lines[-1] += f", {value}"
        elif name != "Content-Length":
            lines.append(f"{name}: {value}")
        last = name
    lines.append(f"Content-Length: {len(message.body)}")
    head = "\r\n".join(lines)
    if not head.count("\r") == head.count("\n") == len(lines) - 1:
        raise ValueError("a header that is to be sent has a line break in it")
    return head.encode() + b"\r\n\r\n" + message.body


def top_via(message: Message) -> Via:
    """Return the hop that the message came from, or for a response the one that sent the request."""
    return parse_via(message.headers.get("Via") or "")


def cseq(message: Message) -> CSeq:
    """Return the CSeq."""
    found = _CSEQ.fullmatch(message.headers.get("CSeq") or "")
    if found is None:
        raise MalformedMessage("no CSeq")
    return CSeq(int(found[1]), found[2])


def call_id(message: Message) -> str:
    """Return the Call-ID."""
    return message.headers.get("Call-ID") or ""


def from_(message: Message) -> NameAddress:
    """Return who sent the request."""
    return parse_name_address(message.headers.get("From") or "")


def to(message: Message) -> NameAddress:
    """Return who the request is for."""
    return parse_name_address(message.headers.get("To") or "")


def contact(message: Message) -> NameAddress | None:
    """Return the first Contact; None if there is none, or the `*` of a REGISTER."""
    value = message.headers.get("Contact")
    return None if value is None or value == "*" else parse_name_address(value)


def routes(message: Message, name: str) -> tuple[NameAddress, ...]:
    """Return all addresses of Contact or Record-Route."""
    return tuple(parse_name_address(value) for value in message.headers.all(name) if value != "*")


def reasons(message: Message) -> str:
    """Return why a request was sent, as one header says it: perhaps once for SIP and once for Q.850 (RFC 3326 2)."""
    return ", ".join(message.headers.all("Reason"))


def request_uri(request: Request) -> SipUri | None:
    """Return the Request-URI in its parts; None if its scheme is none of ours (416, RFC 3261 8.2.2.1)."""
    try:
        return parse_uri(request.uri)
    except MalformedAddress:
        return None


def spelled(name: str) -> str:
    """Return a header's name as the RFCs spell it, compact forms expanded; raise ValueError if it is no token."""
    return _SPELLED.get(name) or _spell(name)


def split_list(value: str) -> Sequence[str]:
    """Split at commas outside of quotes and angle brackets, and leave out what is empty (RFC 3261 7.3.1)."""
    if "," not in value:
        return (value.strip(),) if value.strip() else ()
    parts = [each.strip() for each in _ELEMENT.findall(value)]
    return [each for each in parts if each]


_ELEMENT = re.compile(r'(?:[^",<]|"(?:[^"\\]|\\.)*"?|<[^>]*>?)+', re.DOTALL)


def _spell(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError("no name of a header")
    lower = name.lower()
    return _SPELLED.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))


_SPELLED = _COMPACT | {name.lower(): name for name in _PECULIAR} | {name: name for name in _PECULIAR}
_SPELLED |= {name: name for name in (*_COMPACT.values(), *_LISTS, "Max-Forwards", "User-Agent", "Expires", "Date")}
"How names are spelled that are met in most messages; the others are worked out."


def _values(name: str, value: str) -> Sequence[str]:
    return split_list(value) if name in _LISTS else (value.strip(),)


def _decoded(head: bytes) -> str:
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")  # display names of old exchanges; RFC 3261 7 wants UTF-8


def _unfolded(head: str) -> str:
    return _FOLD.sub(" ", head) if "\r\n " in head or "\r\n\t" in head else head


def _read_fields(lines: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    fields: list[tuple[str, str]] = []
    problems: list[str] = []
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        known = _SPELLED.get(name)
        if "\n" in line or "\r" in line:
            problems.append("half a line break in a header")
            continue
        if not colon or (known is None and not _TOKEN.fullmatch(name)):
            continue  # RFC 3261 8.2.2: what is malformed and not necessary is ignored
        known = known or _spell(name)
        fields += [(known, one) for one in _values(known, value)]
    return fields, problems


def _cut(lengths: Sequence[str], body: bytes) -> tuple[bytes, list[str]]:
    """Return the body that a Content-Length names, and what is wrong with it."""
    if not lengths:
        return body, []
    if len(lengths) > 1:
        return body, ["more than one Content-Length"]
    length = lengths[0]
    if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= len(body)):
        return body, ["a Content-Length that is not true"]
    return body[: int(length)], []


def _request(start: str, headers: Headers, body: bytes, problems: list[str]) -> Request:
    words = start.split()
    if len(words) < 2 or not _VERSION.fullmatch(words[-1]) or not _TOKEN.fullmatch(words[0]):
        raise MalformedMessage("no start line of SIP")
    method, uri, version = words[0], " ".join(words[1:-1]), words[-1]
    request = Request(method, uri, headers, body)
    status = 400
    if version.upper() != "SIP/2.0":
        problems, status = ["another version of SIP"], 505
    if start != f"{method} {uri} {version}":  # RFC 4475 3.1.2.9, 3.1.2.10
        problems.append("a start line with spaces of its own")
    problems += _request_uri_problems(uri) + _problems(headers, method)
    if problems:
        raise MalformedMessage(problems[0], request if _may_be_answered(request) else None, status)
    return request


def _request_uri_problems(uri: str) -> list[str]:
    if not _URI_CHARACTERS.fullmatch(uri):
        return ["no Request-URI"]
    if uri.partition(":")[0].lower() in ("sip", "sips", "tel"):
        try:
            if parse_uri(uri).headers:
                return ["headers in a Request-URI"]  # RFC 3261 19.1.1
        except MalformedAddress:
            return ["a Request-URI that cannot be read"]
    return []


def _may_be_answered(request: Request) -> bool:
    if request.method == "ACK":
        return False
    try:
        top_via(request)
    except MalformedAddress:
        return False
    return True


def _problems(headers: Headers, method: str = "") -> list[str]:
    """Find what makes a message unusable; a request's CSeq names its method (RFC 3261 8.1.1.5)."""
    names = [name for name, _ in headers.fields]
    found = [f"{name} is missing" for name in _NEEDED if name not in names]
    found += [f"more than one {name}" for name in _ONCE if names.count(name) > 1]
    if found:
        return found
    try:
        parse_via(headers.get("Via") or "")
        parse_name_address(headers.get("From") or "")
        parse_name_address(headers.get("To") or "")
        for name, value in headers.fields:
            if name in _ADDRESSES and value != "*":
                _check_sip_uri(parse_name_address(value).uri)
    except MalformedAddress as error:
        return [str(error)]
    number = _CSEQ.fullmatch(headers.get("CSeq") or "")
    if number is None or int(number[1]) >= 2**31 or (method and number[2] != method):
        return ["a CSeq that cannot be"]
    identity = headers.get("Call-ID") or ""
    return [] if identity and identity.isascii() and " " not in identity else ["no Call-ID"]


def _check_sip_uri(uri: str) -> None:
    if uri[:4].lower() in ("sip:", "sips"):
        parse_uri(uri)
