"""ID tokens of people who have signed in (OpenID Connect Core 1.0, 3.1.3.7): who is it, and may they?

The token came from the provider itself over TLS; it is verified nevertheless, so that nobody signs in by a token that
was made for somebody else, for another application, or for another attempt. Nothing of it reaches a log.
"""

import hmac
from collections.abc import Collection, Mapping
from typing import Any, Final

from ivr.auth.keys import KeyRing
from ivr.auth.tokens import MAX_LENGTH, is_signed, read_token, seconds
from ivr.auth.verified import Lifetime
from ivr.errors import IvrError
from ivr.sign_in_ports import DirectoryUser

ALGORITHM: Final = "RS256"
LONGEST_ID: Final = 128
"Characters of an id of the directory's."


class BadIdToken(IvrError):
    """A token that says of nobody who they are; `reason` is one word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class IdTokens:
    """Reads the ID tokens that one provider makes for one client."""

    def __init__(self, client: str, issuer: str, keys: KeyRing, *, tenants: Collection[str]) -> None:
        """`issuer` has `{tenant}` where the directory stands; `tenants` are those whose people may sign in."""
        self._client = client
        self._issuer = issuer
        self._keys = keys
        self._tenants = frozenset(tenants)

    def trusts(self, tenant: str) -> bool:
        """Return whether people of this directory may sign in."""
        return tenant in self._tenants

    def is_issuer(self, issuer: str) -> bool:
        """Return whether this is the provider's name for itself, for a directory whose people may sign in."""
        return any(issuer == self._issuer.format(tenant=tenant) for tenant in self._tenants)

    async def user(self, token: str, *, nonce: str | None, now: float) -> DirectoryUser:
        """Return whose token it is; raise BadIdToken.

        `nonce` is what the browser was sent with; None: no browser was (RFC 8628 has none).
        """
        parts = read_token(token) if len(token) <= 2 * MAX_LENGTH and token.isascii() else None
        if parts is None:
            raise BadIdToken("malformed")
        header, claims = parts["header"], parts["payload"]
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            raise BadIdToken("algorithm")
        user = self._judged(claims, nonce, now)
        key = await self._keys.find(kid, now=now)
        if key is None:
            raise BadIdToken("key" if self._keys.were_asked(now) else "keys-away")
        if not is_signed(token, key):
            raise BadIdToken("signature")
        return user

    def _judged(self, claims: Mapping[str, Any], nonce: str | None, now: float) -> DirectoryUser:
        """Return whom the claims name; raise BadIdToken for what they must not be, whoever has signed them."""
        tenant, user = claims.get("tid"), claims.get("oid")
        if not isinstance(tenant, str) or tenant.lower() not in self._tenants:
            raise BadIdToken("tenant")
        if claims.get("iss") != self._issuer.format(tenant=tenant.lower()):
            raise BadIdToken("issuer")
        if claims.get("aud") != self._client:  # a list is refused, too: the provider makes none
            raise BadIdToken("audience")
        begins, ends = _times(claims)
        if objection := Lifetime(begins, ends).objection(now):
            raise BadIdToken(objection.removeprefix("token-"))
        said = claims.get("nonce")
        if nonce is not None and not (
            isinstance(said, str) and hmac.compare_digest(said.encode("utf-8", "replace"), nonce.encode())
        ):
            raise BadIdToken("nonce")
        if not isinstance(user, str) or not 0 < len(user) <= LONGEST_ID:
            raise BadIdToken("user")
        return DirectoryUser(tenant.lower(), user.lower())


def _times(claims: Mapping[str, Any]) -> tuple[float, float]:
    """Return when a token begins and ends to be good; one that says nothing of its beginning was made in the past."""
    ends = seconds(claims.get("exp"))
    begins = [seconds(claims[name]) for name in ("nbf", "iat") if claims.get(name) is not None]
    known = [one for one in begins if one is not None]
    if ends is None or len(known) < len(begins):
        raise BadIdToken("times")
    return max(known, default=0.0), ends
