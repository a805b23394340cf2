"""A server that is killed between a request to a web service and its answer does not ask twice for the same thing."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from ivr.phone.callers.turn_based import Speak
from tests.crash.process import Server
from tests.phone.calling import RECORDS, Signer, phone_to
from tests.services.test_web_requests_out import serving
from tests.waiting import PATIENCE, until

FLOW = """
flow: order
initial: book
on: {exhausted: bye, error: bye}
states:
  book:
    http: {url: "http://127.0.0.1:PORT/orders", method: POST, retries: RETRIES, json: {a: 1}, timeout: 60s}
    next: bye
    allow: {retry-post: It keeps the key.}
  bye: {say: Goodbye., final: true}
"""


class Shop:
    """A web service that never answers, and writes down who asks."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.asked = [asyncio.Event(), asyncio.Event()]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers["Idempotency-Key"])
        self.asked[len(self.keys) - 1].set()
        await asyncio.Event().wait()
        raise AssertionError("it never answers")


async def killed_while_asking(tmp_path: Path, signer: Signer, retries: int) -> Sequence[str]:
    """Kill a server that waits for a web service, start it again, and return the keys with which it asked."""
    shop = Shop()
    async with serving(shop.answer) as port:
        flows = tmp_path / "flows"
        flows.mkdir()
        (flows / "order.yaml").write_text(FLOW.replace("PORT", str(port)).replace("RETRIES", str(retries)))
        web_services: dict[str, Any] = {"IVR_HTTP_HOSTS": f"127.0.0.1:{port}", "IVR_HTTP_PRIVATE": "127.0.0.0/8"}
        server = Server(tmp_path, signer, flows=flows, **web_services)
        await server.start()
        async with phone_to(server.port, signer) as phone:
            call = asyncio.create_task(phone.call(Speak("Hello."), flow="order", sound=RECORDS))
            async with asyncio.timeout(PATIENCE):
                await shop.asked[0].wait()
            await server.stop(signal.SIGKILL)
            call.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await call
            await server.start()
            if retries:
                async with asyncio.timeout(PATIENCE):
                    await shop.asked[1].wait()
            else:
                await until(lambda: "not sent again after a restart" in server.log.read_text(), within=server.log)
            await server.stop(signal.SIGTERM)
    return shop.keys


async def test_a_post_is_asked_once(tmp_path: Path, signer: Signer) -> None:
    assert len(await killed_while_asking(tmp_path, signer, 0)) == 1


async def test_a_post_that_may_be_repeated_is_asked_again_with_the_same_key(tmp_path: Path, signer: Signer) -> None:
    first, second = await killed_while_asking(tmp_path, signer, 1)
    assert first == second
