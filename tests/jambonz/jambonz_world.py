"""A whole server on the jambonz line, and jambonz's end of it: signed requests by HTTP, sound by WebSocket."""

import hmac
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ivr.call_record import CallRecord, Stepped
from ivr.channels.jambonz import wire
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.jambonz.jambonz_line import BASE, PUBLIC
from tests.jambonz.recording_house import closed, played, pressed

SECRET = "wh_secret_of_tests"


def signature(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    moment = f"{time.time() if at is None else at:.0f}"
    return f"t={moment},v1={hmac.new(secret.encode(), f'{moment}.'.encode() + body, 'sha256').hexdigest()}"


class JambonzSide:
    """jambonz, as far as a test plays it by hand."""

    def __init__(self, port: int, client: aiohttp.ClientSession) -> None:
        self.port = port
        self._client = client
        self.verbs: list[dict[str, Any]] = []
        "The last document."

    def here(self, address: str) -> str:
        """Return an address of the server as this machine reaches it; a fragment is never sent."""
        path = address.removeprefix(PUBLIC).removeprefix(PUBLIC.replace("https", "wss")).partition("#")[0]
        return f"http://127.0.0.1:{self.port}{path}"

    async def send(self, address: str, body: bytes, *, method: str = "POST", **headers: str) -> tuple[int, Any]:
        """Send a request as it stands; return status and JSON."""
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        fields = {"Content-Type": "application/json", **fields}
        async with self._client.request(method, self.here(address), data=body, headers=fields) as answer:
            return answer.status, await answer.json()

    async def post(self, address: str, **fields: Any) -> list[dict[str, Any]]:
        """Post as jambonz does, and return the verbs."""
        body = json.dumps({**BASE, **fields}).encode()
        status, verbs = await self.send(address, body, Jambonz_Signature=signature(body))
        assert status == 200, verbs
        if verbs:
            self.verbs = verbs
        return self.verbs

    async def ring(self, flow: str = "", **fields: Any) -> list[dict[str, Any]]:
        return await self.post(f"{PUBLIC}/jambonz/call" + (f"/{flow}" if flow else ""), call_status="trying", **fields)

    async def status(self, status: str, **fields: Any) -> None:
        await self.post(f"{PUBLIC}/jambonz/status", call_status=status, **fields)

    def verb(self, name: str) -> dict[str, Any]:
        """Return the verb of that name in the last document."""
        return next(verb for verb in self.verbs if verb["verb"] == name)

    async def answer(self, **result: Any) -> list[dict[str, Any]]:
        """End the `gather` of the last document."""
        return await self.post(self.verb("gather")["actionHook"], **result)

    async def press(self, keys: str) -> list[dict[str, Any]]:
        return await self.answer(reason="dtmfDetected", digits=keys)

    async def goes_on(self) -> list[dict[str, Any]]:
        """Come to the end of the last document."""
        return await self.post(self.verb("redirect")["actionHook"])

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open the WebSocket of the `listen` of the last document."""
        url = self.here(self.verb("listen")["url"])
        async with self._client.ws_connect(url, protocols=wire.SUBPROTOCOLS, autoping=False) as socket:
            await socket.send_str(json.dumps({"sampleRate": 8000, "mixType": "mono", "callSid": BASE["call_sid"]}))
            yield socket

    async def record(self, sound: bytes, key: str = "#") -> None:
        """Send sound and a key, until the server closes the socket."""
        async with self.socket() as socket:
            await played(socket, sound)
            await pressed(socket, key)
            assert await closed(socket) == 1000

    @property
    def heard(self) -> list[str]:
        """What is said in the last document."""
        said = [verb["text"] for verb in self.verbs if verb["verb"] == "say"]
        return said + [verb["say"]["text"] for verb in self.verbs if "say" in verb]


class JambonzWorld:
    """A data folder and flows, between servers."""

    def __init__(self, folder: Path, flows: Sequence[Path]) -> None:
        self.folder, self.flows = folder, flows

    @asynccontextmanager
    async def server(self, **changed: Any) -> AsyncIterator[JambonzSide]:
        chosen: dict[str, Any] = {
            "public_url": PUBLIC,
            "port": 0,
            "data": self.folder / "data",
            "jambonz_webhook_secret": SECRET,
            "jambonz_account_sid": BASE["account_sid"],
            **changed,
        }
        async with running(Settings(**chosen), self.flows, dev=False) as server, aiohttp.ClientSession() as client:
            yield JambonzSide(int(server.url.rpartition(":")[2]), client)

    async def call(self) -> tuple[CallRecord, list[Stepped]]:
        """Return the only call, and its trace; a server may run."""
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            [record] = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return record, list(await archive.trace(record.id))
        finally:
            await archive.close()
