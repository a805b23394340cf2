"""The multipart form of a recording (protocol 9), parsed as it arrives: JSON into memory, audio to disk.

python-multipart does the parsing. What it lets pass is refused here: a body that stops early (it tells only by not
calling `on_end`), an empty boundary, any number of parts, a part twice. It also reads Ref's sample header
(`boundary="B", application/json`) wrongly, so the boundary is found here.
"""

import re
from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ivr.errors import WebhookError
from ivr.ports import Upload
from ivr.server.body import BodyLimits, too_large
from ivr.server.recordings import RecordingFile, Recordings

if TYPE_CHECKING:  # the library has this name for type checkers alone
    from python_multipart.multipart import MultipartCallbacks

MOST_PARTS = 4
MOST_HEADERS = 8
LONGEST_HEADER = 4096
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


class Form(Struct, frozen=True):
    """What a form must hold, by the names of its parts; other parts are read and forgotten."""

    json: str
    upload: str


class Filled(Struct, frozen=True):
    """A form as it came; the recording is whole and synced."""

    json: bytes
    upload: Upload


def boundary_of(content_type: str) -> bytes:
    """Find the boundary in a `Content-Type`; raise WebhookError if there is none, two, or not a valid one."""
    found = _BOUNDARY.search(content_type)
    if found is None or len(_ANY_BOUNDARY.findall(content_type)) != 1:
        raise malformed("its Content-Type names no boundary that can be used")
    return (found[1] or found[2]).encode("ascii")


def malformed(why: str) -> WebhookError:
    """Refuse a form."""
    return WebhookError(400, "malformed-form", f"The multipart form cannot be read: {why}.")


async def read_form(
    chunks: AsyncIterable[bytes],
    boundary: bytes,
    form: Form,
    *,
    recordings: Recordings,
    limits: BodyLimits,
    peek: Callable[[bytes], None] | None = None,
) -> Filled:
    """Read a whole form. Whatever goes wrong, WebhookError or not, no file is left behind.

    `peek` is given the JSON as soon as that part is whole; the recording may still be on its way.
    """
    reader = _Reader(boundary, form, recordings, limits, peek)
    try:
        async for chunk in chunks:
            reader.feed(chunk)
            if reader.file is not None:
                await reader.file.flush()
        return await reader.finish()
    except BaseException:  # a cancelled upload must not leave its file either
        if reader.file is not None:
            await reader.file.drop()
        raise


class _Reader:
    """The parser's callbacks, and what they have gathered."""

    def __init__(
        self,
        boundary: bytes,
        form: Form,
        recordings: Recordings,
        limits: BodyLimits,
        peek: Callable[[bytes], None] | None,
    ) -> None:
        self.file: RecordingFile | None = None
        self._form = form
        self._recordings = recordings
        self._limits = limits
        self._peek = peek
        self._json: bytearray | None = None
        self._type = ""
        self._target: bytearray | RecordingFile | None = None
        self._parts = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._ended = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._ends,
        }
        self._parser = MultipartParser(
            boundary, callbacks, max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER
        )

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes."""
        if self._ended:
            return  # an epilogue (RFC 2046) means nothing
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise malformed("its boundaries or the headers of its parts are broken") from error

    async def finish(self) -> Filled:
        """Check that all of it came, and keep the recording."""
        if not self._ended:
            raise malformed("it ends before its last boundary")
        if self._json is None or self.file is None:
            missing = self._form.json if self._json is None else self._form.upload
            raise malformed(f'the part "{missing}" is missing')
        await self.file.keep()
        return Filled(bytes(self._json), Upload(self.file.media, self.file.size, self._type))

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise malformed(f"it has more than {MOST_PARTS} parts")
        self._headers = {}
        self._target = None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        name, value = bytes(self._name).lower(), bytes(self._value).strip()
        self._name.clear()
        self._value.clear()
        if name in self._headers:
            raise malformed("a part has the same header twice")
        self._headers[name] = value

    def _headers_end(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or not options.get(b"name"):
            raise malformed("a part has no name")
        if self._headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN:
            raise WebhookError(415, "encoding", "A part has a transfer encoding. Send its bytes as they are.")
        name = options[b"name"].decode("utf-8", "replace").casefold()
        if name == self._form.json.casefold():
            self._begin_json()
        elif name == self._form.upload.casefold():
            self._begin_upload()

    def _begin_json(self) -> None:
        if self._json is not None:
            raise malformed(f'the part "{self._form.json}" came twice')
        self._json = self._target = bytearray()

    def _begin_upload(self) -> None:
        if self.file is not None:
            raise malformed(f'the part "{self._form.upload}" came twice')
        kind = self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if not (kind.startswith("audio/") or kind in _UNKNOWN_TYPES):
            raise WebhookError(415, "content-type", f'The part "{self._form.upload}" must be audio.')
        self._type = kind
        self.file = self._target = self._recordings.new(kind)

    def _data(self, data: bytes, start: int, end: int) -> None:
        match self._target:
            case bytearray() as json:
                json += data[start:end]
                if len(json) > self._limits.json:
                    raise too_large(self._limits.json)
            case RecordingFile() as file:
                file.add(data[start:end])
                if file.size > self._limits.recording:
                    raise too_large(self._limits.recording)

    def _part_ends(self) -> None:
        if self._peek is not None and isinstance(self._target, bytearray):
            self._peek(bytes(self._target))

    def _ends(self) -> None:
        self._ended = True
