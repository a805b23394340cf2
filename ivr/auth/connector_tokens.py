"""Tokens of the Bot Framework's connectors (activity protocol, A3): is this activity really from where it says?

A connector's token says for which address it speaks (`serviceurl`), and its key for which channels. So the body is held
against both, once it is there: a token that was taken from one channel is none of another, and no activity can name an
address of its own for what we answer.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ivr.auth.keys import KeyRing
from ivr.auth.tokens import ISSUER, REFUSALS, BearerVerifier, bearer_token, read_token, seconds
from ivr.auth.verified import Lifetime
from ivr.errors import WebhookError
from ivr.ports import WebhookRequest

ALL: Final = "*"
"In place of the names of all channels."
OWN_REFUSALS: Mapping[str, tuple[int, str]] = {
    **{code: (401 if status == 403 else status, message) for code, (status, message) in REFUSALS.items()},
    "token-algorithm": (401, "The token must be signed with RS256, and name its key (kid)."),
    "token-times": (401, "The token has no valid times (exp must be a number, as must nbf and iat)."),
}


class _Origin(Struct, rename="camel"):
    """What an activity says of where it comes from."""

    service_url: str | None = None
    channel_id: str | None = None


class ServiceVerifier(BearerVerifier):
    """A `Verifier` for what services of the vendor post to one bot: each token is made out to this bot alone."""

    algorithms = ("RS256",)
    refusals = OWN_REFUSALS

    @staticmethod
    def is_for(audience: object, app_id: str) -> bool:
        """Return whether a token's `aud` is this bot, and nothing else."""
        return audience == app_id

    @staticmethod
    def lifetime(claims: Mapping[str, Any]) -> Lifetime | None:
        """Return when a token is good: it has an end, and mostly a beginning; none is made in the future."""
        times = [seconds(claims[name]) for name in ("nbf", "iat") if claims.get(name) is not None]
        ends = seconds(claims.get("exp"))
        begins = [one for one in times if one is not None]
        return None if ends is None or len(begins) < len(times) else Lifetime(max(begins, default=0.0), ends)


class ConnectorVerifier(ServiceVerifier):
    """A `Verifier` for what connectors post to one bot."""

    def __init__(self, app_id: str, keys: KeyRing, *, issuer: str = ISSUER, endorsed: Collection[str] = (ALL,)) -> None:
        """`endorsed`: the channels whose keys have to say that they speak for them; `ALL`: every channel."""
        super().__init__(app_id, keys, issuer=issuer)
        self._endorsed = frozenset(endorsed)

    def verify_body(self, request: WebhookRequest) -> None:
        """Return if the activity is of the connector and the channel that its token is for; else raise WebhookError.

        401 or 403; 400 where it is none.
        """
        parts = read_token(bearer_token(request.headers.get("authorization", "")))
        if parts is None:  # `verify` has let it in, so this cannot be
            raise WebhookError(401, "no-token", "A bearer token is required.")
        try:
            origin = msgspec.json.decode(request.body, type=_Origin)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise WebhookError(400, "BadArgument", "The body is no activity.") from error
        claims = parts["payload"]
        claimed = _place(claims.get("serviceurl", claims.get("serviceUrl")))
        if claimed is None or claimed != _place(origin.service_url):
            raise WebhookError(403, "token-service", "The token is for another serviceUrl.")
        if not self._speaks_for(str(parts["header"].get("kid")), origin.channel_id or ""):
            raise WebhookError(403, "token-channel", "The token's key does not speak for this channel.")

    def _speaks_for(self, kid: str, channel: str) -> bool:
        endorsements = self._keys.endorsements(kid)
        if endorsements:
            return channel in endorsements
        return self._endorsed.isdisjoint({ALL, channel})


def _place(address: object) -> tuple[str, str, int | None, str, str, str] | None:
    """Return an address as two are compared: a slash at the end says nothing; None: it is none."""
    if not isinstance(address, str):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port or default, parts.path.removesuffix("/"), parts.query, parts.fragment
