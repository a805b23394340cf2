"""A server with the chat on pages, and somebody whose browser is played: it speaks HTTP as the page's script does."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from ivr.carriers.botframework.chat_party import text_of
from ivr.server.assembly import Running, running
from ivr.settings import Settings
from tests.chat.chat_world import DESK
from tests.waiting import PATIENCE

SECRET, SITE = "the-secret-of-the-sites-server", "https://www.example.com"


@asynccontextmanager
async def serving(folder: Path, *, dev: bool = False, **changed: Any) -> AsyncIterator[Running]:
    """Serve a desk to the pages of a site, or for development."""
    (folder / "desk.yaml").write_text(DESK)
    chosen: dict[str, Any] = {
        "public_url": "https://ivr.example",
        "port": 0,
        "data": folder / "data",
        "chat_page_secret": SECRET,
        "chat_page_sites": (SITE,),
        **changed,
    }
    async with running(Settings(**chosen), [folder / "desk.yaml"], dev=dev) as server:
        yield server


class Visitor:
    """Somebody who writes on a page."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self.url = url
        self.begun: dict[str, Any] = {}
        self._numbers = count(1)
        self.said: list[Mapping[str, Any]] = []

    async def asked(self, method: str, path: str, *, token: str | None = None, **more: Any) -> tuple[int, Any, Any]:
        """Send a request; return status, head and body."""
        fields = {**({} if token is None else {"Authorization": f"Bearer {token}"}), **more.pop("headers", {})}
        async with self._client.request(method, f"{self.url}{path}", headers=fields, **more) as answer:
            text = await answer.text()
            body = json.loads(text) if "json" in answer.headers.get("Content-Type", "") and text else text
            return answer.status, answer.headers, body

    async def token(self, user: str = "anna", flow: str = "desk", site: str = SITE) -> str:
        """Return a visitor's token, as the site's server gets it."""
        asked = {"user": user, "flow": flow, "site": site}
        status, _, body = await self.asked("POST", "/chat/tokens", token=SECRET, json=asked)
        assert status == 201, body
        return body["token"]

    async def begin(self, token: str | None, *, site: str = SITE, flow: str = "", before: str = "") -> int:
        """Begin a conversation, or go on with one."""
        asked = {"site": site, "flow": flow, "before": before}
        status, _, body = await self.asked("POST", "/chat/conversations", token=token, json=asked)
        if status == 201:
            self.begun = body
            self.said = self.said if before else []
        return status

    def activity(self, kind: str = "message", **members: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "id": f"m{next(self._numbers)}",
            "channelId": "page",
            "serviceUrl": "page:",
            "from": {"id": self.begun["user"]},
            "recipient": {"id": "bot"},
            "conversation": {"id": self.begun["conversation"]},
            **members,
        }

    async def post(
        self, activity: Mapping[str, Any] | bytes, *, token: str | None = "", path: str | None = None
    ) -> int:
        """Post an activity, or bytes; return the status."""
        raw = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        fields = {"Content-Type": "application/json"}
        where = path or f"/chat/messages/{self.begun['flow']}".removesuffix("/")
        bearer = self.begun["token"] if token == "" else token
        status, *_ = await self.asked("POST", where, token=bearer, data=raw, headers=fields)
        return status

    async def join(self) -> None:
        assert await self.post(self.activity("conversationUpdate", membersAdded=[{"id": self.begun["user"]}])) == 202

    async def write(self, text: str, **more: Any) -> int:
        return await self.post(self.activity(text=text, **more))

    async def look(self, after: str = "", *, token: str | None = "") -> tuple[int, Any, Any]:
        bearer = self.begun["token"] if token == "" else token
        return await self.asked("GET", f"/chat/activities?after={after}", token=bearer)

    async def read(self, number: int) -> Sequence[str]:
        """Return what there is to read once so many messages have come, each once."""
        async with asyncio.timeout(PATIENCE):
            while len(self.said) < number:
                status, _, body = await self.look(self.said[-1]["id"] if self.said else "")
                assert status == 200
                self.said += body["activities"]
        return self.texts

    @property
    def texts(self) -> Sequence[str]:
        return [text_of(one) for one in self.said]


@asynccontextmanager
async def visitor(url: str) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as client:
        yield Visitor(client, url)


@asynccontextmanager
async def visiting(folder: Path, **more: Any) -> AsyncIterator[Visitor]:
    """A server, and a visitor of the site whose conversation has begun."""
    async with serving(folder, **more) as server, visitor(server.url) as one:
        assert await one.begin(await one.token()) == 201
        yield one
