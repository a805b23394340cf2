"""A token of this server's own at an identity provider: OAuth 2.0, grant `client_credentials` (RFC 6749, 4.4).

One request at a time asks for it, and all who wait share what comes. It is renewed at half its life, while the old one
is still good; and in its last minutes it is not used, since whoever gets it may have another clock.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from ivr.ports import Outbound
from ivr.services.egress import Network
from ivr.services.platform_api import PlatformApi, PlatformUnreachable

log = logging.getLogger(__name__)

LAST_MINUTES = 300.0
"Seconds before its end from which on a token is not used."
REST = 10.0
"Seconds after a failure before a token is asked for again."
SHORTEST, LONGEST = 60.0, 86_400.0
"Seconds that a token is taken to live, whatever is said."
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)


class _Answer(Struct):
    access_token: str = ""
    expires_in: float | str = 0.0
    "The older form of the protocol writes a text."
    error: str = ""


class _Held(Struct, frozen=True):
    token: str
    half: float
    "When half its life is over, in seconds since 1970, like `ends`."
    ends: float
    "When it is used no longer."


class ClientCredentials:
    """One client's token for one scope."""

    def __init__(
        self,
        login: str,
        tenant: str,
        *,
        client: str,
        secret: str,
        scope: str,
        private: Sequence[Network] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """Ask the provider at `login` for tokens of a tenant's client; raise ValueError where that is no address."""
        self._api = PlatformApi(login, None, private=private)
        self._path = f"/{tenant}/oauth2/v2.0/token"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": secret,
            "scope": scope,
        }
        self._now = now
        self._lock = asyncio.Lock()
        self._held: _Held | None = None
        self._failed = -REST
        "When a token could not be had, last."

    def __repr__(self) -> str:
        return "ClientCredentials"

    async def token(self) -> str:
        """Return a token that is good for some minutes; raise PlatformUnreachable if none can be had."""
        held = self._good()
        if held is not None and self._now() < held.half:
            return held.token
        async with self._lock:
            held = self._good()
            if held is not None and (self._now() < held.half or self._rests()):
                return held.token  # another request has renewed it, or has just tried to
            if held is None and self._rests():
                raise _no_token()
            try:
                self._held = await self._asked()
            except PlatformUnreachable:
                self._failed = self._now()
                if held is None:
                    raise
                return held.token
            return self._held.token

    def drop(self, token: str) -> None:
        """Forget a token that was refused; another one may be held by now."""
        if self._held is not None and self._held.token == token:
            self._held = None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._api.close()

    def _good(self) -> _Held | None:
        return self._held if self._held is not None and self._now() < self._held.ends else None

    def _rests(self) -> bool:
        return 0 <= self._now() - self._failed < REST

    async def _asked(self) -> _Held:
        asked = self._now()
        try:
            answer = await self._api.send(Outbound("token", "POST", self._path, self._form, "form"), "token")
        except PlatformUnreachable as error:
            log.warning("no token", extra={"reason": error.code})
            raise _no_token() from error
        read = _read(answer.body)
        if answer.status != 200 or not _TOKEN.fullmatch(read.access_token):
            # Not what it says beside: that may repeat what was sent.
            code = read.error if _CODE.fullmatch(read.error) else f"status {answer.status}"
            log.error("no token", extra={"reason": code})
            raise _no_token()
        life = min(max(_seconds(read.expires_in), SHORTEST), LONGEST)
        return _Held(read.access_token, asked + life / 2, asked + max(life - LAST_MINUTES, life / 2))


def _no_token() -> PlatformUnreachable:
    return PlatformUnreachable("token", "there is no token for the platform", sent=False)


def _read(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return _Answer()


def _seconds(written: float | str) -> float:
    try:
        return float(written)
    except ValueError:
        return 0.0
