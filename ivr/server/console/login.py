"""Who may look: one token for all operators, exchanged for a session that ends by itself.

A session is a lease by the hash of what the browser holds, so it is good at every server on the store; where a server
has its store for itself, a restart ends it. A new login makes a new session, whatever the browser sent: nobody can be
given one that somebody else knows. With another token, no session is good any more.
"""

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from urllib.parse import quote, unquote

from aiohttp import web

from ivr.coordination import Coordination
from ivr.errors import WebhookError
from ivr.server.cookies import cookies_named

LASTS = 8 * 3600.0
"Seconds of a session."
MOST_SESSIONS = 100
"Sessions that one server has begun; of more, the oldest ends."
_MOST_COOKIES = 4
"Of one request that are looked at; a browser has one."
GUESSES = 10
"Wrong tokens within `WINDOW` that are told so; the next ones are told to wait. The right one is always let in."
WINDOW = 60.0
AUDIO_LASTS = 1200.0
"Seconds for which the address of a recording is good at most, and twice those for which it is good at least."

WISH, WISH_LASTS = "ivr-console-to", 600
"The cookie that holds which page was asked for before the login, and for how many seconds."

COOKIE = "__Host-ivr-console"
"Browsers take a cookie of such a name only over https, and from the host itself (RFC 6265bis 4.1.3)."
PLAIN_COOKIE = "ivr-console"
"In development mode, which is http."


class Sessions:
    """Everybody who is logged in."""

    def __init__(
        self, token: str, coordination: Coordination, *, key: bytes, now: Callable[[], float], plain: bool = False
    ) -> None:
        """Let in who knows `token`; `plain`: over http, in development mode.

        `key` is that of the addresses of recordings, the same for all servers, and for nothing else.
        """
        self._token = _hash(token)
        self._coordination = coordination
        self._now = now
        self._plain = plain
        self._begun: deque[str] = deque()
        "Sessions that were begun here, by their names; the oldest first."
        self._wrong: deque[float] = deque()
        self._key = key

    async def enter(self, token: str) -> str:
        """Log in, and give the session's secret; raise WebhookError 401, or 429 after too many wrong tokens.

        The token is compared first, whatever strangers tried before: otherwise ten guesses a minute would lock out
        the operator.
        """
        now = self._now()
        if hmac.compare_digest(_hash(token), self._token):
            return await self._begin()
        while self._wrong and self._wrong[0] <= now - WINDOW:
            self._wrong.popleft()
        if len(self._wrong) >= GUESSES:
            raise WebhookError(429, "too-many-guesses", "Too many wrong tokens. Wait a minute.")
        self._wrong.append(now)
        raise WebhookError(401, "wrong-token", "This is not the console token.")

    async def _begin(self) -> str:
        secret = secrets.token_urlsafe(32)
        name = self._name(secret)
        await self._coordination.lease("session", name, owner=name, lasts=LASTS)
        self._begun.append(name)
        while len(self._begun) > MOST_SESSIONS:
            await self._end(self._begun.popleft())
        return secret

    async def of(self, request: web.BaseRequest) -> str | None:
        """Return the session of a request, by a name that is no secret; None: nobody is logged in."""
        for session in self._held(request):
            if await self._coordination.leased("session", session):
                return session
        return None

    async def leave(self, request: web.BaseRequest) -> None:
        """Log out."""
        for session in self._held(request):
            await self._end(session)

    async def _end(self, session: str) -> None:
        await self._coordination.release("session", session, owner=session)

    def _name(self, secret: str) -> str:
        return _hash(f"{self._token}\n{secret}")

    def cookie(self, secret: str | None) -> str:
        """Return the header that makes the browser keep a session's secret, or forget it."""
        if self._plain:
            name, more = PLAIN_COOKIE, "Path=/console"
        else:
            name, more = COOKIE, "Path=/; Secure"
        age = int(LASTS) if secret else 0
        return f"{name}={secret or ''}; Max-Age={age}; {more}; HttpOnly; SameSite=Strict"

    def wish(self, path: str | None) -> str:
        """Return the header that makes the browser keep, until the login, which page was asked for; None: forget it."""
        age, secure = WISH_LASTS if path else 0, "" if self._plain else "Secure; "
        more = f"Path=/console/login; {secure}HttpOnly; SameSite=Strict"
        return f"{WISH}={quote(path or '', safe='')}; Max-Age={age}; {more}"

    def wished(self, request: web.BaseRequest) -> str:
        """Return the page that was asked for before the login, as the browser says; empty: none."""
        return unquote(next(cookies_named(request, WISH), ""))

    def seal(self, session: str, what: str) -> str:
        """Return the part of an address that nobody can guess; good in this session, and for a while.

        It changes now and then, not each time: a page that is kept up to date need not exchange what is being heard.
        """
        step = AUDIO_LASTS / 2
        until = int((self._now() // step + 2) * step)
        return f"{until}.{self._proof(session, what, until)}"

    def check(self, session: str, what: str, seal: str) -> None:
        """Raise WebhookError 404 unless `seal` was given for this, in this session, and not too long ago."""
        until, _, proof = seal.partition(".")
        good = until.isascii() and until.isdecimal() and len(until) < 12 and int(until) >= self._now()
        if not good or not hmac.compare_digest(self._proof(session, what, int(until)).encode(), proof.encode()):
            raise WebhookError(404, "not-found", "This address has expired. Load the call's page again.")

    def _proof(self, session: str, what: str, until: int) -> str:
        return hmac.new(self._key, f"{session}\n{what}\n{until}".encode(), hashlib.sha256).hexdigest()

    def _held(self, request: web.BaseRequest) -> Sequence[str]:
        """Return the sessions that a request's cookies are for, open or not."""
        cookies = islice(cookies_named(request, PLAIN_COOKIE if self._plain else COOKIE), _MOST_COOKIES)
        return [self._name(cookie) for cookie in cookies]


def _hash(text: str) -> str:
    """Make all secrets equally long, so that comparing them takes equally long too."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
