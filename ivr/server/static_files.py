"""The files that pages need: style sheets and scripts, from the package itself.

There is no build step and nothing from elsewhere. Files are read once, when they are first asked for.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

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


@cache
def content(name: str) -> bytes:
    """Return a file; raise WebhookError 404 for a name that is none of ours. Names with slashes never are."""
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
