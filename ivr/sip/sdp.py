"""Session descriptions (RFC 8866), as far as an audio call needs them: text to structs and back.

What they mean to each other, offer and answer, is in `negotiation`.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from ivr.errors import IvrError

MOST_MEDIA = 32
"Media lines of a description: each offered one needs an answer."
MOST_FORMATS = 128
"Formats of a media line: there are no more payload types."

_ORIGIN = re.compile(r"\S+\s+([0-9]{1,20})\s+([0-9]{1,20})\s+IN\s+IP[46]\s+(\S+)")
_MEDIA = re.compile(r"(?P<kind>\S+) (?P<port>[0-9]{1,5})(?:/[0-9]+)? (?P<protocol>\S+)(?P<formats>(?: \S+)*)")
_TIME = re.compile(r"[0-9]{1,20} [0-9]{1,20}")
_RTPMAP = re.compile(
    r"(?P<number>[0-9]{1,3})\s+(?P<encoding>[^\s/]+)/(?P<clock>[0-9]{1,6})(?:/(?P<channels>[0-9]))?\s*"
)
_STATIC = {"0": ("PCMU", 8000), "8": ("PCMA", 8000), "9": ("G722", 8000), "13": ("CN", 8000)}
"Payload types that need no rtpmap (RFC 3551 6); G.722 has the clock 8000 for historical reasons (4.5.2)."


class MalformedDescription(IvrError):
    """A body that is no session description."""


class MediaDescription(Struct, frozen=True):
    """One `m=` line with what stands below it."""

    kind: str
    "`audio`, `video`, …"
    port: int
    "0: refused (RFC 3264 6)."
    protocol: str
    "`RTP/AVP`, `RTP/SAVP`, …"
    formats: tuple[str, ...]
    "For RTP: payload types, the preferred one first."
    connection: str | None = None
    "The address that its own `c=` names, without a TTL."
    attributes: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the first value of an attribute, "" for a flag."""
        return next((value for each, value in self.attributes if each == name), None)


class SessionDescription(Struct, frozen=True):
    """A whole description."""

    session: int
    "The id of `o=`."
    version: int
    "The version of `o=`, one higher with each change (RFC 3264 8)."
    host: str
    "The address of `o=` when it is written; nothing depends on it."
    media: tuple[MediaDescription, ...]
    connection: str | None = None
    "The address for all media that name none."
    time: str = "0 0"
    attributes: tuple[tuple[str, str], ...] = ()


class RtpFormat(Struct, frozen=True):
    """A payload type and what it carries."""

    number: int
    encoding: str
    "In capitals."
    clock: int
    "Hertz of its RTP timestamps."
    channels: int = 1


def parse_sdp(data: bytes) -> SessionDescription:
    """Read a description; raise MalformedDescription if it is none.

    Lines that mean nothing here are skipped. Nothing depends on `o=`, so that one which cannot be read does no harm.
    """
    text = data.decode("utf-8", "replace").replace("\r", "\n")  # RFC 8866 5 wants CRLF, and readers to take less
    lines = [(line[0], line[2:].strip()) for line in text.split("\n") if line[1:2] == "="]
    first = next((index for index, (kind, _) in enumerate(lines) if kind == "m"), len(lines))
    session = dict(reversed(lines[:first]))  # the first of a kind counts
    origin = _ORIGIN.fullmatch(session.get("o", ""))
    if session.get("v") != "0":
        raise MalformedDescription("no session description of version 0")
    number, version, host = (int(origin[1]), int(origin[2]), origin[3]) if origin else (0, 0, "")
    return SessionDescription(
        number, version, host, _media(lines[first:]),
        _connection(session["c"]) if "c" in session else None,
        session.get("t", "") if _TIME.fullmatch(session.get("t", "")) else "0 0",
        tuple(_attribute(value) for kind, value in lines[:first] if kind == "a"),
    )  # fmt: skip


def encode_sdp(description: SessionDescription) -> bytes:
    """Return the bytes of a description; raise ValueError rather than write a line break inside a line."""
    one = description
    lines = ["v=0", f"o=- {one.session} {one.version} IN {_address(one.host)}", "s=-"]
    if one.connection is not None:
        lines.append(f"c=IN {_address(one.connection)}")
    lines += [f"t={one.time}", *_attribute_lines(one.attributes)]
    for media in one.media:
        lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
        if media.connection is not None:
            lines.append(f"c=IN {_address(media.connection)}")
        lines += _attribute_lines(media.attributes)
    text = "\r\n".join([*lines, ""])
    if not text.count("\r") == text.count("\n") == len(lines):
        raise ValueError("a line of a session description has a line break in it")
    return text.encode()


def rtp_formats(media: MediaDescription) -> tuple[RtpFormat, ...]:
    """Return what the payload types of a media line carry, in its order; those that nothing describes are left out."""
    maps = {number: RtpFormat(int(number), encoding, clock) for number, (encoding, clock) in _STATIC.items()}
    for name, value in media.attributes:
        if name == "rtpmap" and (found := _RTPMAP.fullmatch(value)) and int(found["number"]) < 128:
            number = int(found["number"])
            channels = int(found["channels"] or 1)
            maps[str(number)] = RtpFormat(number, found["encoding"].upper(), int(found["clock"]), channels)
    return tuple(maps[each] for each in media.formats if each in maps)


def literal_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address; None for a name, which nobody looks up for a stranger, and for one with a zone."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def _media(lines: Iterable[tuple[str, str]]) -> tuple[MediaDescription, ...]:
    found: list[tuple[re.Match[str], list[tuple[str, str]]]] = []
    for kind, value in lines:
        if kind == "m":
            words = value.split(None, MOST_FORMATS + 3)
            media = _MEDIA.fullmatch(" ".join(words[: MOST_FORMATS + 3]))
            if media is None or int(media["port"]) > 65535 or len(words) > MOST_FORMATS + 3 or len(found) == MOST_MEDIA:
                raise MalformedDescription("a media line that cannot be read, or too many of them")
            found.append((media, []))
        else:
            found[-1][1].append((kind, value))
    return tuple(
        MediaDescription(
            media["kind"], int(media["port"]), media["protocol"], tuple(media["formats"].split()),
            next((_connection(value) for kind, value in below if kind == "c"), None),
            tuple(_attribute(value) for kind, value in below if kind == "a"),
        )
        for media, below in found
    )  # fmt: skip


def _connection(value: str) -> str:
    parts = value.split()
    if len(parts) != 3 or parts[0] != "IN":
        raise MalformedDescription("a connection line that cannot be read")
    return parts[2].partition("/")[0]


def _attribute(value: str) -> tuple[str, str]:
    name, _, rest = value.partition(":")
    return name, rest.strip()


def _attribute_lines(attributes: Iterable[tuple[str, str]]) -> list[str]:
    return [f"a={name}:{value}" if value else f"a={name}" for name, value in attributes]


def _address(host: str) -> str:
    return f"IP6 {host}" if ":" in host else f"IP4 {host}"
