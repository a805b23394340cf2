"""Calls that are ordered of a server and placed by a gateway (protocol 26), from POST /calls to the trace."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from ivr.channels.skype.wire import MESSAGE_ID
from ivr.cli import main
from ivr.engine.events import CallAnswered, CallEnded, CallNotAnswered, CallPlaced, CallRinging, LineReported
from ivr.engine.line_facts import LineFacts
from ivr.phone.callers.turn_based import Press
from ivr.phone.phone_events import Ended
from ivr.server.assembly import running
from ivr.settings import Settings, SettingsError
from ivr.store.data_folder import DataFolder
from ivr.store.sqlite.sqlite_archive import SqliteArchive
from tests.fakes.gateway import TOKEN as GATEWAY_TOKEN
from tests.fakes.gateway import FakeGateway, Fate, answers, forgets_it, gateway_served, takes_it
from tests.phone.calling import Phone, Signer, phone_to
from tests.phone.people import QUICK, Person
from tests.waiting import PATIENCE, logged

TOKEN = "a-token-for-calls-0123"
FLOW = """
flow: reminder
initial: ask
on: {exhausted: bye, error: bye}
variables: {patient: {type: text, default: You, parameter: true}}
states:
  ask: {menu: {prompt: "{{ patient }} at {{ call.to }}?", choices: {yes: {dtmf: "1"}}}, on: {yes: bye}}
  bye: {say: Bye., final: true}
"""


class Office:
    """A server, its gateway, and whoever orders calls."""

    def __init__(self, url: str, gateway: FakeGateway, phone: Phone, session: aiohttp.ClientSession, at: Path) -> None:
        self.url, self.gateway, self.phone, self.session, self.folder = url, gateway, phone, session, at

    async def order(self, **changed: Any) -> tuple[int, Any]:
        body = {"to": "+436601234567", "flow": "reminder", "channel": "skype", "values": {"patient": "Anna"}, **changed}
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "order-0001"}
        async with self.session.post(f"{self.url}/calls", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def over(self) -> Any:
        """Wait until the gateway is done with the call it was ordered; return what the server tells of it."""
        await asyncio.wait_for(self.gateway.over.wait(), PATIENCE)
        return await self.look()

    async def look(self) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.session.get(f"{self.url}/calls/{self.gateway.orders[0]['id']}", headers=headers) as answer:
            assert answer.status == 200
            return await answer.json()

    async def post(self, message: Mapping[str, Any], *, name: str | None = None, token: str | None = None) -> Any:
        """Post a message as the platform, or as somebody else who has another token; return status and body."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.phone_token}"}
        headers |= {MESSAGE_ID: name} if name else {}
        async with self.session.post(f"{self.url}/call", json=message, headers=headers) as answer:
            return answer.status, await answer.read()

    @property
    def phone_token(self) -> str:
        return Signer.identity.token(time.time())

    async def events(self) -> Sequence[object]:
        """Return what is in the trace of the only call, but for what the line tells of itself."""
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            [record] = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            steps = await archive.trace(record.id)
            return [step.event for step in steps if not isinstance(step.event, LineReported) and not step.ignored]
        finally:
            await archive.close()

    async def facts(self) -> LineFacts | None:
        archive = SqliteArchive(DataFolder(self.folder / "data"))
        try:
            [record] = [one.record async for portion in archive.stored() for one in portion if one.record is not None]
            return record.line
        finally:
            await archive.close()


@asynccontextmanager
async def office(folder: Path, signer: Signer, fate: Fate, **changed: Any) -> AsyncIterator[Office]:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "reminder.yaml").write_text(FLOW)
    async with AsyncExitStack() as stack:
        gateway, url = await stack.enter_async_context(gateway_served(fate))
        chosen: dict[str, Any] = {
            **signer.settings,
            "port": 0,
            "data": folder / "data",
            "stt": "none",
            "skype_gateway_url": url,
            "skype_gateway_token": GATEWAY_TOKEN,
            "calls_token": TOKEN,
            "call_targets": "+43*,sip:*@pbx.example.com",
            "call_callers": "+4315550100",
            **changed,
        }
        settings = Settings(**{name: value for name, value in chosen.items() if value is not None})
        server = await stack.enter_async_context(running(settings, [folder / "flows"], dev=False))
        phone = await stack.enter_async_context(phone_to(int(server.url.rpartition(":")[2]), signer))
        gateway.phone = phone.platform(phone.way, QUICK)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Office(server.url, gateway, phone, session, folder)


# --- the whole way ----------------------------------------------------------------------------------------------------


async def test_somebody_answers_and_hears_the_flow(tmp_path: Path, signer: Signer) -> None:
    person = Person([Press("1")])
    async with office(tmp_path, signer, takes_it(person)) as one:
        status, told = await one.order()
        assert (status, told["state"]) == (202, "placed")
        told = await one.over()
        assert one.gateway.orders == [{"id": told["id"], "to": "+436601234567", "caller": "+4315550100", "ring": 45}]
        assert (told["state"], told["outcome"], told["answeredBy"]) == ("over", "resolved", "unknown")
        assert person.heard == ["Anna at +436601234567?", "Bye."]
        assert one.gateway.ended == Ended("bot", "hangup")
        placed, rung, answered, *_ = await one.events()
        assert isinstance(placed, CallPlaced)
        assert (rung, answered) == (CallRinging(), CallAnswered())
        assert await one.facts() == LineFacts(kind="sip", trunk="192.0.2.7:5060", transport="udp")


@pytest.mark.parametrize(
    ("status", "outcome"), [(486, "busy"), (480, "noAnswer"), (603, "rejected"), (404, "unreachable"), (501, "failed")]
)
async def test_why_nobody_answered_is_told(
    status: int, outcome: Any, tmp_path: Path, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ivr")
    async with office(tmp_path, signer, answers(status, "for people")) as one:
        await one.order()
        told = await one.over()
        assert (told["state"], told["outcome"]) == ("over", outcome)
        over = [vars(record)["outcome"] for record in caplog.records if record.msg == "call over"]
        assert over == [outcome]
        assert (await one.events())[1:] == [CallRinging(), CallNotAnswered(outcome, status)]
        assert await one.facts() == LineFacts(kind="sip", status=status, ended="for people")


async def test_an_address_of_sip_is_ordered_as_it_is(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, answers(486, "busy"), call_callers="") as one:
        await one.order(to="sip:Desk@PBX.example.com", ring=5.4)
        await one.over()
        (order,) = one.gateway.orders
        assert (order["to"], order["caller"], order["ring"]) == ("sip:Desk@pbx.example.com", None, 5)


@pytest.mark.parametrize("status", [401, 403, 409, 422])
async def test_an_order_that_the_gateway_refuses_is_a_call_that_failed(
    status: int, tmp_path: Path, signer: Signer
) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        one.gateway.answer = status
        with logged("platform request given up") as given_up:
            await one.order()
            await given_up.once()
        assert (await one.look())["outcome"] == "failed"
        assert (await one.events())[1:] == [CallNotAnswered("failed")]


# --- messages as they should not be -----------------------------------------------------------------------------------


def notice(call: str, state: str, **ivr: Any) -> dict[str, Any]:
    return {"id": call, "type": "callStateChange", "currentState": state, **({"ivr": ivr} if ivr else {})}


def conversation(call: str, state: str = "established") -> dict[str, Any]:
    called, caller = {"identity": "+436601234567", "originator": False}, {"identity": "28:bot", "originator": True}
    return {"id": call, "participants": [called, caller], "presentedModalityTypes": ["audio"], "callState": state}


async def ordered(one: Office) -> str:
    """Order a call of which nothing is told; return the gateway's id of it, once it has that."""
    _, told = await one.order()
    await asyncio.wait_for(one.gateway.over.wait(), PATIENCE)
    return str(told["id"])


async def test_forged_messages_are_refused_and_change_nothing(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        call = await ordered(one)
        for message in (conversation(call), notice(call, "establishing"), notice(call, "terminated", status=486)):
            for token in ("none", GATEWAY_TOKEN, TOKEN, one.phone_token[:-4] + "AAAA"):
                assert (await one.post(message, token=token))[0] in {401, 403}
        assert (await one.look())["state"] == "placed"
        assert len(await one.events()) == 1


async def test_a_call_that_nobody_ordered_is_unknown_whatever_is_told_of_it(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        unknown = "0" * 32
        for message in (conversation(unknown), notice(unknown, "establishing"), notice(unknown, "terminated")):
            status, body = await one.post(message)
            assert (status, json.loads(body)["error"]["code"]) == (404, "unknown-call")


async def test_what_is_told_twice_counts_once_and_gets_the_same_reply(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        call = await ordered(one)
        for name in ("r1", "r1", "r2"):
            assert await one.post(notice(call, "establishing"), name=name) == (200, b"")
        assert (await one.look())["state"] == "ringing"
        first = await one.post(conversation(call), name="a1")
        assert [action["action"] for action in json.loads(first[1])["actions"]] == ["recognize"]
        assert await one.post(conversation(call), name="a1") == first
        assert await one.post(conversation(call), name="a2") == first, "the platform needs a workflow to go on with"
        assert [type(event) for event in await one.events()] == [CallPlaced, CallRinging, CallAnswered]


async def test_what_comes_late_changes_nothing(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        call = await ordered(one)
        await one.post(conversation(call))
        assert await one.post(notice(call, "establishing"), name="late") == (200, b"")
        assert (await one.look())["state"] == "answered"
        assert await one.post(notice(call, "terminated", status=486)) == (200, b"")
        assert [type(event) for event in await one.events()] == [CallPlaced, CallAnswered, CallEnded]


async def test_nobody_answers_a_call_that_is_over(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        call = await ordered(one)
        await one.post(notice(call, "terminated", status=486))
        assert await one.post(conversation(call)) == (200, b"")
        assert (await one.look())["outcome"] == "busy"


async def test_an_incoming_call_with_the_id_of_an_order_starts_nothing(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it) as one:
        call = await ordered(one)
        assert await one.post(conversation(call, "incoming")) == (200, b"")
        assert (await one.look())["state"] == "placed"
        assert len(await one.events()) == 1


# --- settings ---------------------------------------------------------------------------------------------------------


async def test_without_a_gateway_an_order_is_told_what_to_set(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, forgets_it, skype_gateway_url=None, skype_gateway_token=None) as one:
        status, told = await one.order()
        assert (status, told["error"]["code"]) == (422, "channel")
        assert told["error"]["message"] == (
            "This channel places no calls here. "
            "To have it do so, set IVR_SKYPE_GATEWAY_URL and IVR_SKYPE_GATEWAY_TOKEN."
        )
        assert one.gateway.orders == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"skype_gateway_url": None}, "set IVR_SKYPE_GATEWAY_URL, too"),
        ({"skype_gateway_token": None}, "set IVR_SKYPE_GATEWAY_TOKEN, too"),
        ({"skype_gateway_url": "http://gateway.example"}, "IVR_SKYPE_GATEWAY_URL must be https"),
        ({"skype_gateway_url": "gateway"}, "IVR_SKYPE_GATEWAY_URL must be an address"),
    ],
)
async def test_half_a_gateway_keeps_the_server_from_starting(
    changed: Mapping[str, Any], words: str, tmp_path: Path, signer: Signer
) -> None:
    with pytest.raises(SettingsError, match=words):
        async with office(tmp_path, signer, forgets_it, **changed):
            pass


@pytest.mark.parametrize(
    "changed", [{"skype_gateway_token": "short-0123"}, {"skype_gateway_url": "https://me:secret@gateway.example"}]
)
def test_a_secret_is_long_and_in_no_address(changed: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="skype_gateway") as refused:
        Settings(**changed)
    assert not any(value in str(refused.value) for value in changed.values())


# --- replay -----------------------------------------------------------------------------------------------------------


async def test_such_a_call_replays(tmp_path: Path, signer: Signer) -> None:
    async with office(tmp_path, signer, takes_it(Person([Press("1")]))) as one:
        await one.order()
        await one.over()
    data, flows = str(tmp_path / "data"), str(tmp_path / "flows")
    arguments = ["replay", "--live", "--flows", flows, "--data", data]
    for more in ([], ["--channel", "sip"]):
        replayed = await asyncio.to_thread(CliRunner().invoke, main, [*arguments, *more])
        assert (replayed.exit_code, "1 call" in replayed.output) == (0, True), replayed.output
