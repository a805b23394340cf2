"""Files by GET: the style sheets and scripts of our pages (`/static/`), and the prompt files of the flows (`/media/`).

Files of pages come from the package itself; there is no build step and nothing from elsewhere. They are read once, when
they are first asked for. Prompt files are fetched by the platform without credentials, by the hash of their bytes: only
what a flow collected is there, and a name that is no hash gets the same answer as a hash that is not known. Recordings
are never here.
"""

import re
from collections.abc import Awaitable, Callable
from functools import cache
from hashlib import sha256
from importlib.resources import files

from aiohttp import web
from msgspec import Struct

from ivr.server.replies import headers, not_found

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
"The pages' content security policy: files of this server, no script or style inside the markup, no frame around it."

_HASH = re.compile(r"[0-9a-f]{64}")
_FOREVER = "public, max-age=31536000, immutable"


# --- files of pages ---------------------------------------------------------------------------------------------------


@cache
def content(name: str) -> bytes:
    """Return a file; raise WebhookError 404 for an unknown name, or one with a slash."""
    known = {entry.name: entry for entry in files("ivr.server").joinpath("static").iterdir()}
    if name not in known or name.rpartition(".")[2] not in TYPES:
        raise not_found()
    return known[name].read_bytes()


def static_reply(name: str, request: web.BaseRequest) -> web.Response:
    """Serve one file. Browsers ask again each time, and mostly hear that nothing has changed."""
    body = content(name)
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    fields = headers(TYPES[name.rpartition(".")[2]], Cache_Control="no-cache", ETag=tag)
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=fields)
    return web.Response(body=body, headers=fields)


# --- prompt files -----------------------------------------------------------------------------------------------------


class Asset(Struct, frozen=True):
    """A prompt file."""

    content: bytes
    content_type: str


def content_type_of(content: bytes) -> str:
    """Return the type of a prompt file by its first bytes; the flow's loader made sure that it is one of two."""
    return "audio/wav" if content[:4] == b"RIFF" else "audio/x-ms-wma"


async def media_reply(name: str, asset: Callable[[str], Awaitable[Asset | None]]) -> web.Response:
    """Serve one prompt file; it can be kept for ever, since its name is its content."""
    found = await asset(name) if _HASH.fullmatch(name) else None
    if found is None:
        raise not_found()
    fields = headers(found.content_type, Cache_Control=_FOREVER, ETag=f'"{name}"')
    return web.Response(body=found.content, headers=fields)
