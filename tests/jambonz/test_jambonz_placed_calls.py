"""Calls that are ordered of a server, placed by our jambonz, and answered by somebody, by a machine, or by nobody."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from ivr.carriers.api_server import api_served
from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.call_order import Answers, Callee
from ivr.carriers.jambonz.hook_delivery import HookAccount
from ivr.carriers.jambonz.jambonz_carrier import JambonzCarrier
from ivr.carriers.jambonz.jambonz_orders import JambonzOrders
from ivr.carriers.jambonz.web_streams import WebStreams
from ivr.carriers.web_bot import WebBot
from ivr.engine.events import CallAnswered, CallNotAnswered
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.callers.random_caller import RandomCaller
from ivr.phone.callers.turn_based import TurnBased
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.waiting import PATIENCE

SECRET, KEY, TOKEN = "wh_secret_of_tests", "api-key-of-tests", "a-token-for-calls-0123"
ACCOUNT = "00000000-0000-4000-8000-00000000acc0"
FLOW = """\
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: Press 1., choices: {yes: {dtmf: "1"}}}, on: {yes: leave}}
  leave: {record: {prompt: Speak., into: message}, next: bye}
  bye: {say: Goodbye., final: true}
"""


class Office:
    """A server that places calls, the jambonz that it orders them of, and whoever orders."""

    def __init__(self, url: str, over: asyncio.Event, carrier: JambonzCarrier, folder: Path) -> None:
        self.url, self.over, self.carrier, self.folder = url, over, carrier, folder

    async def order(self, key: str, *, machine: bool = False) -> dict[str, object]:
        """Order a call, and wait until it is over at jambonz."""
        order = {"to": "+436601234567", "flow": "reminder", "channel": "jambonz", "ring": 30, "machine": machine}
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
        async with aiohttp.ClientSession() as client:
            async with client.post(f"{self.url}/calls", json=order, headers=headers) as answer:
                assert answer.status == 202, await answer.text()
                call = (await answer.json())["id"]
            await asyncio.wait_for(self.over.wait(), PATIENCE)
            async with client.get(f"{self.url}/calls/{call}", headers=headers) as answer:
                told: dict[str, object] = await answer.json()
            assert told["state"] == "over"
            return told

    async def events(self) -> list[object]:
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            [record] = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return [step.event for step in await archive.trace(record.id)]
        finally:
            await archive.close()


@asynccontextmanager
async def office(folder: Path, answers: Answers) -> AsyncIterator[Office]:
    (folder / "flows").mkdir()
    (folder / "flows/reminder.yaml").write_text(FLOW)
    guard = Guard()
    post = WebPost(guard)
    carrier = JambonzCarrier(
        WebBot(post), Application("http://none.invalid", None), HookAccount(SECRET), streams=WebStreams(guard, speed=50)
    )
    over = asyncio.Event()
    sound = Sound(SilentRenderer(), Recorder(encodes=False))
    orders = JambonzOrders(
        carrier,
        account=ACCOUNT,
        key=KEY,
        answer=lambda number: (Callee(answers), TurnBased(RandomCaller(random.Random(3)), sound)),
        over=lambda sid, ended: over.set(),
    )
    async with api_served(orders.handle) as api:
        settings = Settings(
            port=0,
            data=folder / "data",
            jambonz_webhook_secret=SECRET,
            jambonz_account_sid=ACCOUNT,
            jambonz_api_url=api,
            jambonz_api_key=KEY,
            calls_token=TOKEN,
            call_targets="+43*",
            call_callers="+4315550100",
        )
        async with running(settings, [folder / "flows"], dev=True) as server:
            yield Office(server.url, over, carrier, folder)
            await orders.close()
    await post.close()


@pytest.mark.parametrize("machine", [False, True])
@pytest.mark.parametrize("answers", ["human", "machine"])
async def test_who_answers_is_in_the_flow(answers: Answers, machine: bool, tmp_path: Path) -> None:
    async with office(tmp_path, answers) as one:
        await one.order("order-0001", machine=machine)
        assert one.carrier.findings == []
        [answered] = [event for event in await one.events() if isinstance(event, CallAnswered)]
        assert answered.by == (answers if machine else "unknown")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [("busy", "busy"), ("rejected", "rejected"), ("nobody", "noAnswer"), ("unreachable", "unreachable")],
)
async def test_why_nobody_answered_is_told(answers: Answers, reason: str, tmp_path: Path) -> None:
    async with office(tmp_path, answers) as one:
        told = await one.order("order-0001")
        assert told["outcome"] == reason
        [event] = [event for event in await one.events() if isinstance(event, CallNotAnswered)]
        assert event.reason == reason
