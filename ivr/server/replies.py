"""Every answer that leaves the server, and the headers that go with it.

An error is always `{"error": {"code", "message"}}`. Nothing of the request is repeated in it.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web

from ivr.errors import WebhookError
from ivr.ports import WebhookReply

HEADERS: Mapping[str, str] = {
    "Server": "ivr",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"On every answer; a door that says otherwise says why."

RETRY_AFTER = 1
"Seconds that a platform is asked to wait after a 503."

_JSON = "application/json; charset=utf-8"
_encode = msgspec.json.encode


def reply(answer: WebhookReply) -> web.Response:
    """Send a turn's reply, byte for byte."""
    return web.Response(
        status=answer.status, body=answer.body, headers={**HEADERS, "Content-Type": answer.content_type}
    )


def json_reply(content: object, *, status: int = 200) -> web.Response:
    """Answer a question about the server itself."""
    return web.Response(status=status, body=_encode(content), headers={**HEADERS, "Content-Type": _JSON})


def error_reply(error: WebhookError, *, allow: str | None = None) -> web.Response:
    """Refuse a request."""
    headers = {**HEADERS, "Content-Type": _JSON}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if allow:
        headers["Allow"] = allow
    return web.Response(status=error.status, body=error_body(error), headers=headers)


def error_body(error: WebhookError) -> bytes:
    """Give the one shape that errors have."""
    return _encode({"error": {"code": error.code, "message": error.message}})


def raw_error(error: WebhookError) -> bytes:
    """Give a whole HTTP/1.1 answer, for a connection that has no request yet."""
    body = error_body(error)
    headers = {
        **HEADERS,
        "Content-Type": _JSON,
        "Content-Length": str(len(body)),
        "Retry-After": str(RETRY_AFTER),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
