"""Notifications by webhook, against a real server on this machine: signed, not redirected, tried again when busy."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from ivr.engine.commands import Notify
from ivr.outbox import Notification
from ivr.services.egress import LOOPBACK, Egress
from ivr.services.sender import Attachment, NotSent
from ivr.services.webhook_sender import WebhookSender

KEY = b"0123456789abcdef01234567"
NOW = 1_795_168_800.5
NOTIFY = Notify(
    "3.1", "webhook", "", "A call", "Words \u00fc.", flow="desk", caller="29:anna", called="28:bot", started=NOW
)
ONE = Notification("0" * 32, NOTIFY, "3.1", NOW)


class Recordings:
    """`Attachments`: one recording, another that was erased."""

    async def of(self, media: str, number: int) -> Attachment | None:
        return Attachment("r", b"", "audio/mpeg", "https://ivr.example/recordings/x") if media == "here" else None


class Receiver:
    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.port = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        await self.goes_on.wait()
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.answer), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    yield receiver
    await runner.cleanup()


@asynccontextmanager
async def sending(receiver: Receiver, *, hosts: str = "", patience: float = 30.0) -> AsyncIterator[WebhookSender]:
    egress = Egress([hosts or f"127.0.0.1:{receiver.port}"], LOOPBACK)
    sender = WebhookSender(egress, Recordings(), KEY, now=lambda: NOW, patience=patience)
    yield sender
    await sender.close()


def told(receiver: Receiver, **changed: Any) -> Notification:
    return replace(ONE, notify=replace(NOTIFY, to=f"http://127.0.0.1:{receiver.port}/hook", **changed))


async def test_a_receiver_can_verify_what_it_gets() -> None:
    async with receiving() as receiver, sending(receiver) as sender:
        await sender.send(told(receiver, attach=("here", "gone")))
    [(headers, body)] = receiver.got
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    signature = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (ONE.id, "1795168800")
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "type": "ivr.notification",
        "timestamp": "2026-11-20T10:00:00Z",
        "data": {
            "call": "0" * 32,
            "flow": "desk",
            "from": "29:anna",
            "to": "28:bot",
            "startedAt": "2026-11-20T10:00:00Z",
            "direction": "incoming",
            "subject": "A call",
            "text": "Words \u00fc.",
            "recordings": [{"url": "https://ivr.example/recordings/x"}, {"url": None}],
        },
    }


@pytest.mark.parametrize(
    ("status", "for_good"), [(400, True), (410, True), (302, True), (429, False), (500, False), (503, False)]
)
async def test_what_is_refused_is_given_up_and_what_is_busy_is_tried_again(status: int, for_good: bool) -> None:
    async with receiving() as receiver, sending(receiver) as sender:
        receiver.status, receiver.headers = status, {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"}
        with pytest.raises(NotSent, match=str(status)) as refused:
            await sender.send(told(receiver))
    assert refused.value.for_good is for_good
    assert len(receiver.got) == 1


async def test_no_host_is_told_that_is_not_on_the_list() -> None:
    async with receiving() as receiver, sending(receiver, hosts="example.com") as sender:
        with pytest.raises(NotSent, match="IVR_HTTP_HOSTS") as refused:
            await sender.send(told(receiver))
    assert (refused.value.for_good, receiver.got) == (False, [])


async def test_a_slow_receiver_and_one_that_is_away_are_told_later() -> None:
    async with receiving() as receiver, sending(receiver, patience=0.1) as sender:
        receiver.goes_on.clear()
        with pytest.raises(NotSent) as slow:
            await sender.send(told(receiver))
        receiver.goes_on.set()
    async with sending(receiver) as sender:
        with pytest.raises(NotSent) as away:
            await sender.send(told(receiver))
    assert [(one.value.code, one.value.for_good) for one in (slow, away)] == [
        ("timeout", False),
        ("unreachable", False),
    ]
