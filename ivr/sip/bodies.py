"""What the body of a SIP message brings: a session description, alone or as a part of a multipart (RFC 5621)."""

from collections.abc import Sequence

from msgspec import Struct

from ivr.sip.addresses import MalformedAddress, parameter, parse_parameters
from ivr.sip.message import Message

MOST_PARTS = 32
"Parts of a multipart body that are looked at."

_MULTIPART = ("multipart/mixed", "multipart/alternative", "multipart/related")
_AS_IT_IS = ("", "identity", "7bit", "8bit", "binary")
"Encodings that leave the bytes alone."


class Unsupported(Struct, frozen=True):
    """A body that must be understood and is no session description: 415 (RFC 3261 8.2.3)."""


class _Part(Struct, frozen=True):
    headers: dict[str, str]
    "By names in lower case."
    body: bytes

    @property
    def kind(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_description(self) -> bool:
        """Whether it is SDP that can be read as it is."""
        encodings = (self.headers.get(f"content-{name}", "") for name in ("encoding", "transfer-encoding"))
        return self.kind == "application/sdp" and all(each.lower() in _AS_IT_IS for each in encodings)

    @property
    def is_optional(self) -> bool:
        """Whether who does not understand it may ignore it (RFC 3261 20.11)."""
        disposition = self.headers.get("content-disposition", "").lower()
        return "handling=optional" in disposition.replace(" ", "").replace('"', "")


def sdp_of(message: Message) -> bytes | Unsupported | None:
    """Return the session description that a message brings; None if it brings none, and nothing else that matters."""
    if not message.body:
        return None
    names = ("Content-Type", "Content-Encoding", "Content-Disposition")
    whole = _Part({name.lower(): message.headers.get(name) or "" for name in names}, message.body)
    parts = _parts(whole) if whole.kind in _MULTIPART and not whole.headers["content-encoding"] else [whole]
    for part in parts:
        if part.is_description:
            return part.body
    return None if parts and all(part.is_optional for part in parts) else Unsupported()


def _parts(whole: _Part) -> Sequence[_Part]:
    """Divide a multipart at its boundary (RFC 2046 5.1.1); none if it has none."""
    try:
        parameters = parse_parameters(";" + whole.headers["content-type"].partition(";")[2])
    except MalformedAddress:
        return []
    boundary = parameter(parameters, "boundary")
    if not boundary:
        return []
    found = []
    for chunk in (b"\r\n" + whole.body).split(b"\r\n--" + boundary.encode(), MOST_PARTS)[1:]:
        if chunk.startswith(b"--"):
            break
        head, _, body = chunk.partition(b"\r\n")[2].partition(b"\r\n\r\n")
        lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
        found.append(_Part({name.strip().lower(): value.strip() for name, _, value in lines}, body))
    return found
