"""Calls that are ordered of a server, placed by a carrier of ours: who answered, or why nobody did; and forged news."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest

from ivr.carriers.api_server import api_served
from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.carriers.twiml.call_plan import Callee
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.ordered_calls import OrderedCalls
from ivr.carriers.twiml.plivo_signing import PlivoSigner
from ivr.carriers.twiml.signing import Ed25519Signer, Signer, TokenSigner
from ivr.carriers.twiml.twiml_carrier import SIMULATED, TwimlCarrier
from ivr.carriers.twiml.twiml_profile import PROFILES
from ivr.carriers.web_bot import WebBot
from ivr.engine.events import CallAnswered, CallNotAnswered, CallRinging, Event
from ivr.phone.callers.turn_based import CallerAction, Leave, Press, Situation, TurnBased
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.server.assembly import running
from ivr.settings import Settings
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.carriers.twiml.tiny_bot import Acts
from tests.waiting import PATIENCE, Logged, logged

Answers = Literal["human", "machine", "fax", "busy", "noAnswer", "rejected", "unreachable"]
ACCOUNT, TOKEN, CALLS_TOKEN = "AC" + "0" * 32, "a-secret-of-the-account", "a-token-for-calls-0123"
FLOW = """\
flow: reminder
initial: who
on: {exhausted: bye, error: bye}
variables: {patient: {type: text, default: none, parameter: true}}
states:
  who: {decide: [{guard: call.answeredBy == 'machine', target: later}, ask]}
  ask: {menu: {prompt: "{{ patient or 'You' }}, press 1.", choices: {yes: {dtmf: "1"}}}, on: {yes: bye}}
  later: {say: Please call us back., final: true, outcome: voicemail}
  bye: {say: Goodbye., final: true}
"""
ED25519 = Ed25519Signer()
SIGNERS: Mapping[str, Callable[[], Signer]] = {
    "twilio": lambda: TokenSigner(TOKEN),
    "signalwire": lambda: TokenSigner(TOKEN, "X-SignalWire-Signature"),
    "telnyx": lambda: ED25519,
    "plivo": lambda: PlivoSigner(TOKEN),
}
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "twilio": {"twilio_auth_token": TOKEN, "twilio_account_sid": ACCOUNT},
    "signalwire": {
        "signalwire_signing_key": TOKEN, "signalwire_project": ACCOUNT, "signalwire_api_token": TOKEN,
    },
    "telnyx": {"telnyx_public_key": ED25519.public, "telnyx_account_sid": ACCOUNT, "telnyx_api_key": TOKEN,
        "telnyx_application_id": "1293384261075731499"},
    "plivo": {"plivo_auth_token": TOKEN, "plivo_auth_id": ACCOUNT},
}  # fmt: skip


class Office:
    """A server that places calls, the carrier of which it orders them, and whoever orders."""

    def __init__(self, url: str, line: str, over: asyncio.Event, person: Acts, folder: Path) -> None:
        self.url, self.line, self.over, self.person, self.folder = url, line, over, person, folder

    async def order(self, *, machine: bool = False) -> Mapping[str, Any]:
        """Order a call, and return what became of it once it is over at the carrier."""
        order = {"to": "+436601234567", "flow": "reminder", "channel": self.line, "machine": machine, "ring": 30}
        order["values"] = {"patient": "Anna"}
        headers = {"Authorization": f"Bearer {CALLS_TOKEN}", "Idempotency-Key": "order-0001"}
        with logged("call over") as ended:
            return await self._told(order, headers, ended)

    async def _told(self, order: object, headers: Mapping[str, str], ended: Logged) -> Mapping[str, Any]:
        async with aiohttp.ClientSession() as client:
            async with client.post(f"{self.url}/calls", json=order, headers=headers) as answer:
                assert answer.status == 202, await answer.text()
                call = (await answer.json())["id"]
            await asyncio.wait_for(self.over.wait(), PATIENCE)
            await asyncio.wait_for(ended.once(), PATIENCE)
            async with client.get(f"{self.url}/calls/{call}", headers=headers) as answer:
                told: Mapping[str, Any] = await answer.json()
        return told

    async def events(self) -> list[Event]:
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            [record] = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return [step.event for step in await archive.trace(record.id) if step.ignored is None]
        finally:
            await archive.close()


@asynccontextmanager
async def office(
    folder: Path, line: str, answers: Answers, *misdeeds: Misdeed, person: Acts | None = None
) -> AsyncIterator[Office]:
    (folder / "flows").mkdir()
    (folder / "flows/reminder.yaml").write_text(FLOW)
    post, over, person = WebPost(Guard()), asyncio.Event(), person or Acts(Press("1"))
    account = CarrierAccount(PROFILES[line], sid=ACCOUNT, token=TOKEN, signer=SIGNERS[line]())
    carrier = TwimlCarrier(WebBot(post), account, misbehaviour=Misbehaviour(frozenset(misdeeds)))
    calls = OrderedCalls(
        carrier,
        answer=lambda number: (Callee(answers), TurnBased(person, SIMULATED)),
        over=lambda handset, result: over.set(),
    )
    async with api_served(calls.api.handle) as api:
        chosen: dict[str, Any] = {
            "port": 0,
            "data": folder / "data",
            "calls_token": CALLS_TOKEN,
            "call_targets": "+43*",
            "call_callers": "+4315550100",
            f"{line}_api_url": api,
            **SETTINGS[line],
        }
        async with running(Settings(**chosen), [folder / "flows"], dev=False) as server:
            yield Office(server.url, line, over, person, folder)
            await calls.close()
    await post.close()


@pytest.mark.parametrize("line", SIGNERS)
async def test_somebody_who_answers_hears_the_flow(tmp_path: Path, line: str) -> None:
    async with office(tmp_path, line, "human") as one:
        told = await one.order()
        assert (told["state"], told["outcome"]) == ("over", "resolved")
        assert "Anna, press 1." in " ".join(one.person.heard)
        found = await one.events()
        assert [type(event) for event in found[1:3]] == [CallRinging, CallAnswered]


class GivenUp(Acts):
    """A call that ends while it rings."""

    async def act(self, situation: Situation) -> CallerAction | None:
        return Leave()


@pytest.mark.parametrize("line", ["twilio", "plivo"])
async def test_a_call_that_ends_while_it_rings_was_not_answered(tmp_path: Path, line: str) -> None:
    async with office(tmp_path, line, "human", person=GivenUp()) as one:
        told = await one.order()
        assert (told["state"], told["outcome"]) == ("over", "noAnswer")
        found = await one.events()
        assert [type(event) for event in found[1:3]] == [CallRinging, CallNotAnswered]


@pytest.mark.parametrize(("answers", "by"), [("human", "human"), ("machine", "machine"), ("fax", "machine")])
async def test_who_answers_is_in_the_flow(tmp_path: Path, answers: Answers, by: str) -> None:
    async with office(tmp_path, "twilio", answers) as one:
        told = await one.order(machine=True)
        assert (told["answeredBy"], told["outcome"]) == (by, "voicemail" if by == "machine" else "resolved")


@pytest.mark.parametrize("line", SIGNERS)
@pytest.mark.parametrize(
    ("answers", "reasons"),
    [
        ("busy", {"busy"}),
        ("noAnswer", {"noAnswer"}),
        ("rejected", {"busy", "rejected"}),  # most carriers tell of both in one word
        ("unreachable", {"unreachable"}),
    ],
)
async def test_why_nobody_answered_is_the_outcome(
    tmp_path: Path, line: str, answers: Answers, reasons: set[str]
) -> None:
    async with office(tmp_path, line, answers) as one:
        told = await one.order()
        assert (told["state"], told["answeredBy"]) == ("over", None)
        assert told["outcome"] in reasons
        assert isinstance((await one.events())[-1], CallNotAnswered)


@pytest.mark.parametrize("misdeed", ["twice", "late"])
async def test_news_that_come_twice_or_late_place_no_second_call(tmp_path: Path, misdeed: Misdeed) -> None:
    async with office(tmp_path, "twilio", "human", misdeed) as one:
        assert (await one.order())["outcome"] == "resolved"
        assert sum(isinstance(event, CallAnswered) for event in await one.events()) == 1


async def test_forged_news_of_a_call_change_nothing(tmp_path: Path) -> None:
    async with office(tmp_path, "twilio", "human", "forged") as one:
        assert (await one.order())["outcome"] == "resolved"
