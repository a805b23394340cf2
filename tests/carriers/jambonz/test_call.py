"""What jambonz makes of a list of verbs: when it answers, what replaces the list, and how the call ends for the bot."""

import json
from typing import Any

import pytest

from ivr.carriers.jambonz.call_effects import StreamEnded, StreamOpened, StreamText
from ivr.carriers.jambonz.call_machine import HookFailed
from ivr.engine.commands import Audio, Silence, Text
from ivr.line import PromptEnded, PromptFailed, PromptStarted, TransferFailed, Transferred
from ivr.phone.phone_events import Ended, WorkflowRefused
from tests.carriers.jambonz.by_hand import STATUS, ByHand, bot_of, gather

SAY = {"verb": "say", "text": "Hello."}
AWAY = HookFailed("unreachable", "There was no answer.")


def ended(call: ByHand) -> Ended:
    assert call.machine.ended is not None
    return call.machine.ended


# --- how a call begins ------------------------------------------------------------------------------------------------


def test_the_bot_is_asked_with_the_invite_and_the_defaults() -> None:
    payload = ByHand(bot_of([SAY])).posts[0].payload
    assert payload["call_status"] == "trying"
    assert {"sip", "defaults", "call_sid", "from", "to"} <= payload.keys()


def test_the_first_status_comes_after_the_first_answer() -> None:
    call = ByHand(bot_of([SAY]))
    assert call.kinds() == ["call", "status", "status"]
    assert call.statuses == [("trying", 100), ("in-progress", 200)]
    assert {post.hook for post in call.posts[1:]} == {STATUS}


@pytest.mark.parametrize("verb", [SAY, {"verb": "answer"}, gather(), {"verb": "play", "url": "http://127.0.0.1/a.wav"}])
def test_most_verbs_take_the_call(verb: dict[str, Any]) -> None:
    assert ("in-progress", 200) in ByHand(bot_of([verb])).statuses


@pytest.mark.parametrize("verb", [{"verb": "pause", "length": 1}, {"verb": "tag", "data": {}}, {"verb": "config"}])
def test_some_do_not(verb: dict[str, Any]) -> None:
    call = ByHand(bot_of([verb])).after(1)
    assert call.statuses == [("trying", 100)]
    assert ended(call).reason == "reject"


def test_a_verb_may_be_a_property_of_its_own() -> None:
    assert ByHand(bot_of([{"say": {"text": "Hello."}}])).seen(PromptStarted)[0].segments[0] == Text(
        "Hello.", "female", "en-US"
    )


# --- how it is refused, and fails -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [AWAY, [], [{"verb": "bogus"}]])
def test_a_first_hook_that_fails_is_a_failed_call_of_which_no_status_is_told(answer: Any) -> None:
    call = ByHand(bot_of(answer))
    assert call.kinds() == ["call"]
    assert "480" in ended(call).detail


def test_a_call_is_declined_before_it_is_answered() -> None:
    call = ByHand(bot_of([{"verb": "sip:decline", "status": 486, "reason": "Busy here"}]))
    assert call.statuses == [("trying", 100), ("failed", 486)]
    assert ended(call) == Ended("bot", "reject", "SIP 486 Busy here")


def test_it_cannot_be_declined_after_that() -> None:
    call = ByHand(bot_of([{"verb": "answer"}, {"verb": "sip:decline", "status": 486}]))
    assert call.statuses[-1] == ("completed", 200)


def test_a_call_that_was_not_answered_is_not_hung_up_on() -> None:
    call = ByHand(bot_of([{"verb": "hangup"}, SAY]))
    assert len(call.seen(PromptStarted)) == 1


def test_a_document_that_breaks_the_rules_ends_a_redirect() -> None:
    call = ByHand(bot_of([{"verb": "answer"}, {"verb": "redirect", "actionHook": "/next"}], [{"verb": "say"}]))
    assert call.seen(WorkflowRefused)[0].problems == ('[0].say: the property "text" is missing',)
    assert ended(call).reason == "refused"
    assert call.statuses[-1] == ("completed", 200)


def test_a_hook_of_a_question_that_fails_leaves_the_rest_of_the_list() -> None:
    call = ByHand(bot_of([gather(timeout=1), SAY], AWAY)).after(1)
    assert len(call.seen(PromptStarted)) == 1


def test_a_hook_that_answers_with_nothing_leaves_the_rest_of_the_list() -> None:
    call = ByHand(bot_of([gather(timeout=1), SAY], [])).after(1)
    assert len(call.seen(PromptStarted)) == 1


def test_verbs_replace_the_rest_of_the_list() -> None:
    call = ByHand(bot_of([gather(timeout=1), SAY, SAY], [{"verb": "hangup"}])).after(1)
    assert call.seen(PromptStarted) == []
    assert ended(call) == Ended("bot", "hangup")


# --- prompts ----------------------------------------------------------------------------------------------------------


def test_texts_silences_and_marks_are_heard_as_such() -> None:
    texts = ["silence_stream://350", '<speak>One <break time="0.5s"/> &amp; two.</speak>', "Three."]
    synthesizer = {"vendor": "default", "language": "de-DE", "gender": "MALE"}
    call = ByHand(bot_of([{"verb": "say", "text": texts, "synthesizer": synthesizer}]))
    assert call.seen(PromptStarted)[0].segments == (
        Silence(350),
        Text("One", "male", "de-DE"),
        Silence(500),
        Text("& two.", "male", "de-DE"),
        Text("Three.", "male", "de-DE"),
    )


def test_what_cannot_be_spoken_is_passed_over() -> None:
    call = ByHand(bot_of([SAY, SAY])).take(PromptFailed("no voice"))
    assert len(call.seen(PromptStarted)) == 2


def test_a_file_that_cannot_be_played_is_told() -> None:
    play = {"verb": "play", "url": "http://127.0.0.1/a.wav", "actionHook": "/played"}
    call = ByHand(bot_of([play, SAY], [])).take(PromptFailed("404"))
    assert call.seen(PromptStarted)[0].segments == (Audio(url="http://127.0.0.1/a.wav"),)
    assert call.results == [{"reason": "playFailed", "status": "fail"}]
    assert len(call.seen(PromptStarted)) == 2


def test_a_file_is_played_no_longer_than_it_may() -> None:
    play = {
        "verb": "play",
        "url": "http://127.0.0.1/a.wav",
        "actionHook": "/played",
        "timeoutSecs": 2,
        "loop": "forever",
    }
    call = ByHand(bot_of([play])).after(1).take(PromptEnded()).after(1)
    assert call.results[0]["playback_seconds"] == 2
    assert call.results[0]["reason"] == "playCompleted"


# --- listen -----------------------------------------------------------------------------------------------------------

LISTEN = {"verb": "listen", "url": "ws://127.0.0.1:9/rec", "actionHook": "/recorded"}


def test_the_stream_is_told_the_call_in_its_own_spelling_and_what_the_bot_adds() -> None:
    opened = ByHand(bot_of([{**LISTEN, "metadata": {"token": "abc"}}])).seen(StreamOpened)[0]
    first = json.loads(opened.first)
    assert first["sampleRate"] == 8000
    assert first["mixType"] == "mono"
    assert first["token"] == "abc"
    assert first["callSid"].endswith("0001")
    assert first["callStatus"] == "in-progress"


def test_it_is_connected_after_the_beep() -> None:
    call = ByHand(bot_of([{**LISTEN, "playBeep": True}]))
    assert call.seen(StreamOpened) == []
    assert call.seen(PromptStarted)[0].beep
    assert len(call.hears().after(0.25).seen(StreamOpened)) == 1


def streaming(**properties: Any) -> ByHand:
    call = ByHand(bot_of([{**LISTEN, **properties}, SAY], [{"verb": "hangup"}]))
    call.machine.stream_open(call.now)
    call._settle()
    return call


def test_keys_are_passed_on_where_they_are_wanted() -> None:
    assert streaming().presses("5").seen(StreamText) == []
    frame = json.loads(streaming(passDtmf=True).presses("5").seen(StreamText)[0].text)
    assert frame["event"] == "dtmf"
    assert frame["dtmf"] == "5"


def test_the_bot_ends_it() -> None:
    call = streaming().after(4.5)
    call.machine.stream_over(call.now)
    call._settle()
    assert call.results == [{"dial_call_duration": 4}]


def test_its_length_ends_it() -> None:
    call = streaming(maxLength=3).after(3)
    assert call.results == [{"dial_call_duration": 3}]
    assert len(call.seen(StreamEnded)) == 1


def test_its_key_ends_it_and_is_told() -> None:
    assert streaming(finishOnKey="#").after(2).presses("#").results == [{"dial_call_duration": 2, "digits": "#"}]


def test_a_socket_that_cannot_be_connected_is_told_as_an_end() -> None:
    call = ByHand(bot_of([LISTEN], [{"verb": "hangup"}]))
    call.machine.stream_over(call.now, "refused")
    call._settle()
    assert call.results == [{}]


def test_its_hook_is_told_although_the_caller_has_gone() -> None:
    call = streaming().after(2).leaves()
    assert call.kinds()[-2:] == ["status", "action"]
    assert call.posts[-1].payload["call_status"] == "completed"
    assert ended(call) == Ended("caller", "left")


# --- transfers --------------------------------------------------------------------------------------------------------

DIAL = {"verb": "dial", "target": [{"type": "phone", "number": "+15550123"}], "actionHook": "/dialled"}


@pytest.mark.parametrize(
    ("status", "told"),
    [(486, ("busy", 486)), (480, ("no-answer", 487)), (404, ("failed", 404)), (603, ("failed", 603))],
)
def test_who_does_not_answer_is_told(status: int, told: tuple[str, int]) -> None:
    call = ByHand(bot_of([DIAL])).take(TransferFailed(status))
    result = call.results[0]
    assert (result["dial_call_status"], result["dial_sip_status"]) == told


def test_who_answers_talks_and_then_the_bot_goes_on() -> None:
    call = ByHand(bot_of([DIAL], [SAY])).take(Transferred())
    assert call.results == []
    call.after(10)
    assert call.results[0]["dial_call_status"] == "completed"
    assert ended(call.hears()).reason == "transfer"


def test_a_refer_that_succeeds_takes_the_caller_away() -> None:
    refer = {"verb": "sip:refer", "referTo": "sip:desk@127.0.0.1", "actionHook": "/referred"}
    call = ByHand(bot_of([{"verb": "answer"}, refer])).take(Transferred())
    assert call.results == [{"refer_status": 202, "final_referred_call_status": 200}]
    assert call.statuses[-1] == ("completed", 200)
    assert ended(call) == Ended("bot", "transfer")


def test_one_that_fails_leaves_the_caller() -> None:
    refer = {"verb": "sip:refer", "referTo": "sip:desk@127.0.0.1", "actionHook": "/referred"}
    call = ByHand(bot_of([{"verb": "answer"}, refer], [SAY])).take(TransferFailed(486))
    assert call.results == [{"refer_status": 202, "final_referred_call_status": 486}]
    assert len(call.seen(PromptStarted)) == 1


# --- the end ----------------------------------------------------------------------------------------------------------


def test_the_bot_is_told_who_ended_the_call_and_how_long_it_was() -> None:
    last = ByHand(bot_of([SAY])).after(7).leaves().posts[-1].payload
    assert (last["call_termination_by"], last["duration"]) == ("caller", 7)
    last = ByHand(bot_of([SAY])).after(3).hears().posts[-1].payload
    assert (last["call_termination_by"], last["duration"]) == ("jambonz", 3)


def test_a_caller_who_leaves_before_the_answer_has_not_been_answered() -> None:
    call = ByHand(bot_of([{"verb": "pause", "length": 9}])).leaves()
    assert call.statuses == [("trying", 100), ("no-answer", 487)]


def test_data_of_the_bots_own_are_told_from_then_on() -> None:
    call = ByHand(bot_of([{"verb": "tag", "data": {"ticket": 7}}, SAY])).leaves()
    assert call.posts[-1].payload["customerData"] == {"ticket": 7}


def test_a_bot_that_redirects_for_ever_is_hung_up_on() -> None:
    call = ByHand(lambda post: [{"verb": "redirect", "actionHook": "/again"}] if post.awaited else [])
    assert ended(call).reason == "workflows"


def test_a_call_ends_at_its_longest() -> None:
    call = ByHand(bot_of([gather(timeout=0)])).after(4000)
    assert ended(call).reason == "length"
    assert call.statuses[-1] == ("completed", 200)
