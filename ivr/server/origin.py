"""Which pages of a browser may speak to this server: only its own. And which names are this machine's."""

import re
from urllib.parse import urlsplit

from aiohttp import web

from ivr.errors import WebhookError

_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def require_loopback_name(request: web.BaseRequest) -> None:
    """Refuse a page on the same machine that reached us by a name of its own (DNS rebinding)."""
    if not is_loopback_name(request.headers.get("Host", "")):
        raise WebhookError(403, "host", "In development mode only localhost, 127.0.0.1 and [::1] are answered.")


def is_loopback_name(host: str) -> bool:
    """Tell whether a host, with its port or without, is this machine by name, so that no resolver is asked."""
    return _LOOPBACK.fullmatch(host) is not None


def require_own_page(request: web.BaseRequest) -> None:
    """Refuse what another site's page sends, such as a form; who sends neither header is no browser."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = site == "same-origin" if site else origin is None or urlsplit(origin).netloc == request.headers.get("Host")
    if not own:
        raise WebhookError(403, "origin", "This was not sent by a page of this server.")
