"""The addresses of sign-in: `/s` takes tickets, `/s/LINK` asks and sends on, `/signin/…` is where browsers come back.

Nothing that a browser is sent away with can be used by another: it is known by a cookie that scripts and other sites
cannot read, and that other sites' forms are sent without (SameSite=Lax).
"""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from ivr.errors import WebhookError
from ivr.server.browser_address import counted_as, said_by_proxy
from ivr.server.cookies import cookies_named
from ivr.server.html import Html
from ivr.server.replies import not_found
from ivr.server.sign_in.sign_in_markup import (
    STATIC,
    STYLES,
    TICKETS,
    code_page,
    confirm_page,
    moved,
    result_page,
    sign_in_reply,
    ticket_page,
)
from ivr.server.sign_in.sign_in_wording import Wording, accepted, wording
from ivr.server.small_forms import SmallForms
from ivr.server.static_files import static_reply
from ivr.signin.browser_side import BrowserSignIns, Returned, Seen, TooManyTickets, WrongTicket
from ivr.signin.drawing import new_secret

CALLBACK: Final = "/signin/callback"
COOKIE, PLAIN_COOKIE = "__Host-login", "ivr-login"
"The second in development mode, which is http: browsers take no `__Host-` there."
COOKIE_LASTS: Final = 1800
"Seconds: an attempt and its code are good for less."
_LINK = re.compile(r"/s/([A-Za-z0-9_-]{43})", re.ASCII)
_ATTEMPT = re.compile(r"/signin/([0-9a-f]{32})", re.ASCII)
_HELD = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_LONGEST: Final = 4096
"Characters of a parameter that a browser brings back."


class SignInPages:
    """`Pages` of sign-in."""

    def __init__(self, browsers: BrowserSignIns, *, name: str, login: str, plain: bool = False) -> None:
        """`name` is the organisation, `login` the provider's address; `plain`: over http, in development mode."""
        self._browsers = browsers
        self._name = name
        parts = urlsplit(login)
        self._provider = f"{parts.scheme}://{parts.netloc}"
        self._plain = plain
        self._forms = SmallForms()

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is one of sign-in."""
        return path == TICKETS or path.startswith((f"{TICKETS}/", "/signin/"))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise WebhookError."""
        path, method = request.rel_url.path, request.method
        takes_forms = path == TICKETS or path.startswith(f"{TICKETS}/")
        if method not in {"GET", "HEAD", "POST"} or (method == "POST" and not takes_forms):
            raise WebhookError(405, "method", "Pages are read by GET, and forms are sent by POST.")
        if method == "POST":
            _require_no_other_site(request)
        if path.startswith(STATIC):
            return _static(path.removeprefix(STATIC), request)
        if path == TICKETS:
            return await self._ticket(request)
        if found := _LINK.fullmatch(path):
            return await self._link(request, found[1])
        if path == CALLBACK:
            return await self._back(request)
        if found := _ATTEMPT.fullmatch(path):
            return await self._stands(request, found[1])
        raise not_found()

    async def _ticket(self, request: web.BaseRequest) -> web.Response:
        words = accepted(request.headers.get("Accept-Language", ""))
        if request.method != "POST":
            return sign_in_reply(ticket_page(words, self._name))
        ticket = await self._forms.field(request, "ticket")
        try:
            link = await self._browsers.enter(ticket[:40], _sender(request))
        except TooManyTickets:
            return sign_in_reply(ticket_page(words, self._name, words.too_many), status=429)
        except WrongTicket:
            return sign_in_reply(ticket_page(words, self._name, words.wrong_ticket), status=404)
        return moved(f"{TICKETS}/{link}")

    async def _link(self, request: web.BaseRequest, link: str) -> web.Response:
        browser = self._held(request)
        if request.method == "POST":
            address = await self._browsers.confirm(link, browser)
            return moved(address) if address is not None else self._used(request)
        attempt = await self._browsers.look(link, browser)
        if attempt is None:
            return self._used(request)
        # The cookie comes with the page, not with its form: so a form that another site sends has none.
        page = confirm_page(wording(attempt.language), self._name, attempt, link)
        cookie = self._cookie(browser or new_secret())
        return sign_in_reply(page, sends_to=self._provider, Set_Cookie=cookie)

    async def _back(self, request: web.BaseRequest) -> web.Response:
        """Take a browser back, and send it to an address in which nothing is secret."""
        asked = {name: value[:_LONGEST] for name, value in request.rel_url.query.items()}
        if request.method != "GET":
            raise not_found()
        returned = Returned(
            asked.get("state", ""), asked.get("code", ""), asked.get("error", ""), issuer=asked.get("iss")
        )
        attempt = await self._browsers.returned(returned, self._held(request))
        return self._used(request) if attempt is None else moved(f"/signin/{attempt}")

    async def _stands(self, request: web.BaseRequest, attempt: str) -> web.Response:
        browser = self._held(request)
        seen = await self._browsers.page(attempt, browser) if browser and request.method == "GET" else None
        if seen is None:
            return self._used(request)
        return sign_in_reply(self._shown(wording(seen.attempt.language), seen))

    def _shown(self, words: Wording, seen: Seen) -> Html:
        if seen.code:
            return code_page(words, self._name, seen.code)
        title, about = {
            "signedIn": (words.signed_in, words.signed_in_about),
            "declined": (words.declined, words.declined_about),
            "expired": (words.expired, words.expired_about),
        }.get(seen.standing, (words.failed, words.failed_about))
        return result_page(words, self._name, title, about)

    def _used(self, request: web.BaseRequest) -> web.Response:
        """Answer for every link, state and page that is not this browser's to use, whichever it is."""
        words = accepted(request.headers.get("Accept-Language", ""))
        return sign_in_reply(result_page(words, self._name, words.used, words.used_about), status=404)

    def _held(self, request: web.BaseRequest) -> str:
        """Return what the browser's cookie holds; empty: it has none of ours."""
        name = PLAIN_COOKIE if self._plain else COOKIE
        return next((one for one in cookies_named(request, name) if _HELD.fullmatch(one)), "")

    def _cookie(self, secret: str) -> str:
        name, secure = (PLAIN_COOKIE, "") if self._plain else (COOKIE, "; Secure")
        return f"{name}={secret}; Max-Age={COOKIE_LASTS}; Path=/{secure}; HttpOnly; SameSite=Lax"


def _static(name: str, request: web.BaseRequest) -> web.Response:
    if name not in {*STYLES, "icon.svg"} or request.method == "POST":
        raise not_found()
    return static_reply(name, request)


def _require_no_other_site(request: web.BaseRequest) -> None:
    """Refuse a form of another site's page, where the browser tells; an older one is known by the cookie it lacks.

    `Origin` tells nothing here: of pages with `Referrer-Policy: no-referrer` it is `null`, as of a sandbox.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise WebhookError(403, "origin", "The request was not sent by a page of this server.")


def _sender(request: web.BaseRequest) -> str:
    """Return under which address a browser is counted: what a proxy before this server says, else the connection's."""
    peer = request.remote or ""
    said = said_by_proxy(request)
    try:
        if not ip_address(peer).is_global:
            return counted_as(str(ip_address(said)))
    except ValueError:
        pass
    return counted_as(peer)
