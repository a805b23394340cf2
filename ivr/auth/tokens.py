"""Bot Framework's bearer tokens (protocol 13): is this request really the platform's?

Rule 1: a key comes from the ring and nowhere else; whatever key or address a token brings along is not looked at.
Rule 2: nothing of a token reaches a log or an error. PyJWT's exceptions quote what they could not read, so none of them
becomes the cause, or even the context, of ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from ivr.auth.keys import KeyRing
from ivr.auth.verified import Lifetime, VerifiedTokens
from ivr.errors import WebhookError
from ivr.ports import WebhookRequest

ISSUER = "https://api.botframework.com"
ALGORITHMS = ("RS256", "RS384", "RS512")
MAX_LENGTH = 8192
"Characters of a token; a real one has some 700, and web servers stop at 8 KB for a header."

# An engine that has never heard of "none" or HS256 cannot be talked into them.
_SIGNATURES = jwt.PyJWS(algorithms=list(ALGORITHMS))

REFUSALS: Mapping[str, tuple[int, str]] = {
    "no-token": (401, "A bearer token is required."),
    "token-malformed": (403, "The bearer token is not a valid JSON Web Token."),
    "token-algorithm": (403, "The token must be signed with RS256, RS384 or RS512, and name its key (kid)."),
    "token-issuer": (403, "The token has a different issuer than expected."),
    "token-audience": (403, "The token is for another bot: its aud is not this bot's app id."),
    "token-times": (403, "The token has no valid times (nbf and exp must be numbers)."),
    "token-early": (403, "The token is not valid yet."),
    "token-expired": (403, "The token has expired."),
    "token-key": (403, "The token is signed with a key that is not one of the platform's."),
    "token-signature": (403, "The token's signature is invalid."),
    # 503, since the platform repeats that and not a 4xx: the caller is saved if the keys can be had soon (protocol 14).
    "no-keys": (503, "The platform's keys are not available yet. Try again."),
    "key-not-known-yet": (503, "The token is signed with a key that is not known yet. Try again."),
}


class GoodToken(Struct, frozen=True):
    """A token that was found good: when it is, and by which keys."""

    lifetime: Lifetime
    keys: KeyRing
    generation: int
    "Of the keys, when it was looked at."

    def hold(self, now: float) -> bool:
        """Return whether it is good at `now`."""
        return self.generation == self.keys.generation and self.lifetime.objection(now) is None


class BearerVerifier:
    """A `Verifier` for tokens that one issuer made out to one app id, signed by a key of the ring."""

    algorithms: Sequence[str] = ALGORITHMS
    refusals: Mapping[str, tuple[int, str]] = REFUSALS

    def __init__(
        self, app_id: str, keys: KeyRing, *, issuer: str = ISSUER, verified: VerifiedTokens | None = None
    ) -> None:
        if not app_id:
            raise ValueError("without an app id, tokens of every bot would be accepted")
        self._app_id = app_id
        self._keys = keys
        self._issuer = issuer
        self._verified = VerifiedTokens() if verified is None else verified

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return if the token is good at `now`; else raise WebhookError with 401, 403 or 503."""
        await self.verify_header(request.headers.get("authorization", ""), now=now)

    async def verify_header(self, authorization: str, *, now: float) -> None:
        """Return if the token of an Authorization header is good at `now`; else raise WebhookError as `verify` does."""
        self._keys.tend(now=now)
        objection = await self._objection(bearer_token(authorization), now)
        if objection is not None:
            status, message = self.refusals[objection]
            raise WebhookError(status, objection, message)

    def verify_body(self, request: WebhookRequest) -> None:
        """Return for every request: the token in its head is all that the platform proves itself with."""

    def remembered(self, authorization: str, *, now: float) -> GoodToken | None:
        """Return a token that was found good before, and is good at `now`."""
        self._keys.tend(now=now)
        token, generation = bearer_token(authorization), self._keys.generation
        lifetime = self._verified.get(token, generation) if _may_be_token(token) else None
        if lifetime is None or lifetime.objection(now) is not None:
            return None
        return GoodToken(lifetime, self._keys, generation)

    async def _objection(self, token: str, now: float) -> str | None:
        if not token:
            return "no-token"
        if not _may_be_token(token):
            return "token-malformed"
        known = self._verified.get(token, self._keys.generation)
        return known.objection(now) if known is not None else await self._first_sight(token, now)

    async def _first_sight(self, token: str, now: float) -> str | None:
        """Judge the claims, then the signature over the same text, and remember the token if both are good.

        Claims come first although they are not verified yet: that can only refuse, and a token that could never be good
        is not worth a fetch of keys.
        """
        parts = read_token(token)
        if parts is None:
            return "token-malformed"
        header, claims = parts["header"], parts["payload"]
        kid = header.get("kid")
        if header.get("alg") not in self.algorithms or not isinstance(kid, str):
            return "token-algorithm"
        lifetime = self.lifetime(claims)
        if lifetime is None:
            return "token-times"
        objection = self._foreign(claims) or lifetime.objection(now)
        if objection is not None:
            return objection
        key = await self._keys.find(kid, now=now)
        if key is None:
            return self._keyless(now)
        if not is_signed(token, key):
            return "token-signature"
        self._verified.add(token, lifetime, self._keys.generation)
        return None

    def _keyless(self, now: float) -> str:
        """Return what is wrong with a token whose key is not known.

        Where the key could not be asked after, that is no "no": the platform may have changed its keys just now, and
        repeats nothing that was refused for good.
        """
        if self._keys.empty:
            return "no-keys"
        return "token-key" if self._keys.were_asked(now) else "key-not-known-yet"

    def _foreign(self, claims: Mapping[str, Any]) -> str | None:
        if claims.get("iss") != self._issuer:
            return "token-issuer"
        return None if self.is_for(claims.get("aud"), self._app_id) else "token-audience"

    @staticmethod
    def is_for(audience: object, app_id: str) -> bool:
        """Return whether a token's `aud` is this bot."""
        return audience in (app_id, [app_id])

    @staticmethod
    def lifetime(claims: Mapping[str, Any]) -> Lifetime | None:
        """Return when a token is good; None: it does not say, or no time is meant."""
        begins, ends = seconds(claims.get("nbf")), seconds(claims.get("exp"))
        return None if begins is None or ends is None else Lifetime(begins, ends)


class AcceptAll:
    """The `Verifier` of `ivr serve --dev`, which listens on a loopback address only (docs/security.md)."""

    async def verify(self, request: WebhookRequest, *, now: float) -> None:
        """Return for every request."""

    def verify_body(self, request: WebhookRequest) -> None:
        """Return for every request."""

    def remembered(self, authorization: str, *, now: float) -> "AcceptAll":
        """Return what holds for ever."""
        return self

    def hold(self, now: float) -> bool:
        """Return True."""
        return True


def bearer_token(header: str) -> str:
    """Return the token of an Authorization header, "" if it has none; the scheme is in any case (RFC 9110, 11.1)."""
    scheme, _, token = header.partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else ""


def _may_be_token(token: str) -> bool:
    # A header's bytes over 0x7f arrive as surrogates, which neither hash nor decode.
    return len(token) <= MAX_LENGTH and token.isascii()


def read_token(token: str) -> dict[str, Any] | None:
    """Take a token apart without believing it."""
    try:
        return jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None


def is_signed(token: str, key: RSAPublicKey) -> bool:
    """Return whether a token is signed with a key, by an algorithm that is known here."""
    try:
        _SIGNATURES.decode_complete(token, key, algorithms=ALGORITHMS)
    except jwt.PyJWTError:
        return False
    return True


def seconds(value: object) -> float | None:
    """Return a NumericDate (RFC 7519, 2); None for text, booleans, NaN, infinity and numbers beyond the year 30000."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e12 else None
