"""A server with its state service on, the login of its bots, and bots that ask it over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from ivr.server.assembly import Running, running
from ivr.settings import Settings
from tests.fakes.bot_login import BotLogin

WIRE = Path(__file__).parent / "wire"
APP, OTHER_APP, STRANGER = "1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a", "other-app", "strange-app"
SECRETS = {APP: "the-bots-own-secret", OTHER_APP: "another-secret", STRANGER: "a-third-secret"}
FLOW = "flow: desk\ninitial: bye\nstates:\n  bye: {say: Bye., final: true}\n"
USER, ROOM = "29:1iFtpwQ", "conversation/1"

Told = tuple[int, Any]


def of_user(user: str = USER, channel: str = "skype") -> str:
    return f"/v3/botstate/{channel}/users/{quote(user, safe='')}"


def of_conversation(conversation: str = ROOM, channel: str = "skype") -> str:
    return f"/v3/botstate/{channel}/conversations/{quote(conversation, safe='')}"


def in_private(conversation: str = ROOM, user: str = USER) -> str:
    return f"{of_conversation(conversation)}/users/{quote(user, safe='')}"


class StateWorld:
    """A bot that asks the server; all without a token of its own have that of `APP`."""

    def __init__(self, server: Running, login: BotLogin, session: aiohttp.ClientSession) -> None:
        self.server, self.login, self.session = server, login, session
        self._token = login.bot_token(APP)

    async def get(self, path: str, **more: Any) -> Told:
        return await self.send("GET", path, **more)

    async def post(self, path: str, data: object, tag: str | None = "*", **more: Any) -> Told:
        body = {"data": data} if tag is None else {"eTag": tag, "data": data}
        return await self.send("POST", path, json.dumps(body).encode(), **more)

    async def delete(self, path: str, **more: Any) -> Told:
        return await self.send("DELETE", path, **more)

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        token: str | None = None,
        app: str | None = None,
        authorization: str | None = None,
        headers: Any = (),
    ) -> Told:
        """Send a request letter by letter, and return the status and the answer's JSON."""
        held = token or (self.login.bot_token(app) if app else self._token)
        fields = {"Authorization": f"Bearer {held}" if authorization is None else authorization}
        if body is not None:
            fields["Content-Type"] = "application/json; charset=utf-8"
        fields |= dict(headers)
        url = URL(self.server.url + path, encoded=True)
        async with self.session.request(method, url, data=body, headers={k: v for k, v in fields.items() if v}) as one:
            return one.status, await one.json()


@asynccontextmanager
async def state_service(folder: Path, *, dev: bool = False, **changed: Any) -> AsyncIterator[StateWorld]:
    """Serve bots as long as the context lasts; `changed` are settings, None: not set."""
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "desk.yaml").write_text(FLOW)
    login = BotLogin(SECRETS)
    await login.start()
    chosen: dict[str, Any] = {
        "port": 0,
        "data": folder / "data",
        "stt": "none",
        "public_url": "https://ivr.example",
        "jambonz_webhook_secret": "a-webhook-secret-0123",
        "jambonz_account_sid": "acc-1",
        "bot_state_apps": (APP, OTHER_APP),
        "bot_state_openid_metadata": (login.metadata_url,),
        "openid_loopback": True,
        **changed,
    }
    settings = Settings(**{name: value for name, value in chosen.items() if value is not None})
    try:
        async with (
            running(settings, [folder / "flows"], dev=dev) as server,
            aiohttp.ClientSession() as session,
        ):
            yield StateWorld(server, login, session)
    finally:
        await login.stop()
