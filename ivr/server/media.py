"""`/media/<sha256>`: the prompt files of the flows, for a platform that fetches without credentials.

Only what a flow collected is here, by the hash of its bytes. A name that is no hash and a hash that is not known get
the same answer. Recordings are never here.
"""

import re
from collections.abc import Callable

from aiohttp import web
from msgspec import Struct

from ivr.server.replies import headers, not_found

_HASH = re.compile(r"[0-9a-f]{64}")
_FOREVER = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True):
    """A prompt file."""

    content: bytes
    content_type: str


def content_type_of(content: bytes) -> str:
    """Return the type of a prompt file by its first bytes; the flow's loader made sure that it is one of two."""
    return "audio/wav" if content[:4] == b"RIFF" else "audio/x-ms-wma"


def media_reply(name: str, asset: Callable[[str], Asset | None]) -> web.Response:
    """Serve one prompt file; it can be kept for ever, since its name is its content."""
    found = asset(name) if _HASH.fullmatch(name) else None
    if found is None:
        raise not_found()
    fields = headers(found.content_type, Cache_Control=_FOREVER, ETag=f'"{name}"')
    return web.Response(body=found.content, headers=fields)
