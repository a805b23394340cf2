"""The multipart form of a recording (protocol 9), parsed as it arrives: JSON into memory, large audio to disk.

`parts` cuts the body; what a form may hold is said here. python-multipart takes a part's disposition to pieces. It
would read Ref's sample header (`boundary="B", application/json`) wrongly, so the boundary is found here.
"""

import re
from collections.abc import AsyncIterable, Callable, Mapping

from msgspec import Struct
from python_multipart.multipart import parse_options_header

from ivr.audio.length import seconds_of
from ivr.errors import WebhookError
from ivr.media_storage import MediaStore, NewMedia
from ivr.ports import Form, Upload
from ivr.server.body import BodyLimits, too_large
from ivr.server.forms import plain_form
from ivr.server.multipart_parser import MultipartParser, malformed

MOST_PARTS = 4
ROOM = 64 * 1024
"Bytes beside JSON and recording: boundaries, headers, what stands before and after the parts."

# RFC 2046: 1 to 70 characters, the last no space. Unquoted, it ends where a list or another parameter begins.
_BOUNDARY = re.compile(
    r"""; \s* boundary \s* = \s* (?: "( [0-9A-Za-z'()+_,./:=?\- ]{0,69} [0-9A-Za-z'()+_,./:=?\-] )"
                                   | ( [0-9A-Za-z'()+_./:=?\-]{1,70} ) (?= \s* (?:[;,]|$) ) )""",
    re.VERBOSE | re.IGNORECASE,
)
_ANY_BOUNDARY = re.compile(r";\s*boundary\s*=", re.IGNORECASE)
_PLAIN = {b"", b"binary", b"8bit", b"7bit"}
_UNKNOWN_TYPES = {"", "application/octet-stream"}


class ReadForm(Struct, frozen=True):
    """A form as it came; the recording is whole: in memory if it is small, else a synced file."""

    json: bytes
    upload: Upload


def boundary_of(content_type: str) -> bytes:
    """Find the boundary in a `Content-Type`; raise WebhookError if there is none, two, or not a valid one."""
    found = _BOUNDARY.search(content_type)
    if found is None or len(_ANY_BOUNDARY.findall(content_type)) != 1:
        raise malformed("its Content-Type has no valid boundary")
    return (found[1] or found[2]).encode("ascii")


async def read_form(
    chunks: AsyncIterable[bytes],
    boundary: bytes,
    form: Form,
    *,
    recordings: MediaStore,
    limits: BodyLimits,
    peek: Callable[[bytes], None] | None = None,
) -> ReadForm:
    """Read a whole form. Whatever goes wrong, WebhookError or not, no file is left behind.

    `peek` is given the JSON as soon as that part is whole; the recording may still be on its way.
    """
    pieces = aiter(chunks)
    first = await anext(pieces, b"")
    if (plain := plain_form(first, boundary, form, limits=limits)) is not None:  # mostly: it has come as a whole
        if peek is not None:
            peek(plain.json)
        async for _ in pieces:  # an epilogue (RFC 2046) means nothing
            pass
        return ReadForm(plain.json, plain.upload(recordings.new(plain.content_type).media))
    reader = _FormReader(boundary, form, recordings, limits, peek)
    try:
        await reader.feed(first)
        async for chunk in pieces:
            await reader.feed(chunk)
        return await reader.finish()
    except BaseException:  # a cancelled upload must not leave its file either
        if reader.file is not None:
            await reader.file.drop()
        raise


class _FormReader:
    """What the parts have held so far."""

    def __init__(
        self,
        boundary: bytes,
        form: Form,
        recordings: MediaStore,
        limits: BodyLimits,
        peek: Callable[[bytes], None] | None,
    ) -> None:
        self.file: NewMedia | None = None
        self._form = form
        self._recordings = recordings
        self._limits = limits
        self._peek = peek
        self._json: bytearray | None = None
        self._type = ""
        self._target: bytearray | NewMedia | None = None
        self._count = 0
        self._parts = MultipartParser(boundary, self)

    async def feed(self, chunk: bytes) -> None:
        """Read the next bytes, and write what is large."""
        if not self._parts.ended:  # an epilogue means nothing
            self._parts.feed(chunk)
        if self.file is not None:
            await self.file.flush()

    async def finish(self) -> ReadForm:
        """Check that all of it came, and keep the recording."""
        if not self._parts.ended:
            raise malformed("it ends before the closing boundary")
        if self._json is None or self.file is None:
            missing = self._form.json if self._json is None else self._form.upload
            raise malformed(f'the part "{missing}" is missing')
        audio = await self.file.keep()
        seconds = seconds_of(self.file.head, self.file.size)
        return ReadForm(bytes(self._json), Upload(self.file.media, self.file.size, self._type, seconds, audio))

    def part(self, headers: Mapping[bytes, bytes]) -> None:
        """Begin a part."""
        self._count += 1
        if self._count > MOST_PARTS:
            raise malformed(f"it has more than {MOST_PARTS} parts")
        if self._peek is not None and isinstance(self._target, bytearray):
            self._peek(bytes(self._target))
        self._target = None
        disposition, options = parse_options_header(headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or not options.get(b"name"):
            raise malformed("a part has no name")
        if headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN:
            raise WebhookError(415, "encoding", "A part has a Content-Transfer-Encoding. Send the bytes unencoded.")
        name = options[b"name"].decode("utf-8", "replace").casefold()
        if name == self._form.json.casefold():
            self._begin_json()
        elif name == self._form.upload.casefold():
            self._begin_upload(headers.get(b"content-type", b""))

    def _begin_json(self) -> None:
        if self._json is not None:
            raise malformed(f'the part "{self._form.json}" came twice')
        self._json = self._target = bytearray()

    def _begin_upload(self, content_type: bytes) -> None:
        if self.file is not None:
            raise malformed(f'the part "{self._form.upload}" came twice')
        kind = content_type.decode("latin-1").partition(";")[0].strip().lower()
        if not (kind.startswith("audio/") or kind in _UNKNOWN_TYPES):
            raise WebhookError(415, "content-type", f'The part "{self._form.upload}" must be audio.')
        self._type = kind
        self.file = self._target = self._recordings.new(kind)

    def data(self, piece: bytes) -> None:
        """Take some of a part's bytes."""
        match self._target:
            case bytearray() as json:
                json += piece
                if len(json) > self._limits.json:
                    raise too_large(self._limits.json)
            case None:
                pass  # a part of another name
            case file:
                file.add(piece)
                if file.size > self._limits.recording:
                    raise too_large(self._limits.recording)
