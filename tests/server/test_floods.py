"""Floods from another process, with more connections than there are places: calls, health and logins keep theirs.

The rates are those of docs/security.md. Counted is who was refused or lost its connection, not how long it took.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.console.visiting import TOKEN
from tests.phone.calling import Signer
from tests.server.harness import Way as RequestWay
from tests.server.harness import connected, read_answer, request
from tests.server.test_attacks_on_the_routes import JSON, conversation
from tests.server.world import World

RATE, COUNT = 2000, 3000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEPT = 20
TRIES = 4
"Where tests run beside this one, the loop may come to a new connection only after hundreds of the flood's."

FLOODS = {
    "silence": b"",
    "half a head": b"POST /callback HTTP/1.1\r\nHost: ivr.example.com\r\n",
    "slow logins": request("POST", "/console/login", b"token=", {**FORM, "Content-Length": "900"}, token=None),
    "bodies that never come": request("POST", "/callback", headers={**JSON, "Content-Length": "900"}, token=None),
    "requests of strangers": request("GET", "/nowhere", token=None),
    "requests upon requests": request("GET", "/nowhere", token=None) * 20,
    "messages of strangers": request("POST", "/callback", b'{"id": "c1"}', token="garbage") * 3,
}


@asynccontextmanager
async def flood(port: int, sent: bytes) -> AsyncIterator[asyncio.subprocess.Process]:
    """Let somebody open connections and hold them all, until he is told to stop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("flood.py")), str(port), str(RATE), str(COUNT)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    try:
        process.stdin.write(len(sent).to_bytes(4) + sent)
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def calls(port: int, token: str, number: int, kept: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> int:
    """Report on a connection that is kept that somebody calls."""
    reader, writer = kept
    body = json.dumps(conversation(f"call-{number}")).encode()
    writer.write(request("POST", "/call", body, {**JSON, "X-Microsoft-Skype-Message-ID": f"m{number}"}, token=token))
    return (await read_answer(reader)).status


async def asks(port: int, sent: bytes) -> int:
    """Ask on a connection of its own; one that is taken for the flood's in that moment is opened once more."""
    for _ in range(TRIES - 1):
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            return await _asks(port, sent)
    return await _asks(port, sent)


async def _asks(port: int, sent: bytes) -> int:
    async with connected(port) as (reader, writer):
        writer.write(sent)
        return (await read_answer(reader)).status


@pytest.mark.parametrize(
    ("what", "way"),
    [*((what, "short") for what in FLOODS), ("bodies that never come", "long")],
)
async def test_a_flood_costs_no_call_no_health_and_no_login(
    world: World, signer: Signer, what: str, way: RequestWay
) -> None:
    world.way = way
    login = request("POST", "/console/login", f"token={TOKEN}".encode(), FORM, token=None)
    health = request("GET", "/healthz", token=None)
    seen: dict[str, list[int]] = {"calls": [], "health": [], "logins": []}
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(world.server(console_token=TOKEN))
        port, token = phone.port, signer.token()
        busy, idle = [[await stack.enter_async_context(connected(port)) for _ in range(KEPT)] for _ in range(2)]
        for number, one in enumerate([*busy, *idle]):
            seen["calls"].append(await calls(port, token, number, one))
        process = await stack.enter_async_context(flood(port, FLOODS[what]))
        assert process.stdout
        over = asyncio.create_task(process.stdout.readline())
        number = 2 * KEPT
        while not over.done():
            for one in busy:
                seen["calls"].append(await calls(port, token, number, one))
                number += 1
            seen["health"].append(await asks(port, health))
            seen["logins"].append(await asks(port, login))
        for one in idle:  # quiet since before the flood, and still there
            seen["calls"].append(await calls(port, token, number, one))
            number += 1
        assert int(over.result().split()[1]) > 0, "it was more than there are places for"
        assert (world.listener.short > number // 2) is (way == "short")
        assert set(seen["calls"]) == set(seen["health"]) == {200}
        assert set(seen["logins"]) == {303}
