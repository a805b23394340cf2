"""What jambonz posts, and what it means: a table of examples, the five results that its own Gather gave, and damage."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.jambonz import notes
from ivr.channels.jambonz.hearing import CallOver, NewCall, OtherSideAnswered, StepEnded, events
from ivr.channels.jambonz.reading import read_hook
from ivr.engine.commands import Answer, HangUp, LineCommand, Play, Record, Reject, Transfer
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.errors import WebhookError
from ivr.ports import CallKey, Leg
from tests.jambonz.jambonz_documents import digits, menu
from tests.jambonz.vendor_judges import needs_packages, payload_complaints

KEY = CallKey("jambonz", "acc-1", "call-1")
BASE: dict[str, Any] = {
    "call_sid": "call-1", "account_sid": "acc-1", "application_sid": "app-1", "direction": "inbound",
    "from": "+43660111", "to": "+4319999", "call_id": "sip-1@sbc", "call_status": "in-progress", "sip_status": 200,
    "sip_reason": "OK", "trace_id": "t1",
}  # fmt: skip
RECORD = Record("1.1", (), max_duration=30.0, max_silence=2.0, terminators="#")
TRANSFER = Transfer("1.1", "tel:+431")


def speech(text: str, confidence: float = 0.9) -> dict[str, Any]:
    return {
        "reason": "speechDetected",
        "speech": {
            "language_code": "en-US", "channel_tag": 1, "is_final": True,
            "alternatives": [{"transcript": text, "confidence": confidence}], "vendor": {"name": "google", "evt": {}},
        },
    }  # fmt: skip


def after(command: LineCommand) -> Leg:
    return notes.asking(notes.of_call(KEY), (Answer("1.0"), command))


def heard(command: LineCommand, **result: Any) -> tuple[Event, ...]:
    return events(after(command), StepEnded(command.op, read_hook(json.dumps({**BASE, **result}).encode())))


# What each operation can end with: command, what is posted beside the base, the schema it is of, what it means.
RESULTS: list[tuple[LineCommand, dict[str, Any], str, Event]] = [
    # the five results of jambonz's own Gather
    (digits(), {"digits": "42", "reason": "dtmfDetected"}, "gather", KeysPressed("1.1", "42", "silence")),
    (digits(), {"digits": "7", "reason": "dtmfDetected"}, "gather", KeysPressed("1.1", "7", "silence")),
    (digits(), {"reason": "timeout"}, "gather", InputTimedOut("1.1")),
    (menu(), {"digits": "1", "reason": "dtmfDetected"}, "gather", ChoiceMade("1.1", "sales", "keys")),
    (digits(), {"digits": "1234", "reason": "dtmfDetected"}, "gather", KeysPressed("1.1", "1234", "count")),
    # what its source says besides
    (digits(), {"digits": "", "reason": "dtmfDetected"}, "gather", KeysPressed("1.1", "", "terminator")),
    (
        digits(terminators="#*"),
        {"digits": "12*3", "reason": "dtmfDetected"},
        "gather",
        KeysPressed("1.1", "12", "terminator"),
    ),
    (menu(), {"digits": "9", "reason": "dtmfDetected"}, "gather", InputInvalid("1.1")),
    (menu(), speech("The shop."), "gather", ChoiceMade("1.1", "sales", "speech")),
    (menu(), speech("pizza", 0.4), "gather", SpeechHeard("1.1", "pizza", 0.4)),
    (menu(), {"reason": "stt-low-confidence"}, "gather", InputInvalid("1.1")),
    (
        menu(),
        {"reason": "error", "details": {"error": "no credentials"}},
        "gather",
        OperationFailed("1.1", "system", "no credentials"),
    ),
    (menu(), {"reason": "error"}, "gather", OperationFailed("1.1", "system", "the platform could not listen")),
    (menu(), {}, "session-redirect", InputTimedOut("1.1")),  # the answer could not be posted
    (Play("1.1", ()), {}, "session-redirect", OperationDone("1.1")),
    (RECORD, {"dial_call_duration": 3}, "listen", OperationFailed("1.1", "system", "no sound came for the recording")),
    (RECORD, {"call_status": "completed"}, "listen", CallEnded("caller", "1.1")),
    (TRANSFER, {"dial_call_status": "busy", "dial_sip_status": 486}, "dial", TransferFailed("1.1", "busy", 486)),
    (TRANSFER, {"dial_call_status": "no-answer"}, "dial", TransferFailed("1.1", "noAnswer", 480)),
    (
        TRANSFER,
        {"dial_call_status": "failed", "dial_sip_status": 404},
        "dial",
        TransferFailed("1.1", "unreachable", 404),
    ),
    (TRANSFER, {"dial_call_status": "failed", "dial_sip_status": 603}, "dial", TransferFailed("1.1", "rejected", 603)),
    (TRANSFER, {}, "session-redirect", TransferFailed("1.1", "unreachable")),
    (TRANSFER, {"refer_status": 405}, "base", TransferFailed("1.1", "unsupported", 405)),
    (TRANSFER, {"refer_status": 202}, "base", TransferFailed("1.1", "noAnswer")),
    (
        TRANSFER,
        {"refer_status": 202, "final_referred_call_status": 486},
        "base",
        TransferFailed("1.1", "busy", 486),
    ),
]


@pytest.mark.parametrize(("command", "result", "_schema", "meant"), RESULTS)
def test_results(command: LineCommand, result: dict[str, Any], _schema: str, meant: Event) -> None:
    assert heard(command, **result) == (meant,)


@needs_packages
@pytest.mark.parametrize(("_command", "result", "schema", "_meant"), RESULTS)
def test_the_examples_are_what_jambonz_posts(
    _command: LineCommand, result: dict[str, Any], schema: str, _meant: Event
) -> None:
    assert payload_complaints(schema, {**BASE, **result}) == []


@pytest.mark.parametrize(
    "result",
    [
        {"dial_call_status": "completed", "dial_sip_status": 200},
        {"refer_status": 202, "final_referred_call_status": 200},
    ],
)
def test_who_was_connected_has_left_the_flow(result: dict[str, Any]) -> None:
    assert heard(TRANSFER, **result) == (Transferred("1.1"), CallEnded("caller", "1.1"))


def test_a_transfer_counts_as_soon_as_the_other_side_answers() -> None:
    assert events(after(TRANSFER), OtherSideAnswered()) == (Transferred("1.1"),)
    assert events(after(menu()), OtherSideAnswered()) == ()


def test_a_transfer_that_may_not_be_made_was_rejected() -> None:
    leg = notes.asking(notes.of_call(KEY), (TRANSFER,), refused=True)
    ended = StepEnded("1.1", read_hook(json.dumps(BASE).encode()))
    assert events(leg, ended) == (TransferFailed("1.1", "rejected", 403),)


def test_the_outcome_of_an_earlier_operation_answers_nothing_now() -> None:
    ended = StepEnded("0.9", read_hook(json.dumps({**BASE, "reason": "dtmfDetected", "digits": "1"}).encode()))
    assert events(after(menu()), ended) == (OperationDone("0.9"),)


# --- the call ---


@pytest.mark.parametrize(
    ("number", "caller"), [("+43660111", "+43660111"), ("anonymous", None), ("Anonymous", None), ("", None), (7, None)]
)
def test_a_call_comes_in(number: object, caller: str | None) -> None:
    hook = read_hook(json.dumps({**BASE, "from": number}).encode())
    called = (CallReceived(caller=caller, called="+4319999", transfers=True),)
    assert events(Leg(), NewCall(hook, transfers=True)) == called


@pytest.mark.parametrize(
    ("command", "status", "meant"),
    [
        (menu(), {"call_status": "completed", "call_termination_by": "caller"}, (CallEnded("caller"),)),
        (menu(), {"call_status": "completed", "call_termination_by": "jambonz"}, (CallEnded("system"),)),
        (menu(), {"call_status": "no-answer", "call_termination_by": "caller"}, (CallEnded("caller"),)),
        (
            HangUp("1.1"),
            {"call_status": "completed", "call_termination_by": "jambonz"},
            (OperationDone("1.1"), CallEnded("system")),
        ),
        (HangUp("1.1"), {"call_status": "completed", "call_termination_by": "caller"}, (CallEnded("caller"),)),
        (Reject("1.1"), {"call_status": "failed", "sip_status": 603}, (OperationDone("1.1"), CallEnded("system"))),
    ],
)
def test_a_call_is_over(command: LineCommand, status: dict[str, Any], meant: tuple[Event, ...]) -> None:
    hook = read_hook(json.dumps({**BASE, **status, "duration": 12}).encode())
    assert events(after(command), CallOver(hook)) == meant


# --- damage ---


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"call_sid":"c"}', b'{"call_sid":1,"account_sid":"a"}',
     b'{"call_sid":"../x","account_sid":"a"}', b'{"call_sid":"a/b","account_sid":"a"}',
     b'{"call_sid":"c","account_sid":"' + b"a" * 200 + b'"}'],
)  # fmt: skip
def test_a_body_that_names_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookError) as refused:
        read_hook(body)
    assert refused.value.status == 400


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.floats(allow_nan=False, allow_infinity=False)
)
NAMES = st.sampled_from(("alternatives", "transcript", "confidence", "error"))
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=6)
FIELDS = ("reason", "digits", "speech", "details", "dial_call_status", "dial_sip_status", "refer_status", "call_status",
          "from", "to", "sip_status", "final_referred_call_status", "call_termination_by", "direction")  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON),
    st.sampled_from([menu(), digits(), RECORD, TRANSFER, Play("1.1", ())]),
)
def test_fields_of_any_type_are_an_outcome_and_no_error_of_ours(fields: dict[str, Any], command: LineCommand) -> None:
    hook = read_hook(json.dumps({**BASE, **fields}).encode())
    assert events(after(command), StepEnded("1.1", hook))
    assert events(after(command), CallOver(hook))
    assert events(Leg(), NewCall(hook, transfers=False))
