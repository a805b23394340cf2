"""A call keeps the flow with which it began, also at a server that has a newer one, or none of that name."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.server.assembly import running
from ivr.settings import Settings
from tests.phone.calling import Signer
from tests.postgres.cluster import Database
from tests.postgres.serving import SEAL_KEY
from tests.server.harness import JSON
from tests.server.test_attacks_on_the_routes import conversation

FLOW = """\
flow: desk
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: WORD question, choices: {yes: {dtmf: "1"}}}, next: bye}
  bye: {say: WORD end., final: true}
"""


class Servers:
    """Servers with folders of their own on one database, and a platform that asks any of them."""

    def __init__(self, stack: AsyncExitStack, folder: Path, url: str, signer: Signer) -> None:
        self._stack, self._folder, self._url, self._signer = stack, folder, url, signer
        self._session: aiohttp.ClientSession
        self._messages = 0

    async def begin(self) -> None:
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession())

    async def serve(self, word: str) -> str:
        """Start a server whose flow says this word, and return its address."""
        folder = self._folder / word
        folder.mkdir()
        (folder / "desk.yaml").write_text(FLOW.replace("WORD", word))
        chosen: dict[str, Any] = {**self._signer.settings, "port": 0, "data": folder / "data", "store": self._url,
                                  "seal_key": SEAL_KEY, "stt": "none"}  # fmt: skip
        server = running(Settings(**chosen), [folder / "desk.yaml"], dev=False)
        return (await self._stack.enter_async_context(server)).url

    async def post(self, server: str, path: str, message: Any) -> str:
        """Send a message to a server, and return the workflow."""
        self._messages += 1
        head = {**JSON, "Authorization": f"Bearer {self._signer.token()}"}
        head["X-Microsoft-Skype-Message-ID"] = f"m{self._messages}"
        async with self._session.post(f"{server}{path}", json=message, headers=head) as answer:
            assert answer.status == 200
            return await answer.text()

    async def call(self, server: str, name: str) -> str:
        return await self.post(server, "/call", conversation(name))

    async def press(self, server: str, name: str, workflow: str) -> str:
        """Press 1 at the question of a workflow."""
        question = json.loads(workflow)["actions"][-1]["operationId"]
        outcome = {"type": "recognizeOutcome", "id": question, "outcome": "success",
                   "choiceOutcome": {"completionReason": "dtmfOptionMatched", "choiceName": "yes"}}  # fmt: skip
        told = {"id": name, "operationOutcome": outcome, "callState": "established"}
        return await self.post(server, "/callback", told)


@pytest.fixture
async def servers(postgres: Database, tmp_path: Path) -> AsyncIterator[Servers]:
    signer = Signer()
    async with AsyncExitStack() as stack:
        await signer.start()
        stack.push_async_callback(signer.stop)
        one = Servers(stack, tmp_path, postgres.url, signer)
        await one.begin()
        yield one


async def test_a_call_keeps_its_flow_at_servers_with_a_newer_one_and_with_an_older_one(servers: Servers) -> None:
    old, new = await servers.serve("old"), await servers.serve("new")
    begun = {name: await servers.call(server, name) for name, server in (("c1", old), ("c2", new), ("c3", new))}
    assert ["old question" in begun["c1"], "new question" in begun["c2"]] == [True, True]
    assert "old end." in await servers.press(new, "c1", begun["c1"])
    assert "new end." in await servers.press(old, "c2", begun["c2"])
    newest = await servers.serve("newest")  # it begins while a call of another flow is under way
    assert "new end." in await servers.press(newest, "c3", begun["c3"])
    assert "newest question" in await servers.call(newest, "c4")
