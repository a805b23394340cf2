"""Our Plivo: a bot that is not ours is called, whose documents are the carrier's own classes, as are the judges."""

import asyncio
import base64
import inspect
import re
from collections.abc import Mapping
from typing import Any

import plivo
import plivo.xml as vendor
import pytest
from plivo.rest import client as rest

from ivr.carriers.api_server import api_served
from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from ivr.carriers.rest import ApiRequest
from ivr.carriers.twiml.call_plan import Callee, TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.ordered_calls import OrderedCalls
from ivr.carriers.twiml.plivo_grammar import PLIVO_GRAMMAR
from ivr.carriers.twiml.plivo_signing import PlivoSigner
from ivr.carriers.twiml.twiml_carrier import TwimlCallResult, TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.carriers.twiml.twiml_profile import PROFILES
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, Press, Speak
from ivr.phone.phone_events import Ended
from tests.carriers.twiml.plivo_bot import BOT, TOKEN, PlivoBot
from tests.carriers.twiml.tiny_bot import Acts, on_the_phone

AUTH_ID = "MA" + "X" * 18
PLAN = TwimlCallPlan(Target(f"{BOT}/call"), status=Target(f"{BOT}/hangup"))


def account() -> CarrierAccount:
    return CarrierAccount(PROFILES["plivo"], sid=AUTH_ID, token=TOKEN, signer=PlivoSigner(TOKEN))


async def call(
    bot: PlivoBot, *actions: CallerAction | None, misdeeds: frozenset[Misdeed] = frozenset()
) -> TwimlCallResult:
    carrier = TwimlCarrier(bot, account(), misbehaviour=Misbehaviour(misdeeds))
    return await carrier.place(on_the_phone(Acts(*actions)), PLAN)


# --- calls -----------------------------------------------------------------------------------------------------------


async def test_a_call_is_told_in_the_carriers_own_words() -> None:
    bot = PlivoBot()
    done = await call(bot, Press("1#"), Speak("my telephone is broken"))
    assert done.ended == Ended("bot", "hangup")
    first, then, recorded = bot.forms("/call")[0], bot.forms("/chosen")[0], bot.forms("/recorded")[0]
    assert first == {
        "CallUUID": done.sid, "CallStatus": "ringing", "Direction": "inbound", "Event": "StartApp",
        "From": "4930901820", "To": "498999998100",
    }  # fmt: skip
    assert (then["Digits"], then["InputType"], then["CallStatus"]) == ("1", "dtmf", "in-progress")
    assert recorded["RecordUrl"].endswith(f"/v1/Account/{AUTH_ID}/Recording/{recorded['RecordingID']}.wav")
    assert int(recorded["RecordingDurationMs"]) == 1000 * int(recorded["RecordingDuration"]) > 0
    assert bot.forms("/kept")[0]["RecordingID"] == recorded["RecordingID"]
    assert (bot.forms("/hangup")[0]["CallStatus"], bot.forms("/hangup")[0]["Event"]) == ("completed", "Hangup")


async def test_words_are_an_answer() -> None:
    bot = PlivoBot()
    await call(bot, Speak("sales"), Leave())
    form = bot.forms("/chosen")[0]
    assert (form["Speech"], form["InputType"]) == ("sales", "speech")
    assert float(form["SpeechConfidenceScore"]) > 0


async def test_without_an_answer_the_document_goes_on() -> None:
    bot = PlivoBot()
    await call(bot, None, Leave())
    assert [path for path, _ in bot.requests] == ["/call", "/call", "/hangup"]


async def test_silence_that_was_recorded_is_a_recording() -> None:
    bot = PlivoBot()
    await call(bot, Press("1#"), None)
    assert int(bot.forms("/recorded")[0]["RecordingDuration"]) == 3


@pytest.mark.parametrize(("sip", "word"), [(486, "busy"), (480, "no-answer"), (404, "failed"), (200, "completed")])
async def test_a_transfer_is_told(sip: int, word: str) -> None:
    bot = PlivoBot()
    done = await call(bot, Press("2#"), Connect(sip))
    assert bot.forms("/dialled")[0]["DialStatus"] == word
    progress = bot.forms("/progress")[-1]
    assert (progress["CallUUID"], progress["DialAction"]) == (done.sid, "hangup")
    assert ("answer" in [form["DialAction"] for form in bot.forms("/progress")]) is (sip == 200)


async def test_a_call_is_declined_before_it_is_answered() -> None:
    bot = PlivoBot("<Response><Hangup reason='busy'/></Response>")
    assert (await call(bot)).ended == Ended("bot", "reject", "busy")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("<Response><Say>Hello.</Say></Response>", "no element is called Say"),
        ("<Response><GetInput executionTimeout='2'/></Response>", 'executionTimeout="2" of GetInput is not a whole'),
        ("<Response><GetInput><Record/></GetInput></Response>", "Record cannot stand in GetInput"),
        ("<Response><Record maxlength='3'/></Response>", "has no attribute"),
        ("<Response><GetInput finishOnKey='*#'/></Response>", "is not one key"),
        ("<Response><Record finishOnKey='x'/></Response>", "is not keys"),
        ("<Response><GetInput digitEndTimeout='30'/></Response>", "is not auto"),
    ],
)
async def test_a_document_that_the_carrier_would_not_take_is_refused(document: str, why: str) -> None:
    person = Acts()
    carrier = TwimlCarrier(PlivoBot(document), account())
    done = await carrier.place(on_the_phone(person), PLAN)
    assert done.ended.reason == "refused"
    assert why in done.ended.detail


async def test_forged_requests_are_refused_by_the_vendors_validator() -> None:
    bot = PlivoBot()
    done = await call(bot, Press("1#"), Speak("hello"), misdeeds=frozenset({"forged"}))
    assert done.findings == ()
    assert bot.refused == len(PlivoSigner.forgeries) * len(bot.requests)


# --- the vendor's own definitions ------------------------------------------------------------------------------------

ELEMENTS: Mapping[str, Any] = {
    "Speak": vendor.SpeakElement, "Play": vendor.PlayElement, "Wait": vendor.WaitElement,
    "GetInput": vendor.GetInputElement, "Record": vendor.RecordElement, "Dial": vendor.DialElement,
    "Number": vendor.NumberElement, "User": vendor.UserElement, "Redirect": vendor.RedirectElement,
    "Hangup": vendor.HangupElement,
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements_have_the_attributes_of_the_vendors_classes(name: str) -> None:
    parameters = set(inspect.signature(ELEMENTS[name].__init__).parameters) - {"self", "content"}
    written = {re.sub("_([a-z])", lambda letter: letter[1].upper(), one) for one in parameters}
    assert set(PLIVO_GRAMMAR[name].attributes) == written


@pytest.mark.parametrize("name", ["GetInput", "Dial", "Number", "User", "Record", "Wait"])
def test_elements_may_stand_where_the_vendors_classes_let_them(name: str) -> None:
    assert sorted(PLIVO_GRAMMAR[name].children) == sorted(ELEMENTS[name]._nestable)


# --- orders ----------------------------------------------------------------------------------------------------------


def ordered(bot: PlivoBot, *actions: CallerAction | None, answers: Any = "human") -> OrderedCalls:
    carrier = TwimlCarrier(bot, account())
    return OrderedCalls(carrier, answer=lambda _: (Callee(answers), on_the_phone(Acts(*actions))))


def client(base: str, monkeypatch: pytest.MonkeyPatch) -> plivo.RestClient:
    for name in ("API_VOICE_BASE_URI", "API_VOICE_BASE_URI_FALLBACK_1", "API_VOICE_BASE_URI_FALLBACK_2",
                 "PLIVO_API_BASE_URI"):  # fmt: skip
        monkeypatch.setattr(rest, name, f"{base}/v1/Account")
    return plivo.RestClient(AUTH_ID, TOKEN)


async def test_the_vendors_client_orders_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = PlivoBot()
    calls = ordered(bot, Press("1#"), Speak("hello"))
    async with api_served(calls.api.handle) as base:
        theirs = client(base, monkeypatch)
        reply = await asyncio.to_thread(
            theirs.calls.create, "4930901820", "498999998100", f"{BOT}/call", hangup_url=f"{BOT}/hangup"
        )
        await calls.all_over()
        assert (bot.forms("/call")[0]["CallUUID"], bot.forms("/call")[0]["Direction"]) == (
            reply.request_uuid, "outbound",
        )  # fmt: skip
        assert bot.forms("/hangup")[0]["CallStatus"] == "completed"
        kept = bot.forms("/recorded")[0]["RecordingID"]
        await asyncio.to_thread(theirs.recordings.delete, kept)
        with pytest.raises(plivo.exceptions.ResourceNotFoundError):
            await asyncio.to_thread(theirs.recordings.delete, kept)


@pytest.mark.parametrize(
    ("answers", "status"), [("busy", "busy"), ("noAnswer", "no-answer"), ("unreachable", "failed")]
)
async def test_who_does_not_answer_is_told_by_the_hangup_address(answers: str, status: str) -> None:
    bot = PlivoBot()
    calls = ordered(bot, answers=answers)
    order = b'{"from": "4930901820", "to": "498999998100", "answer_url": "%s/call", "hangup_url": "%s/hangup"}'
    assert post(calls, order.replace(b"%s", BOT.encode())) == 201
    await calls.all_over()
    assert [(path, form["CallStatus"]) for path, form in bot.requests] == [("/hangup", status)]


def post(calls: OrderedCalls, body: bytes, *, token: str = TOKEN) -> int:
    basic = "Basic " + base64.b64encode(f"{AUTH_ID}:{token}".encode()).decode()
    path = f"/v1/Account/{AUTH_ID}/Call/"
    return calls.api.handle(ApiRequest("POST", path, basic, "application/json", body)).status


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"from": "1", "to": "498", "answer_url": "https://a"}',
        b'{"from": "49301", "to": "49302"}', b'{"from": "49301", "to": "49302", "answer_url": "ftp://a"}',
        b'{"from": "49301", "to": "49302", "answer_url": "https://a", "ring_timeout": 900}',
        b'{"from": "49301", "to": "49302", "answer_url": "https://a", "machine_detection": "maybe"}',
    ],
)  # fmt: skip
async def test_orders_that_mean_nothing_are_refused(body: bytes) -> None:
    calls = ordered(PlivoBot())
    assert post(calls, body) == 400
    assert post(calls, b"{}", token="another") == 401
