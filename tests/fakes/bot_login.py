"""An identity provider that gives bots their tokens (grant `client_credentials`), signed as the vendor signs them.

    login = BotLogin({"bot-app": "its secret"})
    await login.start()

`IVR_CHAT_LOGIN_URL` and the refresh address of the vendor's SDKs can be pointed at `login.base`. Its tokens are of
version 1.0, as the vendor's are for this audience, or of 2.0 (`login.version`).
"""

import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.fakes.identity import Identity

AUDIENCE = "https://api.botframework.com"
ISSUER = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"


class BotLogin(Identity):
    """`Identity` with tokens for bots; `logins` are the forms of all that asked for one."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        super().__init__(AUDIENCE)
        self.secrets = secrets
        self.version = "1.0"
        self.logins: list[dict[str, str]] = []

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._serve_token)

    def bot_token(self, app_id: str, **changed: Any) -> str:
        """Return the token of a bot, good unless it is changed."""
        claim = "appid" if self.version == "1.0" else "azp"
        return self.token(**{"iss": ISSUER, "ver": self.version, claim: app_id, "iat": int(time.time()), **changed})

    async def _serve_token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.logins.append(form)
        client = form.get("client_id", "")
        wanted = {"grant_type": "client_credentials", "scope": f"{AUDIENCE}/.default"}
        if not wanted.items() <= form.items() or form.get("client_secret") != self.secrets.get(client):
            return web.json_response({"error": "invalid_client", "error_description": "AADSTS7000215"}, status=401)
        token = self.bot_token(client)
        return web.json_response(
            {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}
        )
