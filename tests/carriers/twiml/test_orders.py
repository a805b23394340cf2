"""The carrier's API, asked by the carriers' own clients: calls are ordered, recordings fetched and deleted."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from telnyx import Telnyx
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from ivr.carriers.api_server import api_served
from ivr.carriers.rest import ApiReply, ApiRequest
from ivr.carriers.twiml.call_plan import Callee, TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.ordered_calls import OrderedCalls
from ivr.carriers.twiml.signing import TokenSigner
from ivr.carriers.twiml.twiml_carrier import TwimlCallResult, TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.phone.callers.turn_based import CallerAction, Connect, Press, Speak
from ivr.phone.handset import Handset
from tests.carriers.twiml.tiny_bot import BOT, SID, TOKEN, Acts, TinyBot, account, on_the_phone

TO, FROM = "+4930123456", "+4930901820"
EVENTS = ["initiated", "ringing", "answered", "completed"]


class Ordering:
    """A carrier with an API that is served, and a bot that it calls back."""

    def __init__(self, callee: Callee, *actions: CallerAction | None, profile: str = "twilio") -> None:
        self.bot = TinyBot()
        self.account: CarrierAccount = account(profile)
        self.carrier = TwimlCarrier(self.bot, self.account)
        self.done: list[TwimlCallResult] = []
        self.calls = OrderedCalls(
            self.carrier,
            answer=lambda _: (callee, on_the_phone(Acts(*actions))),
            over=lambda _, result: self.done.append(result),
        )
        self.client: Client = None
        self.base = ""

    @asynccontextmanager
    async def served(self) -> AsyncIterator["Ordering"]:
        async with api_served(self.calls.api.handle) as base:
            self.account.api = self.base = base
            self.client = Client(SID, TOKEN)
            self.client.api.base_url = base
            try:
                yield self
            finally:
                await self.calls.close()
                self.client.http_client.session.close()

    async def order(self, **more: Any) -> Any:
        call = await asyncio.to_thread(
            self.client.calls.create, to=TO, from_=FROM, url=f"{BOT}/call", status_callback=f"{BOT}/status", **more
        )
        await self.calls.all_over()
        return call

    @property
    def statuses(self) -> list[str]:
        return [form["CallStatus"] for form in self.bot.forms("/status")]


async def test_the_carrier_s_client_orders_a_call_that_is_answered() -> None:
    async with Ordering(Callee("human"), Press("2"), Connect(486)).served() as ordering:
        call = await ordering.order(status_callback_event=EVENTS)
        assert (call.status, call.direction, call.to) == ("queued", "outbound-api", TO)
        assert ordering.statuses == ["initiated", "ringing", "in-progress", "completed"]
        first = ordering.bot.forms("/call")[0]
        assert (first["CallSid"], first["CallStatus"], first["To"], first["From"]) == (
            call.sid,
            "in-progress",
            TO,
            FROM,
        )
        assert first["Direction"] == "outbound-api"
        assert [int(form["SequenceNumber"]) for form in ordering.bot.forms("/status")] == [0, 1, 2, 3]
        found = await asyncio.to_thread(ordering.client.calls(call.sid).fetch)
        assert found.status == "completed"
        assert int(found.duration) > 0


@pytest.mark.parametrize(
    ("callee", "status", "sip"),
    [
        (Callee("busy"), "busy", "486"),
        (Callee("noAnswer"), "no-answer", "480"),
        (Callee("rejected"), "busy", "603"),
        (Callee("unreachable"), "failed", "404"),
        (Callee("human", ring=100.0), "no-answer", "487"),
    ],
)
async def test_a_call_that_is_not_answered_is_told_and_no_document_is_asked_for(
    callee: Callee, status: str, sip: str
) -> None:
    async with Ordering(callee).served() as ordering:
        await ordering.order(timeout=30)
        assert ordering.bot.paths == ["/status"]
        (form,) = ordering.bot.forms("/status")
        assert (form["CallStatus"], form["SipResponseCode"], form["CallDuration"]) == (status, sip, "0")
        assert ordering.done[0].ended.reason == "unanswered"


@pytest.mark.parametrize(
    ("callee", "wanted", "answered_by"),
    [
        ("human", "Enable", "human"),
        ("machine", "Enable", "machine_start"),
        ("machine", "DetectMessageEnd", "machine_end_beep"),
        ("fax", "Enable", "fax"),
        ("machine", None, None),
    ],
)
async def test_the_first_document_is_asked_with_who_answered_if_that_is_wanted(
    callee: Any, wanted: str | None, answered_by: str | None
) -> None:
    async with Ordering(Callee(callee)).served() as ordering:
        await ordering.order(**({"machine_detection": wanted} if wanted else {}))
        assert ordering.bot.forms("/call")[0].get("AnsweredBy") == answered_by


async def test_who_answered_can_be_told_beside_the_first_document() -> None:
    async with Ordering(Callee("machine")).served() as ordering:
        await ordering.order(machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{BOT}/status")
        assert "AnsweredBy" not in ordering.bot.forms("/call")[0]
        told = ordering.bot.forms("/status")[0]
        assert (told["AnsweredBy"], told["CallSid"]) == ("machine_start", ordering.done[0].sid)


async def test_a_call_can_be_cancelled_while_it_rings() -> None:
    async with Ordering(Callee("human")).served() as ordering:
        plan = TwimlCallPlan(Target(f"{BOT}/call"), status=Target(f"{BOT}/status"), callee=Callee())
        sid = ordering.calls._place(plan)
        ended = ordering.calls.api.handle(asked("POST", f"Calls/{sid}.json", b"Status=canceled"))
        assert ended.status == 200
        await ordering.calls.all_over()
        assert ordering.statuses == ["canceled"]
        with pytest.raises(TwilioRestException, match="is over"):
            await asyncio.to_thread(ordering.client.calls(sid).update, status="completed")


async def test_a_recording_is_fetched_with_credentials_and_deleted() -> None:
    async with Ordering(Callee(), Press("1"), Speak("my telephone is broken")).served() as ordering:
        await ordering.order()
        (kept,) = ordering.account.recordings
        url = ordering.bot.forms("/recorded")[0]["RecordingUrl"]
        async with httpx.AsyncClient() as web:
            assert (await web.get(url)).status_code == 401
            assert (await web.get(url, auth=(SID, "wrong"))).status_code == 401
            found = await web.get(f"{url}.wav", auth=(SID, TOKEN))
            assert (found.status_code, found.content) == (200, kept.data)
            assert found.headers["Content-Type"] == "audio/x-wav"
            assert (await web.get(url, auth=(SID, TOKEN))).content == kept.data
            assert (await web.get(f"{url}.json", auth=(SID, TOKEN))).json()["call_sid"] == kept.call
        assert await asyncio.to_thread(ordering.client.recordings(kept.sid).delete)
        assert ordering.account.deleted == [kept.sid]
        with pytest.raises(TwilioRestException) as gone:
            await asyncio.to_thread(ordering.client.recordings(kept.sid).delete)
        assert gone.value.status == 404


async def test_a_recording_may_not_be_there_at_first() -> None:
    async with Ordering(Callee(), Press("1"), Speak("my telephone is broken")).served() as ordering:
        ordering.account.not_ready = 2
        await ordering.order()
        (kept,) = ordering.account.recordings
        path = f"Recordings/{kept.sid}"
        assert [ordering.calls.api.handle(asked("GET", path)).status for _ in range(3)] == [404, 404, 200]


def asked(method: str, path: str, body: bytes = b"", *, kind: str = "application/x-www-form-urlencoded") -> ApiRequest:
    basic = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    return ApiRequest(method, f"/2010-04-01/Accounts/{SID}/{path}", basic, kind, body)


def ringing(_: str) -> tuple[Callee, Handset]:
    raise AssertionError("An order that is refused rings nobody")


def refusing() -> Callable[[ApiRequest], ApiReply]:
    return OrderedCalls(TwimlCarrier(TinyBot(), account("twilio")), answer=ringing).api.handle


GOOD = b"To=%2B4930123456&From=%2B4930901820&Url=https%3A%2F%2Fbot.example%2Fcall"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "Calls.json", b"From=%2B493090182&Url=https://x.example", 400, b"No 'To' number"),
        ("POST", "Calls.json", b"To=%2B493090182&Url=https://x.example", 400, b"No 'From' number"),
        ("POST", "Calls.json", GOOD.replace(b"%2B4930123456", b"nobody"), 400, b"Invalid 'To'"),
        ("POST", "Calls.json", GOOD.replace(b"%2B4930901820", b"12"), 400, b"Invalid 'From'"),
        ("POST", "Calls.json", GOOD.partition(b"&Url")[0], 400, b"Url parameter is required"),
        ("POST", "Calls.json", GOOD.replace(b"https", b"ftp"), 400, b"not a valid URL"),
        ("POST", "Calls.json", GOOD + b"&Timeout=" + b"9" * 5000, 400, b"Invalid Timeout"),
        ("POST", "Calls.json", GOOD + b"&StatusCallbackEvent=never", 400, b"Invalid StatusCallbackEvent"),
        ("POST", "Calls.json", GOOD + b"&MachineDetection=maybe", 400, b"Invalid MachineDetection"),
        ("POST", "Calls.json", GOOD + b"&AsyncAmd=true&AsyncAmdStatusCallback=ftp://x", 400, b"not a valid URL"),
        ("POST", "Calls.json", b"\xff\xfe", 400, b"cannot be read"),
        ("POST", "Calls.json", b"&".join(b"a=%d" % n for n in range(300)), 400, b"cannot be read"),
        ("GET", "Calls/CA1.json", b"", 404, b"was not found"),
        ("GET", f"Recordings/RE{'0' * 32}.wav", b"", 404, b"was not found"),
        ("DELETE", f"Recordings/RE{'0' * 32}.json", b"", 404, b"was not found"),
        ("GET", "Conferences.json", b"", 404, b"was not found"),
    ],
)
def test_what_cannot_be_done_is_refused_in_the_carrier_s_words(
    method: str, path: str, body: bytes, status: int, message: bytes
) -> None:
    reply = refusing()(asked(method, path, body))
    assert reply.status == status
    assert message in reply.body


async def test_the_other_carrier_s_client_orders_a_call() -> None:
    ordering = Ordering(Callee("human"), profile="telnyx")
    async with ordering.served():
        wanted = {"Url": f"{BOT}/call", "To": TO, "From": FROM, "ApplicationSid": "1", "MachineDetection": "Enable"}
        with Telnyx(api_key=TOKEN, base_url=f"{ordering.base}/v2") as client:
            answer = await asyncio.to_thread(client.texml.accounts.calls.calls, SID, body=wanted)  # type: ignore[arg-type]
        await ordering.calls.all_over()
        assert (answer.to, answer.from_, answer.status) == (TO, FROM, "queued")
        assert ordering.bot.forms("/call")[0]["AnsweredBy"] == "human"


async def test_without_credentials_nothing_is_told() -> None:
    ordering = Ordering(Callee())
    async with ordering.served():
        wrong = Client(SID, "wrong")
        wrong.api.base_url = ordering.base
        assert wrong.http_client.session is not None
        with wrong.http_client.session, pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(wrong.calls.create, to=TO, from_=FROM, url=f"{BOT}/call")
        assert (refused.value.status, refused.value.code) == (401, 20003)


def test_the_signer_of_an_account_is_its_own() -> None:
    assert isinstance(account().signer, TokenSigner)
