"""The identity provider of callers, over the web: OAuth 2.0 and OpenID Connect as Entra speaks them.

A browser is sent there with PKCE (RFC 7636), and what it brings back is exchanged with our secret; a device code needs
none (RFC 8628). Nothing of what the provider says beside its own words for errors is logged: that may repeat what was
sent.
"""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ivr.auth.id_tokens import BadIdToken, IdTokens
from ivr.ports import Outbound
from ivr.services.egress import Network
from ivr.services.platform_api import PlatformApi, PlatformUnreachable
from ivr.sign_in_storage import Tokens
from ivr.signin.authority import AuthorityAway, AuthorityRefused, DeviceCode, Redirect

OPENID: Final = ("openid", "profile", "offline_access")
"Scopes of every sign-in: who it is, and a refresh token."
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
PATIENCE: Final = 10.0
"Seconds for an answer: a browser waits for some of them."
INTERVAL: Final = 5.0
"Seconds between two polls where the provider does not say (RFC 8628, 3.2)."
SHORTEST, LONGEST = 60.0, 86_400.0
"Seconds that an access token is taken to live, whatever is said."
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
_ERROR = re.compile(r"[a-z_]{1,60}", re.ASCII)
_USER_CODE = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)


class _Answer(Struct):
    """What may stand in an answer; the older form of the protocol writes numbers as texts."""

    error: str = ""
    token_type: str = ""
    access_token: str = ""
    expires_in: float | str = 0.0
    refresh_token: str | None = None
    id_token: str = ""
    user_code: str = ""
    device_code: str = ""
    verification_uri: str = ""
    interval: float | str = INTERVAL


class SignInAuthority:
    """`Authority`."""

    def __init__(
        self,
        login: str,
        tenant: str,
        *,
        client: str,
        secret: str,
        redirect: str,
        ids: IdTokens,
        private: Sequence[Network] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """Be a client of the provider at `login`; raise ValueError where that is no address.

        `redirect` is where browsers come back to, exactly as the provider knows it.
        """
        self._api = PlatformApi(login, None, private=private, patience=PATIENCE)
        self._base = f"{login}/{tenant}/oauth2/v2.0"
        self._path = f"/{tenant}/oauth2/v2.0"
        self._client = client
        self._secret = secret
        self._redirect = redirect
        self._ids = ids
        self._now = now

    def __repr__(self) -> str:
        return "SignInAuthority"

    def trusts(self, tenant: str) -> bool:
        """Return whether people of this directory may sign in."""
        return self._ids.trusts(tenant)

    def is_issuer(self, issuer: str) -> bool:
        """Return whether this is the provider's own name for itself (RFC 9207, 2.4)."""
        return self._ids.is_issuer(issuer)

    def address(self, redirect: Redirect) -> str:
        """Return where a browser is sent to sign in."""
        asked = {
            "client_id": self._client,
            "response_type": "code",
            "redirect_uri": self._redirect,
            "response_mode": "query",
            "scope": _scope(redirect.scopes),
            "state": redirect.state,
            "nonce": redirect.nonce,
            "code_challenge": redirect.challenge,
            "code_challenge_method": "S256",
            "prompt": "select_account",  # whoever holds the browser chooses: nobody is signed in without a look
        }
        return f"{self._base}/authorize?{urlencode(asked, quote_via=quote)}"

    async def redeem(self, code: str, *, verifier: str, nonce: str, scopes: Sequence[str]) -> Tokens:
        """Exchange what a browser came back with for tokens of somebody whom the provider vouches for."""
        asked = {
            "grant_type": "authorization_code",
            "client_id": self._client,
            "client_secret": self._secret,
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
            "scope": _scope(scopes),
        }
        return await self._tokens(await self._asked("token", asked), nonce=nonce)

    async def refresh(self, tokens: Tokens, *, scopes: Sequence[str], device: bool) -> Tokens:
        """Exchange the refresh token for new tokens of the same person; `device`: they came by a device code."""
        asked = {
            "grant_type": "refresh_token",
            "client_id": self._client,
            "refresh_token": tokens.refresh or "",
            "scope": _scope(scopes),
            **({} if device else {"client_secret": self._secret}),
        }
        answer = await self._asked("token", asked)
        if answer.id_token:
            fresh = await self._tokens(answer, nonce=None)
            if fresh.user != tokens.user:
                raise AuthorityRefused("id-token-other-user")
        else:
            fresh = self._held(answer, tokens)
        return fresh if fresh.refresh is not None else replace(fresh, refresh=tokens.refresh)

    async def device_code(self, scopes: Sequence[str]) -> DeviceCode:
        """Ask for a code that is entered at the provider's page."""
        answer = await self._asked("devicecode", {"client_id": self._client, "scope": _scope(scopes)})
        page = answer.verification_uri
        if not (_USER_CODE.fullmatch(answer.user_code) and answer.device_code and _is_page(page)):
            raise AuthorityAway("the answer has no device code")
        lasts, interval = _seconds(answer.expires_in), _seconds(answer.interval) or INTERVAL
        return DeviceCode(answer.user_code, answer.device_code, page, lasts, interval)

    async def poll(self, device_code: str) -> Tokens:
        """Return the tokens of whoever has entered the code; AuthorityRefused says how it stands else."""
        asked = {"grant_type": DEVICE_GRANT, "client_id": self._client, "device_code": device_code}
        return await self._tokens(await self._asked("token", asked), nonce=None)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._api.close()

    async def _asked(self, what: str, form: Mapping[str, str]) -> _Answer:
        """Return the answer of a success; raise AuthorityRefused and AuthorityAway."""
        try:
            answer = await self._api.send(Outbound(what, "POST", f"{self._path}/{what}", form, "form"), what)
        except PlatformUnreachable as error:
            raise AuthorityAway(error.code) from error
        read = _read(answer.body)
        if answer.status == HTTPStatus.OK and read is not None and not read.error:
            return read
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise AuthorityAway(f"status {answer.status}")
        said = read.error if read is not None else ""
        raise AuthorityRefused(said if _ERROR.fullmatch(said) else f"status {answer.status}")

    async def _tokens(self, answer: _Answer, *, nonce: str | None) -> Tokens:
        """Return the tokens of an answer; whose they are is what its ID token proves."""
        try:
            user = await self._ids.user(answer.id_token, nonce=nonce, now=self._now())
        except BadIdToken as error:
            raise AuthorityRefused(f"id-token-{error.reason}") from error
        return self._held(answer, Tokens("", 0.0, None, user))

    def _held(self, answer: _Answer, before: Tokens) -> Tokens:
        if answer.token_type.lower() != "bearer" or not _TOKEN.fullmatch(answer.access_token):
            raise AuthorityRefused("no-token")
        life = min(max(_seconds(answer.expires_in), SHORTEST), LONGEST)
        return replace(before, access=answer.access_token, ends=self._now() + life, refresh=answer.refresh_token)


def _scope(scopes: Sequence[str]) -> str:
    return " ".join(dict.fromkeys((*OPENID, *scopes)))


def _read(body: bytes) -> _Answer | None:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _seconds(written: float | str) -> float:
    try:
        value = float(written)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _is_page(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and len(address) <= 200 and address.isprintable()
