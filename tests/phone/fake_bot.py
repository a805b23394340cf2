"""The other side of the phone: a bot that answers from a list, and remembers what it was told."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Union

from aiohttp import web

from tests.waiting import PATIENCE

Answer = Union[dict[str, Any], int, bytes, str, tuple[int, bytes], "Later", None]
"A workflow; a status; a body; a status with a body; one of these, but later; nothing at all, ever (`None`)."

CALLBACK = {"callback": "BASE/callback"}
SAY = {"operationId": "say", "action": "playPrompt", "prompts": [{"value": "Hello."}]}
HANG_UP = {"operationId": "bye", "action": "hangup"}
ANSWER = {"operationId": "hi", "action": "answer"}
MENU = {
    "operationId": "menu",
    "action": "recognize",
    "playPrompt": {"operationId": "menu.p", "action": "playPrompt", "prompts": [{"value": "Press 1 or say sales."}]},
    "choices": [{"name": "sales", "dtmfVariation": "1", "speechVariation": ["sales"]}],
}
DIGITS = {"operationId": "digits", "action": "recognize", "collectDigits": {"maxNumberOfDtmfs": 3, "stopTones": ["#"]}}
RECORD = {"operationId": "record", "action": "record", "recordingFormat": "wav", "maxSilenceTimeoutInSeconds": 2}


@dataclass
class Later:
    """An answer that is given when it is let go."""

    answer: Answer
    go: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Told:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parts(self) -> dict[str, bytes]:
        """The parts of a form, by name, taken apart by another library than the bot's."""
        boundary = self._type().get_param("boundary")
        assert isinstance(boundary, str)
        found = {}
        for part in self.body.split(f"--{boundary}".encode())[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            name = head.split(b"name=")[1].split(b"\r\n")[0].decode()
            found[name] = content.removesuffix(b"\r\n")
        return found

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.parts["conversationResult"] if self.is_form else self.body)
        return found

    @property
    def audio(self) -> bytes | None:
        """The recording that came with it."""
        return self.parts["recordedAudio"] if self.is_form else None

    @property
    def is_form(self) -> bool:
        return self._type().get_content_type() == "multipart/form-data"

    @property
    def outcome(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["operationOutcome"]
        return found

    def _type(self) -> Message:
        message = Message()
        message["Content-Type"] = self.headers["Content-Type"]
        return message


@dataclass
class FakeBot:
    """A bot at a loopback address."""

    answers: list[Answer]
    base: str = ""
    told: list[Told] = field(default_factory=list)
    notices: list[Told] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    _happened: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def call(self) -> str:
        return f"{self.base}/call"

    @property
    def results(self) -> list[dict[str, Any]]:
        return [told.json for told in self.told if "operationOutcome" in told.json]

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        return [result["operationOutcome"] for result in self.results]

    async def was_told(self, count: int) -> None:
        """Wait until so many messages have come."""
        async with asyncio.timeout(PATIENCE):
            while len(self.told) < count:
                self._happened.clear()
                await self._happened.wait()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        told = Told(request.rel_url.path, dict(request.headers), await request.read())
        if told.path.startswith("/files/"):
            content = self.files.get(told.path.removeprefix("/files/"))
            return web.Response(body=content) if content is not None else web.Response(status=404)
        if told.path == "/notification":
            self.notices.append(told)
            return web.Response(status=202)
        self.told.append(told)
        self._happened.set()
        answer = self.answers.pop(0) if self.answers else b""
        if isinstance(answer, Later):
            await answer.go.wait()
            answer = answer.answer
        assert not isinstance(answer, Later)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, int):
            return web.Response(status=answer)
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], body=answer[1])
        body = answer if isinstance(answer, bytes) else self._fill(answer)
        return web.Response(body=body, content_type="application/json")

    def _fill(self, answer: dict[str, Any] | str | None) -> bytes:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return text.replace("BASE", self.base).encode()


def flow(
    *actions: dict[str, Any], state: str | None = None, links: dict[str, str] | None = CALLBACK, **more: Any
) -> dict[str, Any]:
    """Write a workflow; BASE stands for the bot's address."""
    workflow: dict[str, Any] = {"actions": list(actions), **more}
    if links is not None:
        workflow["links"] = {**CALLBACK, **links}
    if state:
        workflow["appState"] = state
    return workflow


@asynccontextmanager
async def fake_bot(*answers: Answer, files: Mapping[str, bytes] | None = None) -> AsyncIterator[FakeBot]:
    bot = FakeBot(list(answers), files=dict(files or {}))
    async with listening(bot.handle) as bot.base:
        yield bot


@asynccontextmanager
async def listening(handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Serve on a free port, and give the address."""
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def nobody() -> Iterator[str]:
    """Return an address at which nobody listens, and nobody else can begin to: the port is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def ops(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    return [outcome["id"] for outcome in outcomes]
