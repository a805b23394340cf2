"""Which pages of a browser may speak to this server: only its own. And which names are this machine's."""

import re
from urllib.parse import urlsplit

from aiohttp import web

from ivr.errors import WebhookError

_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def require_loopback_name(request: web.BaseRequest) -> None:
    """Refuse a page on the same machine that reached us by a name of its own (DNS rebinding)."""
    if not is_loopback_name(request.headers.get("Host", "")):
        raise WebhookError(403, "host", "In development mode, use localhost, 127.0.0.1 or [::1].")


def is_loopback_name(host: str) -> bool:
    """Return whether a host, with its port or without, is this machine by name, so that no resolver is asked."""
    return _LOOPBACK.fullmatch(host) is not None


def require_own_page(request: web.BaseRequest) -> None:
    """Refuse what another site's page sends, such as a form; a client that sends neither header is not a browser."""
    site = request.headers.get("Sec-Fetch-Site")
    own = site == "same-origin" if site else "Origin" not in request.headers or is_from_own_page(request)
    if not own:
        raise WebhookError(403, "origin", "The request was not sent by a page of this server.")


def is_from_own_page(request: web.BaseRequest) -> bool:
    """Return whether a request names a page of this very host as the one that it comes from."""
    host = _host_of(request.headers.get("Origin", ""))
    return bool(host) and host == request.headers.get("Host")


def _host_of(origin: str) -> str:
    """Return host and port of an origin; "" where it has none, as for anything that is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # a bracket that nothing closes, or that holds no address
        return ""
