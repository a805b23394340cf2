"""Calls that a gateway places for us (protocol 26): the order, and what messages mean before and after the answer."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.commands import Answer, Choice, Recognize
from ivr.engine.destinations import why_not_answered
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallNotAnswered,
    CallReceived,
    CallRinging,
    Event,
    LineReported,
    OperationDone,
)
from ivr.engine.line_facts import LineFacts
from ivr.ports import CallingChannel, Dial, Exchange, Leg, Outbound
from tests.skype.skype_line import CHANNEL, call_state_change, conversation, decoded, result, roster_update

ID = "5f0c2e6f9f6b4a0b8d3a1c2b3d4e5f60"
SIP = {"kind": "sip", "transfer": True, "questions": True}
ESTABLISHED = conversation(callState="established", ivr=SIP)
BUSY = call_state_change("terminated", ivr={"status": 486, "ended": "Busy Here"})


def placed(**changed: Any) -> Exchange:
    return CHANNEL.place(Dial(ID, "+436601234567", **changed), now=0.0)


def told(message: Any, leg: Leg) -> Exchange:
    return CHANNEL.hear(leg, decoded(message), now=0.0)


def events(message: Any, leg: Leg) -> tuple[Event, ...]:
    """Return what happened, but for what the line tells of itself."""
    return tuple(event for event in told(message, leg).events if not isinstance(event, LineReported))


ORDERED = placed().leg
HELD = told(ESTABLISHED, ORDERED).leg


# --- the order --------------------------------------------------------------------------------------------------------


def test_it_places_calls() -> None:
    assert isinstance(CHANNEL, CallingChannel)


def test_an_order_says_whom_to_call_and_names_no_address_of_ours() -> None:
    (order,) = placed(caller="+4315550100", ring=44.6, machine=True, until=120.0).outbound
    body = {"id": ID, "to": "+436601234567", "caller": "+4315550100", "ring": 45}
    assert order == Outbound("place", "POST", "/calls", body, answered=True, once=True, until=120.0)


def test_whom_to_show_is_the_gateways_affair_where_nobody_is_named() -> None:
    (order,) = placed().outbound
    assert msgspec.json.decode(msgspec.json.encode(order.body))["caller"] is None


@pytest.mark.parametrize(
    ("status", "what"),
    [(202, ()), (200, ()), *[(status, (CallNotAnswered("failed"),)) for status in (0, 302, 400, 403, 409, 422, 503)]],
)
def test_an_order_that_was_not_taken_is_a_call_that_failed(status: int, what: tuple[Event, ...]) -> None:
    exchange = placed()
    assert CHANNEL.answered(exchange.leg, exchange.outbound[0], status, b"", now=0.0) == Exchange(exchange.leg, what)


# --- until somebody answers -------------------------------------------------------------------------------------------


def test_that_it_rings_is_told_by_a_notification() -> None:
    assert events(call_state_change("establishing"), ORDERED) == (CallRinging(),)


def test_an_established_conversation_is_the_answer_and_offers_what_the_line_can_do() -> None:
    exchange = told(ESTABLISHED, ORDERED)
    assert exchange.events == (
        CallAnswered(transfers=True),
        LineReported(LineFacts(kind="sip", transfer=True, questions=True)),
    )
    question = Recognize("1.1", (), (Choice("north", "42"), Choice("south", "4")), inter_digit=2.0, terminators="#")
    reply = CHANNEL.speak(exchange.leg, [question], now=0.0).reply
    assert reply is not None
    (asked,) = msgspec.json.decode(reply.body)["actions"]
    assert [choice["dtmfVariation"] for choice in asked["choices"]] == ["42", "4"]


def test_without_an_offer_it_is_answered_all_the_same() -> None:
    assert told(conversation(callState="established"), ORDERED).events == (CallAnswered(),)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, "busy"),
        (600, "busy"),
        (480, "noAnswer"),
        (487, "noAnswer"),
        (603, "rejected"),
        (404, "unreachable"),
        (503, "unreachable"),
        (501, "failed"),
        (407, "failed"),
        (500, "failed"),
    ],
)
@pytest.mark.parametrize("message", [call_state_change("terminated"), conversation(callState="terminated")])
def test_why_nobody_answered_is_the_sip_status(message: Any, status: int, reason: Any) -> None:
    ended = {**message, "ivr": {"status": status, "ended": "words"}}
    assert events(ended, ORDERED) == (CallNotAnswered(reason, status),)
    assert told(ended, ORDERED).events[-1] == LineReported(LineFacts(status=status, ended="words"))


def test_an_end_without_a_status_is_that_nobody_answered() -> None:
    assert events(call_state_change("terminated"), ORDERED) == (CallNotAnswered("noAnswer"),)


def test_other_messages_say_nothing_of_an_answer() -> None:
    assert events(roster_update(), ORDERED) == ()
    assert events(call_state_change("established"), ORDERED) == ()
    assert [type(event) for event in events(conversation(), ORDERED)] == [CallReceived]
    assert events(result("playPromptOutcome"), ORDERED) == (OperationDone("3.2"),)


# --- from the answer on -----------------------------------------------------------------------------------------------


def test_after_the_answer_all_is_as_in_every_call() -> None:
    assert events(call_state_change("establishing"), HELD) == ()
    assert events(BUSY, HELD) == (CallEnded("caller"),)
    last = result("hangupOutcome", state="terminated")
    assert events(last, HELD) == (OperationDone("3.2"), CallEnded("caller", "3.2"))
    assert events(last, ORDERED) == (CallNotAnswered("noAnswer"),), "there is no such message before the answer"


def test_a_call_that_we_did_not_order_knows_no_ringing() -> None:
    assert events(call_state_change("establishing"), Leg()) == ()
    assert events(BUSY, Leg()) == (CallEnded("caller"),)


# --- what starts a call -----------------------------------------------------------------------------------------------


def test_an_answer_never_starts_a_call_and_wants_a_workflow() -> None:
    answer = decoded(ESTABLISHED)
    assert (answer.starts, answer.wants) == (False, "commands")
    assert decoded(conversation()).starts


def test_without_a_header_its_name_is_not_that_of_an_incoming_call() -> None:
    assert decoded(ESTABLISHED, headers={}).id != decoded(conversation(), headers={}).id


@given(
    st.sampled_from([ORDERED, HELD, Leg()]),
    st.sampled_from(["incoming", "establishing", "established", "terminated", "transferring", "hold", "odd", 4]),
    st.sampled_from([conversation, call_state_change]),
    st.dictionaries(st.sampled_from(["status", "transfer", "ended"]), st.integers() | st.text() | st.booleans()),
)
def test_whatever_is_told_fits_what_is_known_of_the_call(leg: Leg, state: Any, message: Any, ivr: Any) -> None:
    sent = conversation(callState=state, ivr=ivr) if message is conversation else call_state_change(state, ivr=ivr)
    exchange = told(sent, leg)
    assert exchange == told(sent, leg)
    happened = [event for event in exchange.events if not isinstance(event, LineReported)]
    assert len(happened) <= 1
    if leg is ORDERED:
        assert not any(isinstance(event, CallEnded) for event in happened)
    else:
        assert not any(isinstance(event, CallNotAnswered | CallRinging) for event in happened)
    for event in happened:
        if isinstance(event, CallNotAnswered):
            assert event.reason == why_not_answered(event.status)
    assert CHANNEL.speak(exchange.leg, [Answer("1.0")], now=0.0).reply is not None
