"""Every answer that leaves the server, and the headers that go with it.

An error is always `{"error": {"code", "message"}}`. Nothing of the request is repeated in it.
"""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from ivr.errors import WebhookError
from ivr.ports import WebhookReply

_EVERYWHERE = CIMultiDict(
    {
        "Server": "ivr",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
)

RETRY_AFTER = 1
"Seconds that a platform is asked to wait after a 503."

_JSON = "application/json; charset=utf-8"
_encode = msgspec.json.encode


def headers(content_type: str, **others: str) -> CIMultiDict[str]:
    """Return the headers of an answer: those that every one has, and its own; `Cache_Control` is `Cache-Control`."""
    fields = _EVERYWHERE.copy()  # aiohttp takes one of these as it is; a dict it would copy more slowly
    fields["Content-Type"] = content_type
    for name, value in others.items():
        fields[name.replace("_", "-")] = value
    return fields


def not_found() -> WebhookError:
    """Return the refusal of an address that leads nowhere, whichever it is.

    A new one each time, here as for every refusal: an exception that is raised again keeps the frames of all the times
    before, and with them their requests.
    """
    return WebhookError(404, "not-found", "Not found.")


def reply(answer: WebhookReply) -> web.Response:
    """Send a turn's reply, byte for byte."""
    return web.Response(status=answer.status, body=answer.body, headers=headers(answer.content_type))


def raw_reply(answer: WebhookReply, *, close: bool = False) -> bytes:
    """Return a turn's reply as a whole HTTP/1.1 answer, to the byte what `reply` becomes by aiohttp."""
    head, body = _head(answer.status, answer.content_type), answer.body
    return b"%b%d\r\nDate: %b%b%b" % (head, len(body), _date(int(time.time())), _CLOSE if close else _KEEP, body)


_KEEP, _CLOSE = b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"


@lru_cache(maxsize=16)
def _head(status: int, content_type: str) -> bytes:
    """Return an answer's head up to the value of its Content-Length."""
    return _raw_head(status, headers(content_type)) + b"Content-Length: "


@lru_cache(maxsize=1)
def _date(now: int) -> bytes:
    return formatdate(now, usegmt=True).encode("ascii")


def _raw_head(status: int, fields: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, ""]).encode("ascii")


def json_reply(content: object, *, status: int = 200) -> web.Response:
    """Answer a question about the server itself."""
    return web.Response(status=status, body=_encode(content), headers=headers(_JSON))


def error_reply(error: WebhookError, *, allow: str | None = None) -> web.Response:
    """Refuse a request."""
    fields = headers(_JSON)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        fields["Retry-After"] = str(RETRY_AFTER)
    if error.status == HTTPStatus.UNAUTHORIZED:
        fields["WWW-Authenticate"] = "Bearer"
    if allow:
        fields["Allow"] = allow
    return web.Response(status=error.status, body=error_body(error), headers=fields)


def error_body(error: WebhookError) -> bytes:
    """Return the one shape that errors have."""
    return _encode({"error": {"code": error.code, "message": error.message}})


def raw_error(error: WebhookError) -> bytes:
    """Return a whole HTTP/1.1 answer, for a connection that has no request yet."""
    body = error_body(error)
    fields = headers(_JSON, Content_Length=str(len(body)), Retry_After=str(RETRY_AFTER), Connection="close")
    return _raw_head(error.status, fields) + b"\r\n" + body
