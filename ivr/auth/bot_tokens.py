"""Tokens of bots (activity protocol, A4): which bot is it that asks a service for what it keeps there?

A bot gets its token from an identity provider, made out for the vendor's services, whoever the bot is. So a good token
proves no more than an app id, and that has to be on the operator's list.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from ivr.auth.connector_tokens import OWN_REFUSALS, ConnectorVerifier
from ivr.auth.keys import KeyRing
from ivr.auth.tokens import BearerVerifier, bearer_token, read_token
from ivr.errors import WebhookError

DEVELOPMENT_APP: Final = "development"
"Whose records are those of requests that are not verified."
_APP_CLAIMS: Final[Mapping[object, str]] = {"1.0": "appid", "2.0": "azp"}
"Where the app id stands, by the version of the token (claim `ver`)."


class BotVerifier(BearerVerifier):
    """Knows bots by tokens that one of several issuers made out for an audience."""

    algorithms = ConnectorVerifier.algorithms
    is_for = staticmethod(ConnectorVerifier.is_for)
    lifetime = staticmethod(ConnectorVerifier.lifetime)
    refusals: Mapping[str, tuple[int, str]] = {
        **OWN_REFUSALS,
        "token-audience": (401, "The token is for another service."),
        "token-app": (403, "The bot of this token keeps nothing here."),
    }

    def __init__(self, apps: Collection[str], keys: KeyRing, *, issuers: Collection[str], audience: str) -> None:
        """`apps`: the app ids of the bots that are served."""
        super().__init__(audience, keys)
        self._apps = frozenset(apps)
        self._issuers = tuple(issuers)

    async def app_of(self, authorization: str, *, now: float) -> str:
        """Return the app id of whoever sent a header; raise WebhookError with 401, 403 or 503."""
        await self.verify_header(authorization, now=now)
        parts = read_token(bearer_token(authorization))
        app = _app(parts["payload"]) if parts is not None else None
        if app is None:  # `verify_header` has let it in, so this cannot be
            raise WebhookError(401, "no-token", "A bearer token is required.")
        return app

    def _foreign(self, claims: Mapping[str, Any]) -> str | None:
        if claims.get("iss") not in self._issuers:  # of any type, so not a set
            return "token-issuer"
        if not self.is_for(claims.get("aud"), self._app_id):
            return "token-audience"
        return None if _app(claims) in self._apps else "token-app"


class AnyBot:
    """Takes everybody for one bot: for `ivr serve --dev`, which listens on a loopback address only."""

    async def app_of(self, authorization: str, *, now: float) -> str:
        """Return the app id of development."""
        return DEVELOPMENT_APP


def _app(claims: Mapping[str, Any]) -> str | None:
    """Return the app id of a token; None: it names none. A token that names two is read by its version alone."""
    version = claims.get("ver")
    claim = _APP_CLAIMS.get(version) if isinstance(version, str) else None
    app = claims.get(claim) if claim is not None else None
    return app if isinstance(app, str) else None
