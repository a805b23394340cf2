"""A whole server on the line skype-v2, and the platform that we play beside it, over HTTP, with tokens both ways."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ivr.call_record import CallRecord, Stepped
from ivr.carriers.api_server import api_served
from ivr.carriers.skype_v2.skype_contact import SkypeContact
from ivr.carriers.skype_v2.skype_service import Said, SkypeService
from ivr.carriers.web_bot import WebBot
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import METADATA_PATH, Identity
from ivr.phone.net.post import WebPost
from ivr.server.assembly import Running, running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.skype_v2.skype_messages import APP
from tests.waiting import PATIENCE

SECRET = "the-bots-own-secret"


class SkypeWorld:
    """The other side: the platform, and whoever writes."""

    def __init__(self, folder: Path, flows: Sequence[Path]) -> None:
        self.folder, self.flows = folder, flows
        self.identity = Identity(APP)
        self.service = SkypeService(APP, SECRET, self.identity, now=time.time, said=self._say)
        self.contacts: list[SkypeContact] = []
        self._changed = asyncio.Event()
        self._post: WebPost | None = None

    def _say(self, said: Said) -> None:
        for contact in self.contacts:
            contact.hear(said)
        self._changed.set()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["SkypeWorld"]:
        async with api_served(self.service) as base:
            self.service.base = base
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
            "skype_v2_app_id": APP,
            "skype_v2_password": SECRET,
            "skype_v2_url": self.service.base,
            "skype_v2_login_url": self.service.base,
            "skype_v2_openid_metadata": (self.service.base + METADATA_PATH,),
            "openid_loopback": True,
            **changed,
        }
        async with running(Settings(**chosen), self.flows, dev=dev) as server:
            yield server

    def contact(self, server: Running, *, path: str = "/skype-v2/messages", **more: Any) -> SkypeContact:
        assert self._post is not None
        made = SkypeContact(WebBot(self._post), f"{server.url}{path}", self.identity, self.service, app_id=APP, **more)
        self.contacts.append(made)
        return made

    async def read(self, contact: SkypeContact, count: int) -> Sequence[str]:
        """Return what there is to read once so many messages have come."""
        async with asyncio.timeout(PATIENCE):
            while len(contact.texts) < count:
                self._changed.clear()
                await self._changed.wait()
        return contact.texts

    async def calls(self) -> list[tuple[CallRecord, list[Stepped]]]:
        """Return all calls, the oldest first, with their traces; a server may run."""
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            stored = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return [(record, list(await archive.trace(record.id))) for record in stored]
        finally:
            await archive.close()
