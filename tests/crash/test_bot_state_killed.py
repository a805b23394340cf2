"""The server is killed (SIGKILL) while bots write: what was acknowledged is there, and of the rest all or nothing."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.crash.process import Server
from tests.fakes.bot_login import BotLogin
from tests.phone.calling import Signer

APP = "a-bot"
WRITERS, KILLED_AFTER = 20, 60
"Bots that write, and answers after which the server is killed."


class Writers:
    """Bots that write again and again, each to a record of its own, and what was acknowledged to them."""

    def __init__(self, server: Server, login: BotLogin, session: aiohttp.ClientSession) -> None:
        self._base = f"http://127.0.0.1:{server.port}/v3/botstate/skype/users/"
        self._session = session
        self._headers = {"Authorization": f"Bearer {login.bot_token(APP)}"}
        self.sent: dict[int, int] = {}
        "The last number that each has sent."
        self.acknowledged: dict[int, Any] = {}
        "The last answer that each has got."
        self.answers = 0
        self.enough = asyncio.Event()

    async def write(self, one: int) -> None:
        """Write a number after the other, each with the tag of the one before, until the server is gone."""
        tag = "*"
        for number in range(1_000_000):
            self.sent[one] = number
            body = {"data": number, "eTag": tag}
            try:
                async with self._session.post(f"{self._base}{one}", json=body, headers=self._headers) as answer:
                    assert answer.status == 200
                    told = await answer.json()
            except aiohttp.ClientError:
                return
            self.acknowledged[one], tag = told, told["eTag"]
            self.answers += 1
            if self.answers == KILLED_AFTER:
                self.enough.set()

    async def read(self) -> Sequence[Any]:
        """Return all records as they are now."""

        async def record(one: int) -> Any:
            async with self._session.get(f"{self._base}{one}", headers=self._headers) as answer:
                assert answer.status == 200
                return json.loads(await answer.read())

        return await asyncio.gather(*(record(one) for one in range(WRITERS)))


@asynccontextmanager
async def serving(folder: Path, signer: Signer) -> AsyncIterator[tuple[Server, Writers]]:
    login = BotLogin({})
    await login.start()
    settings: dict[str, Any] = {"IVR_BOT_STATE_APPS": APP, "IVR_BOT_STATE_OPENID_METADATA": login.metadata_url}
    server = Server(folder, signer, **settings)
    try:
        async with aiohttp.ClientSession() as session:
            yield server, Writers(server, login, session)
    finally:
        await login.stop()


async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path, signer: Signer) -> None:
    async with serving(tmp_path, signer) as (server, bots):
        await server.start()
        writing = asyncio.gather(*(bots.write(one) for one in range(WRITERS)))
        await bots.enough.wait()
        await server.stop(signal.SIGKILL)
        await writing
        await server.start()
        for one, record in enumerate(await bots.read()):
            told = bots.acknowledged.get(one, {"data": None, "eTag": "*"})
            if record != told:  # the write that was under way was made, and its answer did not come
                assert record["data"] == bots.sent[one] == (told["data"] if told["data"] is not None else -1) + 1
                assert record["eTag"] != told["eTag"]
        await server.stop(signal.SIGTERM)
    assert bots.answers >= KILLED_AFTER
