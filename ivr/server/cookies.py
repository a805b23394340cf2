"""Cookies that a request brings along."""

from collections.abc import Iterator

from aiohttp import web


def cookies_named(request: web.BaseRequest, wanted: str) -> Iterator[str]:
    """Return the values of all cookies of a name.

    Only `;` and the name are looked at: other services of this host set cookies as they like, and `SimpleCookie` reads
    nothing behind one that it does not understand.
    """
    for cookie in request.headers.get("Cookie", "").split(";"):
        name, _, value = cookie.partition("=")
        if name.strip() == wanted:
            yield value.strip()
