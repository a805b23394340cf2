"""The channel: one message has one name however often it comes, and no address is good for anything else."""

from typing import Any

import pytest

from ivr.channels.jambonz.codec import JambonzChannel
from ivr.engine.commands import Answer, Play, Record, Recorded, Transfer
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    InputTimedOut,
    OperationDone,
    RecordingMade,
    TransferFailed,
    Transferred,
)
from ivr.errors import WebhookError
from ivr.ports import Leg, Upload, WebhookReply
from tests.jambonz.jambonz_documents import menu, said
from tests.jambonz.jambonz_line import CHANNEL, KEY, PUBLIC, begun, make_channel, message, request, spoken

RECORD = Record("2.1", (said("Speak."),), max_duration=30.0, max_silence=2.0, terminators="#")


def refusal(address: str, channel: JambonzChannel = CHANNEL, **fields: Any) -> tuple[int, str]:
    with pytest.raises(WebhookError) as refused:
        channel.decode(request(address, **fields))
    return refused.value.status, refused.value.code


def test_a_call_opens_a_call() -> None:
    incoming = message("/jambonz/call/front-desk")
    assert (incoming.key, incoming.id, incoming.starts, incoming.wants) == (KEY, "call", True, "commands")
    heard = CHANNEL.hear(Leg(), incoming, now=0.0)
    assert heard.events == (CallReceived(caller="+43660111", called="+4319999", transfers=True),)


def test_only_the_account_that_is_set_is_served() -> None:
    channel = make_channel(account="acc-1")
    assert message("/jambonz/call", channel).key == KEY
    assert refusal("/jambonz/call", channel, account_sid="acc-2") == (403, "account")


def test_the_outcome_comes_to_the_address_of_its_step() -> None:
    leg, verbs = spoken(begun(), Answer("1.0"), menu("1.1"))
    address = verbs[1]["actionHook"]
    assert address.startswith(f"{PUBLIC}/jambonz/step?t=")
    assert address.endswith("#rc=2&rp=ct,rt,5xx")
    assert verbs[-1] == {"verb": "redirect", "actionHook": address}
    answered = message(address, reason="dtmfDetected", digits="2")
    assert CHANNEL.hear(leg, answered, now=0.0).events == (ChoiceMade("1.1", "support", "keys"),)
    assert (answered.starts, answered.wants) == (False, "commands")


def test_the_step_that_is_asked_for_after_a_lost_result_is_the_same_message() -> None:
    leg, verbs = spoken(begun(), menu("1.1"))
    lost = message(verbs[-1]["actionHook"])
    assert lost.id == message(verbs[0]["actionHook"], reason="timeout").id
    assert CHANNEL.hear(leg, lost, now=0.0).events == (InputTimedOut("1.1"),)


def test_a_token_is_good_for_its_call_and_its_use_alone() -> None:
    _, verbs = spoken(begun(), menu("1.1"))
    address: str = verbs[0]["actionHook"]
    assert refusal(address, call_sid="call-2") == (403, "token")
    assert refusal(address, account_sid="acc-2") == (403, "token")
    assert refusal(address.replace("t=1.1", "t=1.2")) == (403, "token")
    assert refusal("/jambonz/step") == (403, "token")
    assert refusal("/jambonz/step?t=") == (403, "token")
    token = address.partition("t=")[2].partition("#")[0]
    assert refusal(f"/jambonz/step?t={token}&t={token}") == (403, "token")
    _, verbs = spoken(begun(), RECORD)
    assert refusal(f"/jambonz/step?t={verbs[1]['url'].rpartition('/')[2]}") == (403, "token")
    assert CHANNEL.listens(f"/jambonz/listen/acc-1/call-1/{token}") is None


def test_what_comes_too_late_for_its_step_answers_nothing() -> None:
    leg, verbs = spoken(begun(), menu("1.1"))
    leg, _ = spoken(leg, menu("2.1"))
    late = message(verbs[0]["actionHook"], reason="dtmfDetected", digits="1")
    assert CHANNEL.hear(leg, late, now=0.0).events == (OperationDone("1.1"),)


# --- status ---


@pytest.mark.parametrize("status", ["trying", "ringing", "early-media", "in-progress", "queued", "nonsense", None])
def test_a_call_that_goes_on_is_no_news(status: str | None) -> None:
    assert CHANNEL.decode(request("/jambonz/status", call_status=status)) == WebhookReply(body=b"[]")


def test_the_end_of_a_call_wants_no_verbs() -> None:
    over = message("/jambonz/status", call_status="completed", call_termination_by="caller", duration=9)
    assert (over.key, over.id, over.wants, over.starts) == (KEY, "status:completed", "ack", False)
    assert CHANNEL.hear(begun(), over, now=0.0).events == (CallEnded("caller"),)


def test_of_somebody_who_is_rung_only_the_answer_counts() -> None:
    child: dict[str, Any] = {"call_sid": "call-9", "parent_call_sid": "call-1", "direction": "outbound"}
    for status in ("trying", "ringing", "completed", "failed"):
        assert isinstance(CHANNEL.decode(request("/jambonz/status", **child, call_status=status)), WebhookReply)
    answered = message("/jambonz/status", **child, call_status="in-progress")
    assert (answered.key, answered.wants) == (KEY, "ack")
    leg, _ = spoken(begun(), Transfer("1.0", "tel:+4312345"))
    assert CHANNEL.hear(leg, answered, now=0.0).events == (Transferred("1.0"),)


def test_there_is_always_json_to_be_read() -> None:
    assert CHANNEL.nothing("ack").body == b"[]"
    assert CHANNEL.nothing("commands").body == b'[{"verb":"hangup"}]'
    exchange = CHANNEL.speak(begun(), (), now=0.0)
    assert exchange.reply == CHANNEL.nothing("commands")


# --- transfers ---


def test_who_may_not_be_called_is_not_called() -> None:
    leg, verbs = spoken(begun(), Play("1.0", (said("One moment."),)), Transfer("1.1", "tel:+8812345"))
    assert [verb["verb"] for verb in verbs] == ["say", "redirect"]
    refused = message(verbs[-1]["actionHook"])
    assert CHANNEL.hear(leg, refused, now=0.0).events == (TransferFailed("1.1", "rejected", 403),)


def test_whoever_answers_hears_the_whisper_and_nothing_else() -> None:
    _, verbs = spoken(begun(), Transfer("1.0", "tel:+4312345", whisper="A call from Ann & <Bob>"))
    hook = verbs[0]["confirmHook"]
    child: dict[str, Any] = {"call_sid": "call-9", "parent_call_sid": "call-1"}
    told = CHANNEL.decode(request(hook, **child))
    assert isinstance(told, WebhookReply)
    assert b'"text":"A call from Ann & Bob"' in told.body
    assert refusal(hook.replace("Ann", "Eve"), **child) == (403, "token")
    assert refusal(hook, call_sid="call-9", parent_call_sid="call-2") == (403, "token")


# --- recordings ---


def test_a_recording_is_the_message_of_its_step() -> None:
    leg, verbs = spoken(begun(), RECORD)
    assert verbs[1]["url"].startswith("wss://ivr.example/jambonz/listen/acc-1/call-1/")
    assert CHANNEL.listens(verbs[1]["url"].removeprefix("wss://ivr.example")) == (KEY, "2.1")
    wanted = CHANNEL.wanted(leg)
    assert wanted is not None
    assert (wanted.op, wanted.max_duration, wanted.terminators, wanted.prompt) == ("2.1", 30.0, "#", ())
    made = RecordingMade("2.1", 3.0, "a.wav", "terminator")
    recorded = CHANNEL.recorded(KEY, "2.1", (made,), Upload("a.wav", 9, "audio/wav"))
    assert recorded.id == message(verbs[1]["actionHook"]).id
    assert CHANNEL.hear(leg, recorded, now=0.0).events == (made,)


def test_where_no_recording_is_asked_for_none_is_wanted() -> None:
    assert CHANNEL.wanted(begun()) is None
    assert CHANNEL.wanted(spoken(begun(), menu())[0]) is None


@pytest.mark.parametrize(
    "path", ["/jambonz/listen/", "/jambonz/listen/a/b", "/jambonz/listen/a/b/c", "/jambonz/listen/a/b/c/d", "/x"]
)
def test_an_address_that_was_not_given_out_opens_no_socket(path: str) -> None:
    assert CHANNEL.listens(path) is None


def test_a_plain_address_has_plain_sockets() -> None:
    channel = make_channel(public="http://127.0.0.1:8080/")
    _, verbs = spoken(begun(channel), RECORD, channel=channel)
    assert verbs[1]["url"].startswith("ws://127.0.0.1:8080/jambonz/listen/acc-1/")


def test_what_callers_have_recorded_is_played_where_it_can_be_fetched() -> None:
    prompt = (Recorded("r.wav"),)
    assert spoken(begun(), Play("1.0", prompt))[1][0] == {"verb": "play", "url": f"{PUBLIC}/recordings/r.wav"}
    channel = make_channel(recording=None)
    assert [verb["verb"] for verb in spoken(begun(channel), Play("1.0", prompt), channel=channel)[1]] == ["redirect"]


def test_nothing_is_kept_time_of() -> None:
    leg = begun()
    assert CHANNEL.tick(leg, now=9.0).leg == leg
    assert CHANNEL.tick(leg, now=9.0).wake is None
