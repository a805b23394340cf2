"""A town full of callers, and a platform that does not give up: any behaviour, retries, duplicates, a real server.

What the platform got acknowledged is noted, so that a test can hold the server's books against it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from tests.callers import platform
from tests.callers.platform import Report

TURNS = 12


@dataclass
class Books:
    """What was acknowledged."""

    recordings: dict[tuple[str, str], bytes] = field(default_factory=dict)
    "The audio of each acknowledged recording, by call and message."
    events: dict[str, int] = field(default_factory=dict)
    "Events that the acknowledged messages of each call hold."
    acknowledged: int = 0
    repeated: int = 0
    errors: list[str] = field(default_factory=list)


class Town:
    """So many calls, each by a caller whose behaviour follows from the seed."""

    def __init__(self, port: int, token: Callable[[], str], flows: list[str], *, seed: int) -> None:
        self.books = Books()
        self.up = asyncio.Event()
        self.up.set()
        self._base = f"http://127.0.0.1:{port}"
        self._token = token
        self._flows = flows
        self._seed = seed
        self._milestones: list[tuple[int, asyncio.Event]] = []

    def after(self, messages: int) -> asyncio.Event:
        """Give an event that is set once so many messages have been acknowledged."""
        reached = asyncio.Event()
        self._milestones.append((messages, reached))
        return reached

    async def live(self, calls: int, *, at_once: int) -> None:
        """Let all of them call."""
        turnstile = asyncio.Semaphore(at_once)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:

            async def one(number: int) -> None:
                async with turnstile:
                    await self._call(session, f"call-{number}", Random(self._seed * 100_003 + number))

            await asyncio.gather(*(one(number) for number in range(calls)))

    async def _call(self, session: aiohttp.ClientSession, call: str, random: Random) -> None:
        path = f"/call/{random.choice(self._flows)}"
        report, message = platform.incoming(call), 0
        while True:
            message += 1
            body = await self._deliver(session, path, call, f"m{message}", report, random)
            path = "/callback"
            if not body or report.left:
                return
            workflow: dict[str, Any] = json.loads(body)
            if message < TURNS:
                report = platform.any_report(call, workflow, random)
            else:
                report = platform.hang_up(call, workflow["actions"][-1], random)

    async def _deliver(
        self, session: aiohttp.ClientSession, path: str, call: str, message: str, report: Report, random: Random
    ) -> bytes:
        """Post until it is acknowledged; now and then once more, to see that the answer is the same."""
        audio = random.randbytes(random.randrange(100, 40_000)) if report.audio else b""
        answer = await self._insist(session, path, message, report, audio)
        self.books.acknowledged += 1
        self.books.events[call] = self.books.events.get(call, 0) + report.events
        if report.audio:
            self.books.recordings[call, message] = audio
        for count, reached in self._milestones:
            if self.books.acknowledged >= count:
                reached.set()
        if random.random() < 0.1:
            self.books.repeated += 1
            if await self._insist(session, path, message, report, audio) != answer:
                self.books.errors.append(f"{call} {message}: a repeat was answered otherwise")
        return answer

    async def _insist(
        self, session: aiohttp.ClientSession, path: str, message: str, report: Report, audio: bytes
    ) -> bytes:
        for _ in range(200):
            await self.up.wait()
            try:
                return await self._post(session, path, message, report, audio)
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                await asyncio.sleep(0)  # the server died under it; the platform tries again (protocol 14)
        raise AssertionError(f"{path} {message}: no answer in 200 tries")

    async def _post(
        self, session: aiohttp.ClientSession, path: str, message: str, report: Report, audio: bytes
    ) -> bytes:
        headers = {"Authorization": f"Bearer {self._token()}", "X-Microsoft-Skype-Message-ID": message}
        if report.audio:
            headers["Content-Type"] = 'multipart/form-data; boundary="B0-1"'
            data = _form(report.body, audio)
        else:
            headers["Content-Type"] = "application/json; charset=utf-8"
            data = report.body
        async with session.post(self._base + path, data=data, headers=headers) as response:
            body = await response.read()
            if response.status >= 500:
                raise aiohttp.ClientError(f"{response.status}: {body.decode()}")
            if response.status != 200:
                self.books.errors.append(f"{path} {message}: {response.status} {body.decode()}")
            return body


def _form(result: bytes, audio: bytes) -> bytes:
    return b"".join(
        [
            b"--B0-1\r\nContent-Type: application/json; charset=utf-8\r\n",
            b"Content-Disposition: form-data; name=conversationResult\r\n\r\n",
            result,
            b"\r\n--B0-1\r\nContent-Type: audio/x-ms-wma\r\n",
            b"Content-Disposition: form-data; name=recordedAudio\r\n\r\n",
            audio,
            b"\r\n--B0-1--\r\n",
        ]
    )
