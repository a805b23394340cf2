"""Plivo: the same channel with documents of another language, times with bounds, and signatures of its own.

Its package `plivo` is the judge: its classes refuse attributes and elements where they must not be, and its validator
says which signatures are good.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element

import plivo.xml as vendor
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3, validate_v3_signature

from ivr.channels.twiml.plivo_fields import twiml_fields
from ivr.channels.twiml.plivo_signature import PlivoVerifier
from ivr.engine.commands import (
    Answer,
    Audio,
    Choice,
    DigitInput,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Reject,
    Silence,
    Text,
    Transfer,
)
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    InputTimedOut,
    KeysPressed,
    LineReported,
    OperationDone,
    RecordingMade,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.errors import WebhookError
from ivr.ports import Exchange, Leg, WebhookRequest
from tests.channels.orders import batches
from tests.twiml.twiml_line import NOW, PUBLIC, channel, document, query, verb

CALL = "f0a1b2c3-0000-11ee-9c33-0242ac110002"
FORM = "application/x-www-form-urlencoded"
TOKEN = "a token of the account"
HELLO = Text("Hello & welcome.", "female", "en-US")
MENU = Recognize("1.2", (HELLO,), choices=(Choice("sales", "1", ("sales",)), Choice("two", "2")))
DIGITS = Recognize("1.2", (HELLO,), digits=DigitInput(1, 5, "*#", 2.5), initial_silence=8.0)
RECORD = Record("1.2", (HELLO,), 60.0, 3.0, "#*A", True, 5.0)
TRANSFER = Transfer("1.2", "tel:+43123456", 20.0, "a caller")


class Line:
    """One call at the channel, without an engine; it posts what Plivo posts."""

    def __init__(self) -> None:
        self.channel = channel("plivo")
        self.leg = Leg()
        self.begun = self.post(
            "/plivo/call", {"From": "4366012345678", "To": "43123456789", "CallStatus": "ringing", "Event": "StartApp"}
        )

    def post(self, address: str, fields: Mapping[str, str] | None = None) -> Exchange:
        parts = urlsplit(address)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = urlencode({"CallUUID": CALL, "CallStatus": "in-progress", **(fields or {})}).encode()
        sent = WebhookRequest("POST", parts.path, {"content-type": FORM}, body, target=target)
        (incoming,) = self.channel.decode(sent)
        exchange = self.channel.hear(self.leg, incoming, now=NOW)
        self.leg = exchange.leg
        return exchange

    def says(self, *commands: LineCommand) -> Element:
        exchange = self.channel.speak(self.leg, commands, now=NOW)
        self.leg = exchange.leg
        assert exchange.reply is not None
        return document(exchange.reply)

    def hears(self, order: LineCommand, place: str, **fields: str) -> tuple[Event, ...]:
        """Order something, and return what comes of what is posted to one of its addresses."""
        root = self.says(order)
        address = next(
            text for one in root.iter() for text in (*one.attrib.values(), one.text or "") if f"/plivo/{place}?" in text
        )
        return tuple(self.post(address, fields).events)


def shown(element: Element) -> tuple[str, dict[str, str]]:
    """Return an element with its attributes, addresses by their path."""
    return element.tag, {name: re.sub(r"\?.*", "", value) for name, value in element.attrib.items()}


# --- documents -------------------------------------------------------------------------------------------------------


def test_a_question_has_a_time_for_the_first_key_and_one_between_keys() -> None:
    root = Line().says(DIGITS)
    assert [one.tag for one in root] == ["GetInput", "Redirect"]
    assert shown(root[0]) == (
        "GetInput",
        {
            "action": f"{PUBLIC}/plivo/step",
            "method": "POST",
            "inputType": "dtmf",
            "executionTimeout": "8",
            "digitEndTimeout": "3",
            "numDigits": "5",
            "finishOnKey": "*",
            "log": "false",
        },
    )
    assert [one.tag for one in root[0]] == ["Speak"]
    assert query(root[1].text or "")["t"].startswith("step.1.2.empty~")


@pytest.mark.parametrize(("first", "between", "written"), [(1.0, 0.5, ("5", "2")), (90.0, 20.0, ("60", "10"))])
def test_times_stay_within_what_the_carrier_takes(first: float, between: float, written: tuple[str, str]) -> None:
    asked = Recognize("1.2", (), digits=DigitInput(1, 5, "", between), initial_silence=first)
    question = verb(Line().says(asked), "GetInput")
    assert (question.get("executionTimeout"), question.get("digitEndTimeout")) == written
    assert question.get("finishOnKey") == "none"


def test_a_menu_is_asked_by_keys_and_words() -> None:
    question = verb(Line().says(MENU), "GetInput")
    assert {name: question.get(name) for name in ("inputType", "hints", "language", "numDigits", "finishOnKey")} == {
        "inputType": "dtmf speech", "hints": "sales", "language": "en-US", "numDigits": "1", "finishOnKey": "none",
    }  # fmt: skip


@pytest.mark.parametrize(("keys", "words", "nested"), [(True, None, True), (True, False, False), (False, True, False)])
def test_what_may_be_interrupted_by_one_kind_alone_is_not_interrupted(
    keys: bool, words: bool | None, nested: bool
) -> None:
    asked = Recognize("1.2", (HELLO,), MENU.choices, barge_in=keys, barge_in_speech=words)
    root = Line().says(asked)
    assert [one.tag for one in root] == (["GetInput", "Redirect"] if nested else ["Speak", "GetInput", "Redirect"])


def test_a_recording_is_one_channel_of_wav() -> None:
    root = Line().says(RECORD)
    assert shown(root[1]) == (
        "Record",
        {
            "action": f"{PUBLIC}/plivo/step",
            "method": "POST",
            "fileFormat": "wav",
            "maxLength": "60",
            "timeout": "5",
            "finishOnKey": "#*",
            "playBeep": "true",
            "callbackUrl": f"{PUBLIC}/plivo/recording",
            "callbackMethod": "POST",
            "recordChannelType": "mono",
        },
    )


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Reject("1.1"), [("Hangup", {"reason": "busy"})]),
        (HangUp("1.1"), [("Hangup", {})]),
        (Answer("1.1"), [("Redirect", {"method": "POST"})]),
    ],
)
def test_a_call_is_taken_declined_or_ended(order: LineCommand, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [shown(one) for one in Line().says(order)] == expected


def test_a_transfer_tells_of_its_progress_and_whispers() -> None:
    line = Line()
    dial = verb(line.says(Play("1.1", (HELLO,)), TRANSFER), "Dial")
    assert shown(dial) == (
        "Dial",
        {
            "action": f"{PUBLIC}/plivo/step",
            "method": "POST",
            "timeout": "20",
            "confirmSound": f"{PUBLIC}/plivo/whisper",
            "callbackUrl": f"{PUBLIC}/plivo/dialled",
            "callbackMethod": "POST",
        },
    )
    assert [(one.tag, one.text) for one in dial] == [("Number", "+43123456")]
    told = line.post(dial.get("confirmSound", ""), {"CallUUID": "the-other-leg"}).reply
    assert told is not None
    assert [(one.tag, one.text) for one in document(told)] == [("Speak", "a caller")]
    (user,) = verb(line.says(Transfer("1.3", "sip:desk@pbx.example")), "Dial")
    assert (user.tag, user.text) == ("User", "sip:desk@pbx.example")


def test_a_pause_and_a_file_are_part_of_a_prompt() -> None:
    root = Line().says(Play("1.1", (Silence(1500), Audio(asset="a" * 64))))
    assert [one.tag for one in root] == ["Speak", "Play", "Redirect"]
    assert root[1].text == f"{PUBLIC}/media/{'a' * 64}.wav"


CLASSES: Mapping[str, Any] = {
    "Response": vendor.ResponseElement, "Speak": vendor.SpeakElement, "Play": vendor.PlayElement,
    "Wait": vendor.WaitElement, "GetInput": vendor.GetInputElement, "Record": vendor.RecordElement,
    "Redirect": vendor.RedirectElement, "Hangup": vendor.HangupElement, "Dial": vendor.DialElement,
    "Number": vendor.NumberElement, "User": vendor.UserElement, "break": vendor.BreakElement,
    "emphasis": vendor.EmphasisElement, "say-as": vendor.SayAsElement,
}  # fmt: skip
IN_ANY_OTHER_NAME = {"interpret-as": "interpret_as"}


def rebuilt(element: Element) -> Any:
    """Return an element as one of the vendor's; it refuses what it does not know, and what may not be in it."""
    name = {**IN_ANY_OTHER_NAME}
    attributes = {
        name.get(one, re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", one)): value
        for one, value in element.attrib.items()
    }
    texts = [] if element.tag in {"Response", "GetInput", "Dial", "Record", "Wait", "Hangup", "break"} else [""]
    made = CLASSES[element.tag](*([element.text or ""] if texts else []), **attributes)
    for inner in element:
        made.add(rebuilt(inner))
    return made


@given(batches())
@settings(max_examples=150, deadline=None)
def test_whatever_is_ordered_the_vendors_classes_know_it(commands: tuple[LineCommand, ...]) -> None:
    root = Line().says(*commands)
    assert rebuilt(root).to_string(False).startswith("<Response")


# --- what is posted --------------------------------------------------------------------------------------------------


def test_a_call_comes_in_with_whole_numbers() -> None:
    received, told = Line().begun.events
    assert received == CallReceived("+4366012345678", "+43123456789", transfers=True)
    assert isinstance(told, LineReported)


def test_short_numbers_stay_as_they_are() -> None:
    assert twiml_fields({"From": "1234", "To": "+4312345678"}) == {"From": "1234", "To": "+4312345678"}


@pytest.mark.parametrize(
    ("order", "fields", "event"),
    [
        (MENU, {"Digits": "1", "InputType": "dtmf"}, ChoiceMade("1.2", "sales", "keys")),
        (MENU, {"Speech": "Sales", "SpeechConfidenceScore": "0.9"}, ChoiceMade("1.2", "sales", "speech")),
        (MENU, {"Speech": "dogs", "SpeechConfidenceScore": "0.5"}, SpeechHeard("1.2", "dogs", 0.5)),
        (DIGITS, {"Digits": "12345", "InputType": "dtmf"}, KeysPressed("1.2", "12345", "count")),
        (DIGITS, {"Digits": "12", "InputType": "dtmf"}, KeysPressed("1.2", "12", "silence")),
        (Play("1.2", (HELLO,)), {}, OperationDone("1.2")),
        (TRANSFER, {"DialStatus": "completed"}, Transferred("1.2")),
        (TRANSFER, {"DialStatus": "busy"}, TransferFailed("1.2", "busy")),
        (TRANSFER, {"DialStatus": "timeout"}, TransferFailed("1.2", "noAnswer")),
        (TRANSFER, {"DialStatus": "cancel"}, TransferFailed("1.2", "noAnswer")),
        (TRANSFER, {"DialStatus": "failed"}, TransferFailed("1.2", "unreachable")),
    ],
)
def test_what_became_of_a_step(order: LineCommand, fields: dict[str, str], event: Event) -> None:
    assert Line().hears(order, "step", **fields)[0] == event


def test_no_answer_is_where_the_document_goes_on() -> None:
    line = Line()
    redirect = line.says(DIGITS)[1].text or ""
    assert line.post(redirect).events == (InputTimedOut("1.2"),)


@pytest.mark.parametrize(
    ("fields", "seconds", "ended"),
    [
        ({"RecordingDuration": "12", "RecordingDurationMs": "11250", "Digits": "#"}, 11.25, "terminator"),
        ({"RecordingDuration": "60", "RecordingDurationMs": "-1"}, 60.0, "limit"),
        ({"RecordingDuration": "-1", "RecordingDurationMs": "x"}, 0.0, "silence"),
    ],
)
def test_a_recording_is_fetched(fields: dict[str, str], seconds: float, ended: Any) -> None:
    line = Line()
    record = verb(line.says(RECORD), "Record")
    kept = {"RecordUrl": "https://media.plivo.com/r/1.wav", "RecordingID": "r-1", **fields}
    exchange = line.post(record.get("action", ""), kept)
    assert exchange.events == (RecordingMade("1.2", seconds, None, ended),)
    assert [(one.op, one.address) for one in exchange.fetches] == [("1.2", "https://media.plivo.com/r/1.wav")]


def test_a_recording_of_a_caller_who_hung_up_comes_later() -> None:
    line = Line()
    record = verb(line.says(RECORD), "Record")
    ended = line.post("/plivo/status", {"CallStatus": "completed", "Event": "Hangup"})
    assert ended.events == (CallEnded("caller"),), "no operation: what it cut off may still come"
    kept = {"RecordUrl": "https://media.plivo.com/r/1.wav", "RecordingID": "r-1", "RecordingDurationMs": "2500"}
    assert line.post(record.get("callbackUrl", ""), kept).events == (RecordingMade("1.2", 2.5, None, "hangup"),)


@pytest.mark.parametrize(("action", "connected"), [("answer", True), ("connected", True), ("hangup", False)])
def test_whoever_is_connected_has_left_when_the_call_ends(action: str, connected: bool) -> None:
    line = Line()
    line.hears(TRANSFER, "dialled", CallUUID="the-other-leg", DialAction=action)
    events = line.post("/plivo/status", {"CallStatus": "completed"}).events
    assert (Transferred("1.2") in events) is connected


def test_a_machine_that_answers_is_told() -> None:
    assert twiml_fields({"Machine": "true"})["AnsweredBy"] == "machine_start"
    assert twiml_fields({"Machine": "false"})["AnsweredBy"] == "human"


# --- signatures ------------------------------------------------------------------------------------------------------

FIELDS = st.dictionaries(st.text("abcXYZ09_", min_size=1, max_size=8), st.text(max_size=12), max_size=6)
QUERIES = st.lists(st.tuples(st.sampled_from("abct"), st.text("abc.~", max_size=8)), max_size=4)


def signed(target: str, fields: Mapping[str, str], *, token: str = TOKEN, nonce: str = "n0nce") -> WebhookRequest:
    """Return a request as the vendor's own package would sign it."""
    whole = construct_post_url(f"{PUBLIC}{target}", dict(fields)).decode()
    signature = get_signature_v3(token, whole, nonce).decode()
    headers = {"content-type": FORM, "x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": nonce}
    return WebhookRequest("POST", urlsplit(target).path, headers, urlencode(fields).encode(), target=target)


def verified(request: WebhookRequest) -> bool:
    verifier = PlivoVerifier(public=PUBLIC, auth_token=TOKEN)
    try:
        asyncio.run(verifier.verify(request, now=NOW))
        verifier.verify_body(request)
    except WebhookError:
        return False
    return True


@given(FIELDS, QUERIES)
@settings(max_examples=200, deadline=None)
def test_what_the_vendor_signs_is_good(fields: dict[str, str], asked: list[tuple[str, str]]) -> None:
    target = "/plivo/step" + (f"?{urlencode(asked)}" if asked else "")
    request = signed(target, fields)
    assert verified(request)
    given_ = request.headers["x-plivo-signature-v3"]
    assert validate_v3_signature("POST", f"{PUBLIC}{target}", "n0nce", TOKEN, given_, dict(fields))


GOOD = signed("/plivo/step?c=1&t=2", {"CallUUID": CALL, "Digits": "1"})


def changed(**headers: str) -> WebhookRequest:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest("POST", GOOD.path, {**GOOD.headers, **names}, GOOD.body, target=GOOD.target)


@pytest.mark.parametrize(
    "forged",
    [
        signed("/plivo/step?c=1&t=2", {"Digits": "1"}, token="another token"),
        WebhookRequest("POST", GOOD.path, GOOD.headers, GOOD.body, target="/plivo/step?c=1&t=3"),
        WebhookRequest("POST", GOOD.path, GOOD.headers, GOOD.body + b"&x=1", target=GOOD.target),
        changed(x_plivo_signature_v3_nonce="another"),
        changed(x_plivo_signature_v3_nonce=""),
        changed(x_plivo_signature_v3_nonce="n" * 2000),
        changed(x_plivo_signature_v3=""),
        changed(x_plivo_signature_v3="é"),
        changed(content_type="application/json"),
    ],
)
def test_what_is_forged_is_refused(forged: WebhookRequest) -> None:
    assert verified(GOOD)
    assert not verified(forged)


def test_one_good_signature_of_several_is_enough() -> None:
    good = GOOD.headers["x-plivo-signature-v3"]
    assert verified(changed(x_plivo_signature_v3=f"AAAA,{good}"))
    assert verified(changed(x_plivo_signature_v3="AAAA", x_plivo_signature_ma_v3=good))


def test_without_a_token_nobody_is_let_in() -> None:
    with pytest.raises(ValueError, match="without a token"):
        PlivoVerifier(public=PUBLIC, auth_token="")
