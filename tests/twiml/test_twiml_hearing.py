"""What a carrier posts, as events: by the step that its address names, and by what is missing."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml.hearing import kept
from ivr.engine.commands import (
    Choice,
    DigitInput,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Reject,
    Text,
    Transfer,
)
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    LineReported,
    OperationDone,
    OperationFailed,
    RecordingMade,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.engine.line_facts import LineFacts
from ivr.errors import WebhookError
from ivr.ports import CallKey, Fetch, Outbound
from tests.twiml.twiml_line import ACCOUNT, CALL, CALLED, PUBLIC, Line, channel, form, query, request, verb

OP = "2.1"
PLAY = Play(OP, (Text("Hello", "female", "en-US"),))
MENU = Recognize(OP, (), choices=(Choice("sales", "1", ("sales",)), Choice("two", "2")))
DIGITS = Recognize(OP, (), digits=DigitInput(1, 4, "#", 3.0))
RECORD = Record(OP, (), 30.0, 3.0, "#")
DIAL = Transfer(OP, "tel:+43123456", None, "a caller")
ADDRESS = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
RECORDED = {"RecordingUrl": ADDRESS, "RecordingSid": "RE1", "RecordingDuration": "7"}

HEARD: list[tuple[LineCommand, Mapping[str, str], tuple[Event, ...]]] = [
    (PLAY, {}, (OperationDone(OP),)),
    (MENU, {"Digits": "1"}, (ChoiceMade(OP, "sales", "keys"),)),
    (MENU, {"Digits": "9"}, (InputInvalid(OP),)),
    (MENU, {"SpeechResult": "Sales.", "Confidence": "0.9"}, (ChoiceMade(OP, "sales", "speech"),)),
    (MENU, {"SpeechResult": "the weather", "Confidence": "0.5"}, (SpeechHeard(OP, "the weather", 0.5),)),
    (MENU, {"SpeechResult": "the weather", "Confidence": "x"}, (SpeechHeard(OP, "the weather"),)),
    (MENU, {}, (InputTimedOut(OP),)),
    (DIGITS, {"Digits": "12", "FinishedOnKey": ""}, (KeysPressed(OP, "12", "silence"),)),
    (DIGITS, {"Digits": "12", "FinishedOnKey": "#"}, (KeysPressed(OP, "12", "terminator"),)),
    (DIGITS, {"Digits": "1234"}, (KeysPressed(OP, "1234", "count"),)),
    (DIGITS, {"Digits": "", "FinishedOnKey": "#"}, (KeysPressed(OP, "", "terminator"),)),
    (DIGITS, {"Digits": ""}, (InputTimedOut(OP),)),
    (DIGITS, {"Digits": "12", "CallStatus": "completed"}, (KeysPressed(OP, "12", "silence"), CallEnded("caller", OP))),
    (DIGITS, {"CallStatus": "completed"}, (CallEnded("caller", OP),)),
    (RECORD, {**RECORDED, "Digits": "#"}, (RecordingMade(OP, 7.0, None, "terminator"),)),
    (RECORD, {**RECORDED, "Digits": ""}, (RecordingMade(OP, 7.0, None, "silence"),)),
    (RECORD, {**RECORDED, "RecordingDuration": "30"}, (RecordingMade(OP, 30.0, None, "limit"),)),
    (RECORD, {**RECORDED, "RecordingDuration": "x"}, (RecordingMade(OP, 0.0, None, "silence"),)),
    (RECORD, {**RECORDED, "RecordingDuration": "0"}, (InputTimedOut(OP),)),
    (RECORD, {**RECORDED, "Digits": "hangup"}, (RecordingMade(OP, 7.0, None, "hangup"), CallEnded("caller", OP))),
    (RECORD, {"Digits": "#"}, (OperationFailed(OP, "system", "the carrier names no recording"),)),
    (DIAL, {"DialCallStatus": "completed"}, (Transferred(OP), CallEnded("caller", OP))),
    (DIAL, {"DialCallStatus": "answered"}, (Transferred(OP), CallEnded("caller", OP))),
    (DIAL, {"DialCallStatus": "busy"}, (TransferFailed(OP, "busy"),)),
    (DIAL, {"DialCallStatus": "no-answer"}, (TransferFailed(OP, "noAnswer"),)),
    (DIAL, {"DialCallStatus": "canceled"}, (TransferFailed(OP, "noAnswer"),)),
    (DIAL, {"DialCallStatus": "failed"}, (TransferFailed(OP, "unreachable"),)),
    (DIAL, {"DialCallStatus": "failed", "DialSipResponseCode": "603"}, (TransferFailed(OP, "rejected", 603),)),
    (DIAL, {"DialCallStatus": "failed", "DialSipResponseCode": "200"}, (TransferFailed(OP, "unreachable"),)),
    (DIAL, {"DialCallStatus": "busy", "CallStatus": "completed"}, (CallEnded("caller", OP),)),
    (HangUp(OP), {}, (OperationDone(OP),)),
]


def step(command: LineCommand) -> tuple[Line, str]:
    """Return a line that was told a command, and the address at which its outcome is told."""
    line = Line()
    root = line.says(command)
    if isinstance(command, HangUp | Reject):
        return line, line.channel._addresses.step(CALL, command.op)
    last = root[-1] if isinstance(command, Play) else next(one for one in root if one.get("action"))
    return line, last.get("action") or last.text or ""


@pytest.mark.parametrize(("command", "fields", "events"), HEARD)
def test_what_became_of_a_step(command: LineCommand, fields: Mapping[str, str], events: tuple[Event, ...]) -> None:
    line, address = step(command)
    assert line.post(address, fields).events == events


def test_a_document_that_went_on_means_silence() -> None:
    for command in (RECORD, DIGITS):
        line = Line("telnyx")
        root = line.says(command)
        assert line.post(root[-1].text or "").events == (InputTimedOut(OP),)


# --- the call --------------------------------------------------------------------------------------------------------


def test_a_call_comes_in() -> None:
    incoming = Line().incoming("/twilio/call", {**CALLED, "ForwardedFrom": "+43555"})
    assert (incoming.key, incoming.id, incoming.starts, incoming.wants) == (
        CallKey("twilio", ACCOUNT, CALL), "call", True, "commands",
    )  # fmt: skip
    assert Line().post("/call", {**CALLED, "ForwardedFrom": "+43555"}).events == (
        CallReceived("+4366012345", "+43123", transfers=True),
        LineReported(LineFacts(kind="twilio", called="+43123", diverted="+43555", withheld=False, transfer=True)),
    )


@pytest.mark.parametrize("caller", ["", "anonymous", "Anonymous", "+266696687", "Restricted"])
def test_a_caller_who_does_not_say_who_calls(caller: str) -> None:
    received = Line().post("/call", {**CALLED, "From": caller}).events[0]
    assert isinstance(received, CallReceived)
    assert received.caller is None


def test_names_are_cut_and_cleaned() -> None:
    received = Line().post("/call", {**CALLED, "From": "sip:a\x00b\n" + "c" * 900}).events[0]
    assert isinstance(received, CallReceived)
    assert received.caller == ("sip:a b " + "c" * 900)[:256]


@pytest.mark.parametrize(
    ("command", "events"),
    [
        (PLAY, (CallEnded("caller", OP),)),
        (RECORD, (CallEnded("caller"),)),
        (DIAL, (CallEnded("caller", OP),)),
        (HangUp(OP), (OperationDone(OP), CallEnded("caller", OP))),
        (Reject(OP), (OperationDone(OP), CallEnded("caller", OP))),
    ],
)
def test_the_end_of_a_call_is_told_by_its_status(command: LineCommand, events: tuple[Event, ...]) -> None:
    line, _ = step(command)
    assert line.post("/status", {"CallStatus": "in-progress"}).events == (LineReported(),)
    assert line.incoming("/twilio/status", {"CallStatus": "completed"}).wants == "ack"
    assert line.post("/status", {"CallStatus": "completed"}).events == events


def test_a_call_that_ends_before_anything_was_said() -> None:
    assert Line().post("/status", {"CallStatus": "no-answer"}).events == (CallEnded("caller"),)


def test_who_hangs_up_after_being_connected_was_transferred() -> None:
    line = Line()
    dial = verb(line.says(DIAL), "Dial")
    told = line.post(dial[0].get("statusCallback") or "", {"CallSid": "CAother", "ParentCallSid": CALL})
    assert told.events == (LineReported(),)
    assert line.post("/status", {"CallStatus": "completed"}).events == (Transferred(OP), CallEnded("caller", OP))


def test_a_document_or_file_that_could_not_be_used_is_a_failure_of_the_step() -> None:
    line, _ = step(PLAY)
    sent = {"ErrorCode": "11200", "ErrorUrl": f"{PUBLIC}/media/x.wav"}
    assert line.post("/fallback", sent).events == (OperationFailed(OP, "system", "error 11200"),)
    assert Line().post("/fallback", {}).events == (OperationFailed(None, "system", ""),)
    names = [line.incoming("/twilio/fallback", sent).id, line.incoming("/twilio/fallback", {"ErrorCode": "1"}).id]
    assert len(set(names)) == 2
    repeated = line.incoming("/twilio/fallback", sent, **{"i-twilio-idempotency-token": "t-1"})
    assert repeated.id == "fallback:t-1"


# --- recordings ------------------------------------------------------------------------------------------------------


def test_a_recording_is_fetched_where_the_carrier_keeps_it() -> None:
    line, address = step(RECORD)
    assert line.post(address, RECORDED).fetches == (Fetch(OP, f"{ADDRESS}.wav"),)


def test_and_deleted_there_if_that_is_set() -> None:
    line = Line(deletes_recordings=True)
    record = verb(line.says(RECORD), "Record")
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE1.json"
    assert line.post(record.get("action") or "", RECORDED).fetches == (
        Fetch(OP, f"{ADDRESS}.wav", Outbound(f"{OP}.delete", "DELETE", path)),
    )
    hostile = {**RECORDED, "RecordingSid": "../../Calls"}
    line.leg = line.channel.speak(line.leg, (Record("3.1", (), 30.0, 3.0, ""),), now=0.0).leg
    (fetch,) = line.post(line.channel._addresses.step(CALL, "3.1"), hostile).fetches
    assert fetch.then is None


def test_of_a_caller_who_has_hung_up_a_recording_is_told_once_by_either_address() -> None:
    late = {**RECORDED, "RecordingStatus": "completed"}
    line, address = step(RECORD)
    told = verb(Line().says(RECORD), "Record").get("recordingStatusCallback") or ""
    assert line.post(told, late).events == ()  # the caller is there: the step itself tells
    line.post("/status", {"CallStatus": "completed"})
    assert line.post(told, {**late, "RecordingStatus": "absent"}).events == ()
    made = line.post(told, late)
    assert made.events == (RecordingMade(OP, 7.0, None, "hangup"),)
    assert made.fetches == (Fetch(OP, f"{ADDRESS}.wav"),)
    again = line.post(address, {**RECORDED, "Digits": "hangup"})
    assert (again.events, again.fetches) == ((), ())
    ids = {line.incoming(told, {**late, "RecordingStatus": word}).id for word in ("absent", "completed")}
    assert len(ids) == 2


@pytest.mark.parametrize("address", ["", "ftp://x/y", "https://x/ y", "https://x/\n", "https://ä/", "h" * 9000])
def test_what_is_no_address_names_no_recording(address: str) -> None:
    assert kept({"RecordingUrl": address}) is None


# --- what is not ours ------------------------------------------------------------------------------------------------


def test_a_step_that_is_not_open_any_more_is_answered_with_nothing() -> None:
    line, address = step(MENU)
    line.says(Play("3.0", ()))
    late = line.post(address, {"Digits": "1"})
    assert late.events == ()
    assert late.reply == line.channel.nothing("commands")


def test_the_message_is_named_by_the_token_of_its_step() -> None:
    line, address = step(MENU)
    assert line.incoming(address, {"Digits": "1"}).id == query(address)["t"] == line.incoming(address, {}).id


@pytest.mark.parametrize(
    ("address", "fields", "status", "code"),
    [
        ("/twilio/step", {}, 403, "address"),
        ("/twilio/step?c=CAother&t=step.2.1~x", {}, 403, "address"),
        ("/twilio/call", {"AccountSid": "AC9"}, 403, "account"),
        ("/twilio/call", {"CallSid": ""}, 400, "bad-id"),
        ("/twilio/call", {"CallSid": "a b"}, 400, "bad-id"),
        ("/twilio/call", {"CallSid": "a" * 129}, 400, "bad-id"),
        ("/twilio/nowhere", {}, 404, "not-found"),
        ("/telnyx/call", {}, 404, "not-found"),
    ],
)
def test_what_is_refused(address: str, fields: Mapping[str, str], status: int, code: str) -> None:
    with pytest.raises(WebhookError) as refused:
        channel().decode(request(address, fields))
    assert (refused.value.status, refused.value.code) == (status, code)


def test_an_address_is_for_its_own_call_place_and_step() -> None:
    _, address = step(MENU)
    for changed in (
        address.replace(CALL, CALL[:-1] + "0"),
        address.replace("step.2.1", "step.2.2"),
        address.replace("/step?", "/whisper?"),
        address.replace("&t=", "&x="),
    ):
        with pytest.raises(WebhookError) as refused:
            channel().decode(request(changed, {"Digits": "1"}))
        assert refused.value.status == 403
    with pytest.raises(WebhookError, match="for another call"):
        channel().decode(request(address, {"CallSid": "CAother"}))


def test_addresses_of_a_call_that_we_make_have_our_own_name_for_it() -> None:
    own = "0123456789abcdef" * 2
    tokens = AddressTokens(b"k" * 32)
    token = tokens.make(CallKey("twilio", ACCOUNT, own), "status.placed")
    (incoming,) = channel().decode(request(f"/twilio/status?c={own}&t={token}", {"CallStatus": "completed"}))
    assert incoming.key.id == own


@pytest.mark.parametrize("body", [b"\xff", b"a=%ff", b"&".join(b"a%d=1" % one for one in range(300)), b"A=1&A=2"])
def test_a_body_that_is_no_form(body: bytes) -> None:
    sent = request("/twilio/call", {})
    with pytest.raises(WebhookError) as refused:
        channel().decode(type(sent)(sent.method, sent.path, sent.headers, body, target=sent.target))
    assert refused.value.status in (400, 403)


@given(st.dictionaries(st.sampled_from([
    "Digits", "SpeechResult", "Confidence", "FinishedOnKey", "RecordingUrl", "RecordingDuration", "RecordingSid",
    "DialCallStatus", "DialSipResponseCode", "CallStatus", "ErrorCode", "RecordingStatus", "From", "To",
]), st.text(st.characters(exclude_categories=["Cs"]), max_size=30)))  # fmt: skip
def test_whatever_is_posted_is_heard(fields: dict[str, str]) -> None:
    for command in (PLAY, MENU, DIGITS, RECORD, DIAL):
        line, address = step(command)
        assert all(getattr(event, "op", OP) == OP for event in line.post(address, fields).events)
        for place in ("/call", "/status", "/fallback"):
            line.post(place, fields)


@given(st.binary(max_size=300))
def test_whatever_is_no_form_is_refused(body: bytes) -> None:
    sent = request("/twilio/call", {})
    try:
        channel().decode(type(sent)(sent.method, sent.path, sent.headers, body, target=sent.target))
    except WebhookError as refused:
        status = refused.status
    else:
        status = 0
    assert status in (400, 403)


def test_a_form_is_taken_at_each_address_and_a_flow_may_be_named_for_a_call() -> None:
    endpoints = {one.path: one for one in channel().endpoints}
    assert set(endpoints) == {
        f"/twilio/{place}" for place in ("call", "step", "recording", "dialled", "whisper", "status", "fallback")
    }
    assert [path for path, one in endpoints.items() if one.named] == ["/twilio/call"]
    assert all(one.bodies == {"form"} for one in endpoints.values())
    assert form({})
