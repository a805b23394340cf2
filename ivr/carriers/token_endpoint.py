"""Where bots of the vendor get the tokens of what they send: OAuth 2.0 for one client (RFC 6749, 4.4)."""

import re
import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

import msgspec

from ivr.carriers.rest import ApiReply, ApiRequest

LIFE: Final = 3599
"Seconds for which a token is good."
_TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")


class TokenEndpoint:
    """Gives out tokens, and knows them again."""

    def __init__(self, app_id: str, secret: str, *, now: Callable[[], float]) -> None:
        """`now` gives seconds since 1970."""
        self._app_id = app_id
        self._secret = secret
        self._now = now
        self._tokens: dict[str, float] = {}
        self.asked = 0
        "How often a token was asked for."

    def has(self, path: str) -> bool:
        """Return whether tokens are asked for at this path."""
        return _TOKEN.fullmatch(path) is not None

    def answer(self, request: ApiRequest) -> ApiReply:
        """Return a token, if the client and its secret are good."""
        self.asked += 1
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        wanted = {"grant_type": "client_credentials", "client_id": self._app_id, "client_secret": self._secret}
        if not wanted.items() <= form.items() or not form.get("scope"):
            told = {"error": "invalid_client", "error_description": f"AADSTS7000215: {form.get('client_secret', '')}"}
            return ApiReply(401, msgspec.json.encode(told))
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self._now() + LIFE
        answer: dict[str, object] = {
            "token_type": "Bearer",
            "expires_in": LIFE,
            "ext_expires_in": 0,
            "access_token": token,
        }
        return ApiReply(200, msgspec.json.encode(answer))

    def knows(self, authorization: str) -> bool:
        """Return whether a header holds a token that is good."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._tokens.get(token, 0.0) > self._now()

    def expire(self) -> None:
        """Let all tokens end."""
        self._tokens.clear()
