"""Strangers who send the login's form slowly, and an operator who wants to come in meanwhile."""

import asyncio
from contextlib import AsyncExitStack

from yarl import URL

from ivr.server.small_forms import AWAITED
from tests.console.visiting import TOKEN, Visit
from tests.server.harness import Answer, connected, read_answer, request

KIND = {"Content-Type": "application/x-www-form-urlencoded"}


def port_of(visit: Visit) -> int:
    port = URL(visit.url).port
    assert port
    return port


async def seen(port: int) -> None:
    """Return when the server has read what was sent to it before."""
    async with connected(port) as (reader, writer):
        writer.write(request("GET", "/healthz"))
        assert (await read_answer(reader)).status == 200


async def slow_form(stack: AsyncExitStack, port: int) -> asyncio.Task[Answer]:
    """Begin to send a form, and leave it at that."""
    reader, writer = await stack.enter_async_context(connected(port))
    writer.write(request("POST", "/console/login", b"token=", {**KIND, "Content-Length": "900"}))
    await seen(port)
    return asyncio.create_task(read_answer(reader))


async def test_an_operator_whose_form_comes_in_two_pieces_is_let_in_while_strangers_send_slowly(visit: Visit) -> None:
    port, form = port_of(visit), f"token={TOKEN}".encode()
    async with AsyncExitStack() as stack:
        strangers = [await slow_form(stack, port) for _ in range(AWAITED)]
        async with connected(port) as (reader, writer):
            whole = request("POST", "/console/login", form, KIND)
            writer.write(whole[:-5])
            await seen(port)
            more = [await slow_form(stack, port) for _ in range(AWAITED - 1)]
            writer.write(whole[-5:])
            assert (await read_answer(reader)).status == 303
        for task in (*strangers, *more):
            task.cancel()


async def test_the_slowest_form_gives_way_to_a_new_one(visit: Visit) -> None:
    async with AsyncExitStack() as stack:
        first, *others = [await slow_form(stack, port_of(visit)) for _ in range(AWAITED + 1)]
        assert (await first).status == 429
        assert not any(other.done() for other in others)
        for task in others:
            task.cancel()
