"""A refusal leaves nothing behind: ten thousand of each kind, with their bodies, and the memory is as before.

Nobody needs a token to be refused, so what one refusal keeps is what a stranger can fill the memory with. The collector
of cycles is off meanwhile, since a server looks for cycles seldom; only connections, and the parser of forms, which is
for those with a token, may leave it something to do.
"""

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from yarl import URL

from ivr.errors import StoreUnavailable
from ivr.ports import Incoming, WebhookReply
from ivr.server.body import BodyLimits
from ivr.server.guarded_server import ConnectionLimits
from tests.console.visiting import visiting
from tests.phone.calling import Signer
from tests.server.harness import JSON, TurnsTwin, connected, read_answer, request, serving
from tests.server.world import World
from tests.waiting import Clock

COUNT = 10_000
AT_ONCE = 100
ROUNDS = 2
BODY = b'{"x": "' + b"x" * 10_000 + b'"}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GARBAGE = "eyJhbGciOiJSUzI1NiJ9.garbage.garbage"

Ways = Callable[[int, bytes, int], Awaitable[set[int]]]


@pytest.fixture(autouse=True)
def _nothing_else_remembers() -> Iterator[None]:
    """Keep pytest from keeping the log, and the collector from hiding what is left."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    logging.disable(logging.NOTSET)


async def on_one_connection(port: int, sent: bytes, count: int) -> set[int]:
    """Send a request again and again, many at a time, and name the answers."""
    seen = set()
    async with connected(port) as (reader, writer):
        for _ in range(count // AT_ONCE):
            writer.write(sent * AT_ONCE)
            seen |= {(await read_answer(reader)).status for _ in range(AT_ONCE)}
    return seen


async def on_many(port: int, sent: bytes, count: int) -> set[int]:
    """Do the same where an answer is a connection's last."""

    async def ask() -> int:
        async with connected(port) as (reader, writer):
            writer.write(sent)
            return (await read_answer(reader)).status

    seen = set()
    for _ in range(count // AT_ONCE):
        seen |= set(await asyncio.gather(*(ask() for _ in range(AT_ONCE))))
    return seen


def memory() -> tuple[int, int]:
    """Count the blocks of memory that objects have, and the bytes that the process has of the system."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return sys.getallocatedblocks(), resident


async def leaves_nothing(
    port: int, status: int, sent: bytes, *, ways: Ways = on_one_connection, count: int = COUNT, cycles: bool = False
) -> None:
    """Be refused so often, and find nothing of it: less than one object, and much less than one body, for each.

    What a refusal leaves, it leaves in every round; what else goes on, such as asking for keys, is in one of them.
    """
    await ways(port, sent, 2 * AT_ONCE)  # what is made once, is made by now
    # A connection itself would be some thirty blocks.
    most_blocks, most_resident = (count / 10 if ways is on_one_connection else count), count * len(BODY) / 3
    for left in reversed(range(ROUNDS)):
        gc.collect()
        blocks, resident = memory()
        if cycles:
            gc.enable()
        assert await ways(port, sent, count) == {status}
        if cycles:
            gc.collect()
        more_blocks, more_resident = memory()
        if not left or (more_blocks - blocks < most_blocks and more_resident - resident < most_resident):
            break
    assert more_blocks - blocks < most_blocks
    assert more_resident - resident < most_resident


# --- who has no token ------------------------------------------------------------------------------------------------

STRANGERS = {
    "nowhere": (404, request("POST", "/nowhere", BODY)),
    "no prompt file": (404, request("GET", "/media/x", BODY)),
    "no token": (401, request("POST", "/callback", BODY, token=None)),
    "a bad token": (403, request("POST", "/callback", BODY, token=GARBAGE)),
    "another method": (405, request("PUT", "/callback", BODY)),
    "no page of the console": (401, request("GET", "/console/audio/x", BODY)),
    "a login that is no form": (415, request("POST", "/console/login", BODY)),
    "a wrong token for the console": (429, request("POST", "/console/login", b"token=x", FORM)),
}


@pytest.mark.parametrize("what", STRANGERS)
async def test_a_stranger_is_refused_and_forgotten(tmp_path: Path, what: str) -> None:
    status, sent = STRANGERS[what]
    async with visiting(tmp_path, tokens=True) as visit:
        await leaves_nothing(URL(visit.url).port or 0, status, sent)


PHONE = {
    "no picture": (404, request("GET", "/phone/picture/x", BODY)),
    "another name for this machine": (403, request("GET", "/phone", BODY, {"Host": "rebound.example"})),
    "a line that is no websocket": (400, request("GET", "/phone/line", BODY, {"Origin": "http://localhost"})),
}


@pytest.mark.parametrize("what", PHONE)
async def test_the_phone_refuses_and_forgets(tmp_path: Path, what: str) -> None:
    status, sent = PHONE[what]
    async with visiting(tmp_path) as visit:
        await leaves_nothing(URL(visit.url).port or 0, status, sent)


# --- who has one -----------------------------------------------------------------------------------------------------

OUTCOME = {"type": "hangupOutcome", "id": "1.1", "outcome": "success", "failureReason": BODY.decode()}
UNHEARD = json.dumps({"id": "c", "operationOutcome": OUTCOME, "callState": "terminated"}).encode()
MESSAGES = {
    "no message": (400, BODY, JSON),
    "no form": (400, BODY, {"Content-Type": "multipart/form-data; boundary=B"}),
    "no such call": (404, UNHEARD, JSON),
}


@pytest.mark.parametrize("what", MESSAGES)
async def test_a_message_that_cannot_be_taken_is_forgotten(world: World, signer: Signer, what: str) -> None:
    status, body, fields = MESSAGES[what]
    async with world.server() as phone:
        sent = request("POST", "/callback", body, fields, token=signer.token())
        await leaves_nothing(phone.port, status, sent, cycles=what == "no form")


async def test_who_comes_before_there_are_keys_is_forgotten(world: World, signer: Signer) -> None:
    await signer.stop()
    async with world.server() as phone:
        await leaves_nothing(phone.port, 503, request("POST", "/callback", BODY, token=signer.token()))


class FullDisk(TurnsTwin):
    """A store that can save nothing."""

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        raise StoreUnavailable("The disk is full.")


async def test_what_cannot_be_saved_is_forgotten(tmp_path: Path) -> None:
    message = json.dumps({"id": "c1", "x": BODY.decode()}).encode()
    async with serving(tmp_path, turns=FullDisk(now=False)) as served:
        await leaves_nothing(served.port, 503, request("POST", "/callback", message))


async def test_a_body_that_is_too_large_is_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path, body=BodyLimits(json=1000)) as served:
        await leaves_nothing(served.port, 413, request("POST", "/callback", BODY))


# --- whose connection ends with it -----------------------------------------------------------------------------------

BY_CONNECTIONS = COUNT // 5
"A connection takes five times as long as a request, and leaves more, if it leaves anything."
FEW_TASKS = 10
LAST_STEPS = 100
"Rounds of the loop, in which a closed connection goes its last steps."


async def test_a_body_that_stalls_is_forgotten(tmp_path: Path) -> None:
    begun = request("POST", "/callback", BODY, {**JSON, "Content-Length": "99999"})
    with Clock.of_this_loop() as clock:

        async def stalls(port: int, sent: bytes, count: int) -> set[int]:
            seen = set()
            for _ in range(count // AT_ONCE):
                seen |= await on_many(port, sent, AT_ONCE)
                clock.turn(60.0)  # for a while, the rest of a body may still come
                while len(asyncio.all_tasks()) > FEW_TASKS:
                    await asyncio.sleep(0)
                for _ in range(LAST_STEPS):  # what the tasks have left to the loop: closing, and cancelled timers
                    clock.turn(60.0)
                    await asyncio.sleep(0)
            return seen

        async with serving(tmp_path, body=BodyLimits(stall=0.0)) as served:
            await leaves_nothing(served.port, 408, begun, ways=stalls, count=BY_CONNECTIONS, cycles=True)


async def test_a_head_that_stalls_is_forgotten(tmp_path: Path) -> None:
    begun = request("POST", "/callback", BODY).partition(b"\r\n\r\n")[0]
    with Clock.of_this_loop() as clock:

        async def stalls(port: int, sent: bytes, count: int) -> set[int]:
            seen = set()
            for _ in range(count // AT_ONCE):
                async with AsyncExitStack() as stack:
                    crowd = [await stack.enter_async_context(connected(port)) for _ in range(AT_ONCE)]
                    for _, writer in crowd:
                        writer.write(sent)
                    async with connected(port) as (reader, writer):
                        writer.write(request("GET", "/healthz"))
                        await read_answer(reader)  # what was sent before is read by now
                    clock.turn(11.0)
                    seen |= {(await read_answer(reader)).status for reader, _ in crowd}
            return seen

        async with serving(tmp_path) as served:
            await leaves_nothing(served.port, 408, begun, ways=stalls, count=BY_CONNECTIONS, cycles=True)


async def test_a_head_that_is_no_http_is_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await leaves_nothing(served.port, 400, b"\x16\x03\x01" + BODY, ways=on_many, count=BY_CONNECTIONS, cycles=True)


async def test_who_finds_no_room_is_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path, connections=ConnectionLimits(most=0, spare=AT_ONCE)) as served:
        whole = request("POST", "/callback", BODY)
        await leaves_nothing(served.port, 503, whole, ways=on_many, count=BY_CONNECTIONS, cycles=True)
