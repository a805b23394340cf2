"""Who may look: one token for all operators, exchanged for a session that ends by itself.

Sessions are kept in memory, by the hash of what the browser holds, so a restart ends them. A new login makes a new
session, whatever the browser sent: nobody can be given one that somebody else knows.
"""

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from aiohttp import web

from ivr.errors import WebhookError

LASTS = 8 * 3600.0
"Seconds of a session."
MOST_SESSIONS = 100
GUESSES = 10
"Wrong tokens that may be tried within `WINDOW`; then nobody can log in, whoever asks."
WINDOW = 60.0
AUDIO_LASTS = 600.0
"Seconds for which the address of a recording is good."

COOKIE = "__Host-ivr-console"
"Browsers take a cookie of such a name only over https, and from the host itself (RFC 6265bis 4.1.3)."
PLAIN_COOKIE = "ivr-console"
"In development mode, which is http."


class Sessions:
    """Everybody who is logged in."""

    def __init__(self, token: str, *, now: Callable[[], float], plain: bool = False) -> None:
        """Let in who knows `token`; `plain`: over http, in development mode."""
        self._token = _hash(token)
        self._now = now
        self._plain = plain
        self._open: dict[str, float] = {}
        "When each session ends, by the hash of its secret; the oldest first."
        self._wrong: deque[float] = deque()
        self._key = secrets.token_bytes(32)

    def enter(self, token: str) -> str:
        """Log in, and give the session's secret; raise WebhookError 401, or 429 after too many wrong tokens."""
        now = self._now()
        while self._wrong and self._wrong[0] <= now - WINDOW:
            self._wrong.popleft()
        if len(self._wrong) >= GUESSES:
            raise WebhookError(429, "too-many-guesses", "Too many wrong tokens were tried. Wait a minute.")
        if not hmac.compare_digest(_hash(token), self._token):
            self._wrong.append(now)
            raise WebhookError(401, "wrong-token", "This is not the console's token.")
        secret = secrets.token_urlsafe(32)
        self._open[_hash(secret)] = now + LASTS
        while len(self._open) > MOST_SESSIONS:
            del self._open[next(iter(self._open))]
        return secret

    def of(self, request: web.BaseRequest) -> str | None:
        """Give the session of a request, by a name that is no secret; None: nobody is logged in."""
        session = _hash(self._secret(request))
        return session if self._open.get(session, 0.0) > self._now() else None

    def leave(self, request: web.BaseRequest) -> None:
        """Log out."""
        self._open.pop(_hash(self._secret(request)), None)

    def cookie(self, secret: str | None) -> str:
        """Give the header that makes the browser keep a session's secret, or forget it."""
        if self._plain:
            name, more = PLAIN_COOKIE, "Path=/console"
        else:
            name, more = COOKIE, "Path=/; Secure"
        age = int(LASTS) if secret else 0
        return f"{name}={secret or ''}; Max-Age={age}; {more}; HttpOnly; SameSite=Strict"

    def seal(self, session: str, what: str) -> str:
        """Give the part of an address that nobody can guess; good in this session, and for a while."""
        until = int(self._now() + AUDIO_LASTS)
        return f"{until}.{self._proof(session, what, until)}"

    def check(self, session: str, what: str, seal: str) -> None:
        """Raise WebhookError 404 unless `seal` was given for this, in this session, and not too long ago."""
        until, _, proof = seal.partition(".")
        good = until.isascii() and until.isdecimal() and len(until) < 12 and int(until) >= self._now()
        if not good or not hmac.compare_digest(self._proof(session, what, int(until)).encode(), proof.encode()):
            raise WebhookError(404, "not-found", "This address is not good any more. Load the call's page again.")

    def _proof(self, session: str, what: str, until: int) -> str:
        return hmac.new(self._key, f"{session}\n{what}\n{until}".encode(), hashlib.sha256).hexdigest()

    def _secret(self, request: web.BaseRequest) -> str:
        try:
            held = SimpleCookie(request.headers.get("Cookie", ""))
        except CookieError:
            return ""
        morsel = held.get(PLAIN_COOKIE if self._plain else COOKIE)
        return morsel.value if morsel else ""


def _hash(text: str) -> str:
    """Make all secrets equally long, so that comparing them takes equally long too."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
