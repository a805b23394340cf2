"""A whole server on the chat line, and the connector that we play beside it, over HTTP, with tokens both ways."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ivr.call_record import CallRecord, Stepped
from ivr.carriers.api_server import api_served
from ivr.carriers.botframework.chat_party import Chat
from ivr.carriers.botframework.connector import Connector, Shown
from ivr.carriers.web_bot import WebBot
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import METADATA_PATH, Identity
from ivr.phone.net.post import WebPost
from ivr.server.assembly import Running, running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.waiting import PATIENCE

APP = "1f7dd6e9-cbd7-4c38-adf2-6e9bcab5310a"
SECRET = "the-bots-own-secret"

DESK = """\
flow: desk
initial: main
on: {exhausted: bye, error: bye}
states:
  main:
    menu:
      prompt: To leave a message, press 1 or say message. To hear a number, press 2.
      choices:
        message: {dtmf: "1", speech: [message]}
        number: {dtmf: "2"}
      noInput: Are you still there?
      noMatch: That is no choice.
    on: {message: report, number: room}
  room:
    digits: {prompt: Which room?, maxDigits: 3, into: room}
    next: told
  told: {say: "Room {{ room | digits }} it is.", next: bye}
  report:
    record: {prompt: What is it?, transcribe: true, into: problem}
    next: thanks
    on: {error.transcribe: thanks}
  thanks: {say: "Thank you. We read: {{ problem.transcript or 'nothing' }}.", next: bye}
  bye: {say: Goodbye., final: true}
"""


class ChatWorld:
    """The other side: a connector, and whoever writes."""

    def __init__(self, folder: Path, flows: Sequence[Path]) -> None:
        self.folder, self.flows = folder, flows
        self.identity = Identity(APP, endorsements=("webchat", "msteams"))
        self.connector = Connector(APP, SECRET, self.identity, now=time.time, shown=self._show)
        self.chats: list[Chat] = []
        self._changed = asyncio.Event()
        self._post: WebPost | None = None

    def _show(self, shown: Shown) -> None:
        for chat in self.chats:
            chat.show(shown)
        self._changed.set()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["ChatWorld"]:
        async with api_served(self.connector) as base:
            self.connector.base = self.identity.service = base
            self._post = WebPost(Guard())
            try:
                yield self
            finally:
                await self._post.close()

    @asynccontextmanager
    async def server(self, *, dev: bool = False, **changed: Any) -> AsyncIterator[Running]:
        chosen: dict[str, Any] = {
            "public_url": "https://ivr.example",
            "port": 0,
            "data": self.folder / "data",
            "chat_app_id": APP,
            "chat_password": SECRET,
            "chat_login_url": self.connector.base,
            "chat_openid_metadata": (self.connector.base + METADATA_PATH,),
            "chat_hosts": (self.connector.base.removeprefix("http://"),),
            "openid_loopback": True,
            **changed,
        }
        async with running(Settings(**chosen), self.flows, dev=dev) as server:
            yield server

    def chat(self, server: Running, *, path: str = "/api/messages", **more: Any) -> Chat:
        return self.chat_at(f"{server.url}{path}", **more)

    def chat_at(self, address: str, **more: Any) -> Chat:
        assert self._post is not None
        chat = Chat(WebBot(self._post), address, self.identity, self.connector, app_id=APP, **more)
        self.chats.append(chat)
        return chat

    async def read(self, chat: Chat, count: int) -> Sequence[str]:
        """Return what there is to read once so many messages have come."""
        async with asyncio.timeout(PATIENCE):
            while len(chat.texts) < count:
                self._changed.clear()
                await self._changed.wait()
        return chat.texts

    async def calls(self) -> list[tuple[CallRecord, list[Stepped]]]:
        """Return all calls, the oldest first, with their traces; a server may run."""
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            stored = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return [(record, list(await archive.trace(record.id))) for record in stored]
        finally:
            await archive.close()
