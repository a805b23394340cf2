"""The form of a recording, and a short way to read it where it is exactly what the platform posts (protocol 9).

`plain_form` takes that one form apart at once, as bytes that are all there. Anything else, also anything that is wrong,
it leaves to the general reader (`multipart`): what it does give is what that reader would give.
"""

import re
from functools import lru_cache

from msgspec import Struct

from ivr.audio.length import HEAD, seconds_of
from ivr.media_storage import SMALL
from ivr.ports import Form, Upload
from ivr.server.body import BodyLimits

# Within these quotes there is neither a blank nor a semicolon, so nothing there can be taken for another parameter.
# What may follow is Ref's own sample.
_BOUNDARY = re.compile(
    rb"""multipart/form-data;[ ]?boundary=(?:"([0-9A-Za-z'()+_,./:=?-]{1,70})"|([0-9A-Za-z'()+_./:=?-]{1,70}))"""
    rb"(?:, application/json(?:; charset=utf-8)?)?"
)
_HEADERS = re.compile(
    rb"\r\nContent-Type: ?([a-z]{1,20}/[a-z0-9.+-]{1,60})(?:;[ -~]{0,80})?"
    rb'\r\nContent-Disposition: ?form-data; ?name=(?:"([A-Za-z]{1,60})"|([A-Za-z]{1,60}))'
)
_LONGEST_HEADERS = 256
_GAP = b"\r\n\r\n"
_ENDS = (b"--\r\n", b"--")


class PlainForm(Struct, frozen=True):
    """What the platform's own form held."""

    json: bytes
    audio: bytes
    "At most `SMALL` bytes, so that it is saved with its turn."
    content_type: str
    "Of the audio, without parameters."
    seconds: float | None
    "How long the audio is by what it says of itself; None: it does not say."

    def upload(self, media: str) -> Upload:
        """Return the recording under the name that it is kept by."""
        return Upload(media, len(self.audio), self.content_type, self.seconds, self.audio)


def plain_boundary(content_type: bytes) -> bytes | None:
    """Return the boundary of a `Content-Type` that the platform writes; None: `boundary_of` has to look at it.

    The platform makes up a new boundary for each form, so there is nothing to remember here.
    """
    found = _BOUNDARY.fullmatch(content_type)
    return (found[1] or found[2]) if found else None


def plain_form(body: bytes, boundary: bytes, form: Form, *, limits: BodyLimits) -> PlainForm | None:
    """Take the platform's own form apart; None: `read_form` has to look at this body.

    It is two parts, the JSON first, with a type and a name each and nothing before, between or after them, and a
    recording that is small.
    """
    delimiter = b"\r\n--" + boundary
    if not body.startswith(delimiter[2:]):
        return None
    first = _part(body, len(delimiter) - 2, delimiter, form.json)
    second = _part(body, first.end, delimiter, form.upload) if first else None
    if first is None or second is None or body[second.end :] not in _ENDS or not second.type.startswith("audio/"):
        return None
    json, audio = first.content, second.content
    if len(json) > limits.json or len(audio) > min(limits.recording, SMALL):
        return None
    return PlainForm(json, audio, second.type, seconds_of(audio[:HEAD], len(audio)))


class _Part(Struct, frozen=True):
    type: str
    content: bytes
    end: int
    "Where the next boundary ends."


def _part(body: bytes, start: int, delimiter: bytes, name: str) -> _Part | None:
    """Return the part with this name, if it is the one that begins here; None: it is another, or cannot be told."""
    gap = body.find(_GAP, start, start + _LONGEST_HEADERS)
    end = body.find(delimiter, gap + 2)  # where a part has no content, its empty line ends with the next boundary
    if gap < 0 or end < 0:
        return None
    found, kind = _headers(body[start:gap])
    return _Part(kind, body[gap + len(_GAP) : end], end + len(delimiter)) if found == name else None


@lru_cache(maxsize=16)  # the platform writes the same two over and over
def _headers(block: bytes) -> tuple[str, str]:
    """Return the name and the type that the headers of a part give it; none where they are not as expected."""
    found = _HEADERS.fullmatch(block)
    return ((found[2] or found[3]).decode(), found[1].decode()) if found else ("", "")
