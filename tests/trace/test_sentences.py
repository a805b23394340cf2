"""A call in words: what people read in a list, a transcript, a report."""

import pytest

from ivr.engine.call import Taken
from ivr.engine.commands import Audio, Choice, Silence, Text
from ivr.engine.events import (
    CallAnswered,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SpeechHeard,
    Transcribed,
)
from ivr.engine.line_facts import LineFacts
from ivr.trace import case, sentences
from ivr.trace.case import Asked, Happened


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (CallReceived("29:anna", "28:bot"), "the call came in"),
        (
            CallReceived("29:anna", "28:bot", closed={"shop": "", "office": "A pipe has burst."}),
            "the call came in; the operator had closed office, shop",
        ),
        (CallPlaced("+431", "+432"), "the call was placed"),
        (CallPlaced("+431", "+432", closed={"shop": ""}), "the call was placed; the operator had closed shop"),
        (CallAnswered("human"), "a person answered"),
        (CallAnswered("machine"), "an answering machine answered"),
        (CallAnswered(), "the call was answered"),
        (CallNotAnswered("noAnswer"), "nobody answered"),
        (CallNotAnswered("busy", 486), "the other side was busy (486)"),
        (KeysPressed("", "42"), "the caller pressed 42"),
        (KeysPressed("", ""), "the caller pressed only the end key"),
        (KeysJudged("", "refused"), "the caller entered private digits (refused)"),
        (SpeechHeard("", "my issue"), 'the caller said "my issue"'),
        (ChoiceMade("", "issues", "keys"), "the caller chose issues by a key"),
        (ChoiceMade("", "issues", "speech"), "the caller chose issues by speech"),
        (ChoiceMade("", "Technical issues", "keys"), 'the caller chose "Technical issues" by a key'),
        (InputTimedOut(""), "the caller was silent"),
        (InputInvalid(""), "the caller gave an invalid answer"),
        (case.Recorded(2.46), "the caller spoke for 2.5 s"),
        (case.Recorded(2.46, "hangup"), "the caller spoke for 2.5 s and hung up"),
        (case.HungUp(), "the caller hung up"),
        (case.HungUp("system"), "the call was ended by the system"),
        (case.LineFailed("system", "play"), "the line failed (system)"),
        (case.LineFailed("workflow", whole=True), "the line refused the reply (workflow)"),
        (case.Answered("transcribe", Transcribed("hello")), 'transcribe answered "hello"'),
        (case.Answered("transcribe", Transcribed(masked=True)), "transcribe answered"),
        (case.Failed("transcribe", "timeout"), "transcribe failed (timeout)"),
        (case.Arrived(), "the recording arrived"),
        (case.Failed("fetch", "timeout"), "the recording did not arrive (timeout)"),
    ],
)
def test_every_caller_action_can_be_said(event: Happened, said: str) -> None:
    assert sentences.caller_action(event) == said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, "nothing is asked"),
        (
            case.AskedChoices((), (Choice("yes", "1", ("yes", "yeah")), Choice("no", None, ("no",))), 5.0),
            'the caller can choose yes (key 1 or "yes" or "yeah"), no ("no"); may be silent for 5 s',
        ),
        (
            case.AskedKeys((), 4, 4, "#", 9.0, 2.5, barge_in=False),
            (
                "the caller can enter 4 digits, ended by #; "
                "may be silent for 9 s and pause for 2.5 s, and cannot interrupt"
            ),
        ),
        (
            case.AskedKeys((), 0, 8, "", 5.0, 3.0),
            "the caller can enter 0 to 8 digits, ended by a pause; may be silent for 5 s and pause for 3 s",
        ),
        (
            case.AskedChoices(
                (), (Choice("sales", "42"),), 5.0, inter_digit=2.0, barge_in_speech=False, type_ahead=True
            ),
            (
                "the caller can choose sales (key 42); may be silent for 5 s and pause for 2 s, "
                "and can interrupt by keys alone, and can press keys before"
            ),
        ),
        (
            case.AskedKeys((), 1, 1, "", 5.0, 3.0, barge_in=False, barge_in_speech=True, free="yesno"),
            (
                "the caller can enter 1 digits, ended by a pause, or say yes or no; "
                "may be silent for 5 s and pause for 3 s, and can interrupt by words alone"
            ),
        ),
        (
            case.AskedRecording((), 60.0, 5.0, 3.0, "#", beep=True, format="wma"),
            "the caller is recorded for up to 60 s (wma), until 3 s of silence; may be silent for 5 s",
        ),
    ],
)
def test_every_question_can_be_said(asked: Asked | None, said: str) -> None:
    assert sentences.question(asked) == said


def test_what_is_played_reads_as_one_text() -> None:
    played = (
        Text("Hello.", "male", "en-US"),
        Silence(1500),
        Audio(asset="a" * 64),
        Audio(url="https://example.com/a.wav"),
        Audio(asset="b" * 64, text="Music."),
    )
    assert sentences.spoken(played) == (
        "Hello. (1.5 s of silence) (audio aaaaaaaaaaaa) (audio https://example.com/a.wav) Music."
    )


def test_a_difference_that_is_not_in_the_words_is_named() -> None:
    one, other = Text("Hi.", "male", "en-US"), Text("Hi.", "female", "en-GB")
    assert sentences.differing([one], [other]) == "voice male is now female, language en-US is now en-GB"
    assert sentences.differing([Audio(asset="a" * 64)], [Audio(asset="b" * 64)]) == (
        "asset aaaaaaaaaaaa is now bbbbbbbbbbbb"
    )
    assert sentences.differing([one], [one]) is None


def test_a_path_and_a_time_are_short() -> None:
    assert sentences.path([Taken("", "called", 0, "main"), Taken("main", "hangup")]) == "main → hangup: the end"
    assert [sentences.clock(seconds) for seconds in (0.0, 9.99, 75.0, 3600.0)] == ["0:00", "0:09", "1:15", "60:00"]
    assert sentences.services(()) == "no service"


def test_no_time_is_negative_though_a_clock_may_have_been_set_back() -> None:
    assert [sentences.clock(seconds) for seconds in (-0.5, -2.0, -6_480_059.0)] == ["0:00"] * 3


@pytest.mark.parametrize(
    ("facts", "short", "full"),
    [
        (LineFacts(), "", ""),
        (LineFacts(kind="sip"), "sip", "sip"),
        (LineFacts(trunk="192.0.2.7:5060"), "192.0.2.7:5060", "from 192.0.2.7:5060"),
        (LineFacts(codec="opus", encrypted=True), "opus", "opus, encrypted"),
        (
            LineFacts(kind="sip", withheld=True, transfer=True, diverted="+4930"),
            "sip",
            "sip, diverted from +4930, number withheld, transfer offered",
        ),
        (LineFacts(kind="sip", withheld=False, transfer=False), "sip", "sip"),
        (LineFacts(loss=0.0, packets=0, jitter=0.0), "0 % lost", "0 packets of sound, 0 % lost, 0 ms jitter"),
        (LineFacts(ended="no audio for 30 s"), "", "ended: no audio for 30 s"),
        (LineFacts(ended="Busy Here", status=486), "", "ended: Busy Here, SIP status 486"),
    ],
)
def test_a_line_is_told_in_a_list_and_in_full(facts: LineFacts, short: str, full: str) -> None:
    assert (sentences.line_in_short(facts), sentences.line_in_full(facts)) == (short, full)
