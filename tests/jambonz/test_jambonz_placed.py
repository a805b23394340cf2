"""Calls that jambonz places for us: the order, and what becomes of it until somebody answers, or nobody does."""

import json
from typing import Any

import msgspec
import pytest

from ivr.carriers.jambonz.call_order import read_order
from ivr.channels.jambonz.codec import JambonzChannel
from ivr.engine.commands import Answer, Record, Transfer
from ivr.engine.events import CallAnswered, CallEnded, CallNotAnswered, CallRinging, ChoiceMade, Transferred
from ivr.errors import WebhookError
from ivr.ports import CallKey, Dial, Exchange, Leg, Outbound, WebhookReply
from tests.jambonz.jambonz_documents import menu
from tests.jambonz.jambonz_line import PUBLIC, make_channel, message, request, spoken
from tests.jambonz.vendor_judges import complaints, needs_node, needs_packages, schema_complaints

ID = "0123456789abcdef" * 2
KEY = CallKey("jambonz", "acc-1", ID)
CHANNEL = make_channel(account="acc-1")
OUT: dict[str, Any] = {"call_sid": "call-77", "direction": "outbound", "from": "+4319999", "to": "+4312345"}


def placed(**more: Any) -> Exchange:
    return CHANNEL.place(Dial(ID, "+43 1 2345", **{"caller": "+4319999", **more}), now=0.0)


def ordered(**more: Any) -> dict[str, Any]:
    (order,) = placed(**more).outbound
    assert (order.id, order.method, order.path, order.kind) == (ID, "POST", "/v1/Accounts/acc-1/Calls", "json")
    assert order.answered
    assert isinstance(order.body, dict)
    return order.body


def heard(leg: Leg, address: str, **fields: Any) -> Exchange:
    incoming = message(address, CHANNEL, **{**OUT, **fields})
    assert incoming.key == KEY
    assert not incoming.starts
    return CHANNEL.hear(leg, incoming, now=0.0)


# --- the order ---


def test_an_order_names_whom_to_call_and_who_calls() -> None:
    body = ordered(ring=42.4)
    assert (body["from"], body["to"], body["timeout"]) == ("+4319999", {"type": "phone", "number": "+4312345"}, 42)
    assert body["call_hook"]["method"] == body["call_status_hook"]["method"] == "POST"
    assert body["call_hook"]["url"].startswith(f"{PUBLIC}/jambonz/step?c={ID}&t=answered~")
    assert "amd" not in body
    assert ordered(caller="+43555")["from"] == "+43555"
    (order,) = CHANNEL.place(Dial(ID, "sip:desk@pbx.example", "+431"), now=0.0).outbound
    assert isinstance(order.body, dict)
    assert order.body["to"] == {"type": "sip", "sipUri": "sip:desk@pbx.example"}


@needs_packages
@needs_node
@pytest.mark.parametrize("machine", [False, True])
def test_the_vendor_and_our_jambonz_take_the_order(machine: bool) -> None:
    body = ordered(machine=machine)
    read = read_order(msgspec.json.encode(body))
    assert (read.amd is not None) == machine
    verb = {"verb": "rest:dial", **body}
    assert complaints([{"verbs": [verb]}]) == [None]
    assert schema_complaints([verb]) == []


@pytest.mark.parametrize(
    ("channel", "to", "caller"),
    [(CHANNEL, "everybody", "+431"), (CHANNEL, "+431", None), (make_channel(), "+431", "+431")],
)
def test_what_cannot_be_ordered_says_why(channel: JambonzChannel, to: str, caller: str | None) -> None:
    with pytest.raises(ValueError, match=r"calls numbers|who calls|IVR_JAMBONZ_ACCOUNT_SID"):
        channel.place(Dial(ID, to, caller), now=0.0)


@pytest.mark.parametrize(
    ("status", "events"), [(201, ()), (200, ()), (400, ("failed",)), (500, ("failed",)), (0, ("failed",))]
)
def test_an_order_that_is_refused_will_never_be_a_call(status: int, events: tuple[str, ...]) -> None:
    exchange = CHANNEL.answered(Leg(), Outbound(ID, "POST", "/"), status, b"", now=0.0)
    assert tuple(event.reason for event in exchange.events if isinstance(event, CallNotAnswered)) == events


# --- up to the answer ---


@pytest.mark.parametrize(
    ("status", "sip", "meant"),
    [
        ("ringing", 180, CallRinging()),
        ("early-media", 183, CallRinging()),
        ("busy", 486, CallNotAnswered("busy", 486)),
        ("busy", 603, CallNotAnswered("rejected", 603)),
        ("busy", None, CallNotAnswered("busy")),
        ("no-answer", 487, CallNotAnswered("noAnswer", 487)),
        ("no-answer", None, CallNotAnswered("noAnswer")),
        ("failed", 404, CallNotAnswered("unreachable", 404)),
        ("failed", 405, CallNotAnswered("failed", 405)),
        ("failed", None, CallNotAnswered("failed")),
    ],
)
def test_what_becomes_of_a_call_that_rings(status: str, sip: int | None, meant: object) -> None:
    address = ordered()["call_status_hook"]["url"]
    assert heard(placed().leg, address, call_status=status, sip_status=sip).events == (meant,)


@pytest.mark.parametrize("status", ["trying", "queued", "in-progress"])
def test_other_states_are_no_news(status: str) -> None:
    address = ordered()["call_status_hook"]["url"]
    assert CHANNEL.decode(request(address, **OUT, call_status=status)) == WebhookReply(body=b"[]")


def test_an_answer_begins_the_flow_and_the_end_is_the_calls() -> None:
    body, leg = ordered(), placed().leg
    answered = heard(leg, body["call_hook"]["url"])
    assert answered.events == (CallAnswered("unknown", transfers=True),)
    leg, verbs = spoken(answered.leg, Answer("1.0"), menu("1.1"), channel=CHANNEL)
    assert f"c={ID}&" in verbs[1]["actionHook"]
    chosen = heard(leg, verbs[1]["actionHook"], reason="dtmfDetected", digits="1")
    assert chosen.events == (ChoiceMade("1.1", "sales", "keys"),)
    over = heard(leg, body["call_status_hook"]["url"], call_status="completed", call_termination_by="caller")
    assert over.events == (CallEnded("caller"),)


def test_transfers_and_recordings_of_such_a_call_are_found_by_our_name_for_it() -> None:
    leg = placed().leg
    record = Record("2.1", (), max_duration=30.0, max_silence=2.0, terminators="#")
    _, verbs = spoken(leg, record, channel=CHANNEL)
    assert CHANNEL.listens(verbs[0]["url"].removeprefix("wss://ivr.example")) == (KEY, "2.1")
    transferring, verbs = spoken(leg, Transfer("3.1", "tel:+4355", whisper="Ann"), channel=CHANNEL)
    child = {"call_sid": "call-9", "parent_call_sid": "call-77"}
    told = CHANNEL.decode(request(verbs[0]["confirmHook"], **child))
    assert isinstance(told, WebhookReply)
    assert b"Ann" in told.body
    address = ordered()["call_status_hook"]["url"]
    assert heard(transferring, address, **child, call_status="in-progress").events == (Transferred("3.1"),)


def test_no_address_is_good_for_another_call_or_use() -> None:
    body = ordered()
    hook, status = body["call_hook"]["url"], body["call_status_hook"]["url"]
    other = "f" * 32
    for address in (
        hook.replace(ID, other),
        status.replace(ID, other),
        hook.replace(f"c={ID}&", ""),
        status.replace(f"c={ID}&", ""),
        hook.replace("/step", "/status"),
        status.replace("/status", "/step"),
        status.replace(ID, "../etc"),
    ):
        with pytest.raises(WebhookError) as refused:
            CHANNEL.decode(request(address, **OUT, call_status="busy"))
        assert refused.value.status == 403


# --- who has answered ---


def test_the_call_waits_in_silence_until_it_is_known_who_has_answered() -> None:
    body, leg = ordered(machine=True), placed(machine=True).leg
    waiting = heard(leg, body["call_hook"]["url"])
    assert waiting.events == ()
    assert waiting.reply is not None
    pause, redirect = json.loads(waiting.reply.body)
    assert pause == {"verb": "pause", "length": 20.0}
    assert heard(leg, redirect["actionHook"]).events == (CallAnswered("unknown", transfers=True),)
    assert schema_complaints([pause, redirect]) == []


@pytest.mark.parametrize(
    ("found", "by"),
    [
        ("amd_human_detected", "human"),
        ("amd_machine_detected", "machine"),
        ("amd_no_speech_detected", "unknown"),
        ("amd_decision_timeout", "unknown"),
        ("amd_error", "unknown"),
    ],
)
def test_what_is_found_out_begins_the_flow_once(found: str, by: Any) -> None:
    body, leg = ordered(machine=True), placed(machine=True).leg
    address = body["amd"]["actionHook"]
    assert heard(leg, address, type=found).events == (CallAnswered(by, transfers=True),)
    begun, _ = spoken(leg, menu(), channel=CHANNEL)
    late = heard(begun, address, type=found)
    assert (late.events, late.reply) == ((), WebhookReply(body=b"[]"))


@pytest.mark.parametrize("found", ["amd_machine_stopped_speaking", "amd_tone_detected", "amd_stopped", "", "nonsense"])
def test_other_reports_decide_nothing(found: str) -> None:
    address = ordered(machine=True)["amd"]["actionHook"]
    assert CHANNEL.decode(request(address, **OUT, type=found)) == WebhookReply(body=b"[]")
