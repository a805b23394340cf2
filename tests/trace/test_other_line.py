"""A call seen through the limits of another line: what is noticed, where, and that nothing else is."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.channels.skype import SkypeChannel
from ivr.engine.commands import Choice, Text
from ivr.engine.events import (
    CallReceived,
    ChoiceMade,
    InputTimedOut,
    KeysPressed,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.trace import case
from ivr.trace.case import AskedChoices, AskedKeys, AskedRecording, AskedTransfer
from ivr.trace.files import case_files, read_case
from ivr.trace.line_differences import DIFFERENCES
from ivr.trace.line_rules import Moment
from ivr.trace.other_line import is_live_line, noticed

CASES = Path(__file__).parents[2] / "recordings" / "cases"
ALL = Capabilities(
    push=False, recording="with the event", reply_within=5, reject=True, terminators=5, speech=True, languages=None
)
"A line without limits."

KEYS = AskedKeys(("Your number.",), 1, 8, "#*", silence=6, inter_digit=2.5)
SPOKEN_KEYS = replace(KEYS, free="number", type_ahead=True, barge_in_speech=False)
MENU = AskedChoices(("Hello.", "Press 1."), (Choice("one", "1", ("one",)), Choice("two", "22")), silence=5)
RECORDING = AskedRecording(("Speak.",), longest=30, silence=5, pause=0.5, terminators="#", beep=True, format="wma")
TRANSFER = AskedTransfer("sip:a@b.example", 20, "Somebody calls.")


class Example(Struct, frozen=True):
    """A place of a call, a line on which something is noticed there, and what."""

    limited: Capabilities
    moment: Moment
    said: str


def _at(asked: case.Asked, event: case.Happened) -> Moment:
    return Moment("en-US", asked, event)


EXAMPLES: Mapping[str, Example] = {
    "end-keys": Example(
        replace(ALL, terminators=1),
        _at(KEYS, KeysPressed("", "42", "terminator")),
        "only # ends the input at once; after * the line waits for a pause",
    ),
    "one-timer": Example(
        replace(ALL, separate_first_timeout=False),
        _at(KEYS, KeysPressed("", "42", "silence")),
        "after the last key the line waits for 6 s, not 2.5 s",
    ),
    "lone-end-key": Example(
        replace(ALL, lone_terminator=False), _at(KEYS, KeysPressed("", "", "terminator")), "counts as silence"
    ),
    "type-ahead": Example(
        replace(ALL, type_ahead=False),
        _at(SPOKEN_KEYS, KeysPressed("", "42", "count")),
        "keys that were pressed",
    ),
    "barge-in-kinds": Example(
        replace(ALL, barge_in_by_kind=False), _at(SPOKEN_KEYS, SpeechHeard("", "two")), "whoever speaks"
    ),
    "whole-prompt": Example(
        replace(ALL, whole_prompt_interruptible=False), _at(MENU, ChoiceMade("", "one", "keys")), "only the last part"
    ),
    "speech": Example(
        replace(ALL, understands=frozenset({"de"})), _at(MENU, ChoiceMade("", "one", "speech")), "is said in en-US"
    ),
    "other-words": Example(
        replace(ALL, passes_over_words=False), _at(MENU, InputTimedOut("")), "hears at once that it is none"
    ),
    "long-keys": Example(
        replace(ALL, long_keys=False),
        _at(replace(MENU, inter_digit=2), ChoiceMade("", "one", "speech")),
        "only keys count",
    ),
    "free-speech": Example(
        replace(ALL, free_speech=False), _at(SPOKEN_KEYS, SpeechHeard("", "two")), "a value that is said"
    ),
    "no-recording": Example(replace(ALL, recording="none"), Moment("en-US", RECORDING), "nothing can be recorded"),
    "in-writing": Example(replace(ALL, writes=True), _at(RECORDING, case.Recorded(3)), "needs no speech engine"),
    "recording-later": Example(replace(ALL, recording="later"), _at(RECORDING, case.Recorded(3)), "is fetched"),
    "format": Example(
        replace(ALL, recording_formats=frozenset({"wav"})),
        _at(RECORDING, case.Recorded(3)),
        "the recording is kept as wav, not as wma",
    ),
    "silent-recording": Example(
        replace(ALL, tells_silence=False), _at(RECORDING, InputTimedOut("")), "a recording of silence"
    ),
    "end-silence": Example(
        replace(ALL, min_record_silence=3.0),
        _at(RECORDING, case.Recorded(3)),
        "after 3 s of silence, not after 0.5 s",
    ),
    "whole-seconds": Example(replace(ALL, whole_seconds=True), _at(RECORDING, case.Recorded(3)), "0.5 s become 1 s"),
    "transfer": Example(replace(ALL, transfer=False), Moment("en-US", TRANSFER), "failed.unsupported"),
    "transfer-failure": Example(
        replace(ALL, any_transfer_failure=False), _at(TRANSFER, TransferFailed("", "rejected", 603)), "rejected"
    ),
    "whisper": Example(replace(ALL, whisper=False), _at(TRANSFER, Transferred("")), "is not told of the caller"),
    "reject": Example(replace(ALL, rejection="busy"), Moment("en-US", end="reject"), "the caller hears the busy tone"),
    "place-left": Example(
        replace(ALL, tells_place_left=False),
        Moment("en-US", event=case.HungUp(during="play")),
        "is taken to leave at what follows it",
    ),
    "language-told": Example(
        replace(ALL, tells_language=False),
        Moment("en-US", event=CallReceived(None, "28:bot", "de-DE")),
        "the flow begins in en-US",
    ),
    "language": Example(
        replace(ALL, languages=frozenset({"en"})),
        Moment("en-US", heard=("Hello.", Text("Guten Tag.", "female", "de-DE"))),
        "the line does not speak de-DE",
    ),
}


def test_every_difference_has_an_id_of_its_own_and_an_example_here() -> None:
    assert [one.id for one in DIFFERENCES] == list(EXAMPLES)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.id)
def test_a_difference_is_noticed_where_it_matters_and_on_such_a_line_alone(difference: object) -> None:
    (known,) = (one for one in DIFFERENCES if one is difference)
    example = EXAMPLES[known.id]
    assert example.said in (known.at(example.moment, example.limited) or "")
    assert known.at(example.moment, ALL) is None
    assert known.affects(example.limited)
    assert not known.affects(ALL)
    for other in EXAMPLES.values():
        if not known.affects(other.limited):
            assert known.at(example.moment, other.limited) is None


@pytest.mark.parametrize(
    ("id_", "moment"),
    [
        ("end-keys", _at(KEYS, KeysPressed("", "42", "count"))),
        ("end-keys", _at(replace(KEYS, terminators="#"), KeysPressed("", "42", "terminator"))),
        ("one-timer", _at(KEYS, InputTimedOut(""))),
        ("one-timer", _at(KEYS, KeysPressed("", "42", "terminator"))),
        ("type-ahead", _at(SPOKEN_KEYS, InputTimedOut(""))),
        ("barge-in-kinds", _at(KEYS, KeysPressed("", "42", "count"))),
        ("whole-prompt", _at(MENU, InputTimedOut(""))),
        ("speech", _at(MENU, ChoiceMade("", "one", "keys"))),
        ("in-writing", _at(RECORDING, InputTimedOut(""))),
        ("recording-later", _at(RECORDING, case.Recorded(3, "hangup"))),
        ("format", _at(RECORDING, InputTimedOut(""))),
        ("transfer-failure", _at(TRANSFER, TransferFailed("", "busy", 486))),
        ("whisper", _at(TRANSFER, TransferFailed("", "busy", 486))),
        ("reject", Moment("en-US", end="hangup")),
        ("place-left", _at(MENU, case.HungUp(during="recognize"))),
        ("language-told", Moment("en-US", event=CallReceived(None, "28:bot", "en-US"))),
    ],
)
def test_nothing_is_noticed_by_who_did_not_come_across_it(id_: str, moment: Moment) -> None:
    (known,) = (one for one in DIFFERENCES if one.id == id_)
    assert known.at(moment, EXAMPLES[id_].limited) is None


def test_a_rejected_caller_of_a_line_that_cannot_reject_is_answered() -> None:
    (reject,) = (one for one in DIFFERENCES if one.id == "reject")
    at = Moment("en-US", end="reject")
    assert reject.at(at, replace(ALL, reject=False)) == "the call is answered and hung up, not rejected"
    assert reject.at(at, replace(ALL, rejection="announcement")) == "the caller hears an announcement of the carrier"


def test_who_hangs_up_without_a_word_leaves_silence_where_a_line_does_not_tell() -> None:
    (silent,) = (one for one in DIFFERENCES if one.id == "silent-recording")
    at = _at(RECORDING, case.HungUp(during="record"))
    assert "without a word" in (silent.at(at, replace(ALL, tells_silence=False)) or "")
    assert silent.at(at, ALL) is None


def test_a_call_notices_nothing_on_a_line_that_can_do_as_much() -> None:
    for file in case_files([CASES]):
        assert noticed(read_case(file), ALL, ALL) == ()
        assert noticed(read_case(file), SkypeChannel.can, SkypeChannel.can) == ()


def test_where_it_is_noticed_is_told_by_time_and_state() -> None:
    recorded = read_case(CASES / "order-status" / "another-person.jsonl")
    found = noticed(recorded, ALL, replace(ALL, transfer=False))
    assert [(one.difference.id, one.state, one.at) for one in found] == [("transfer", "person", 12.0)]


def test_a_language_that_a_line_does_not_speak_is_told_once_a_call() -> None:
    recorded = read_case(CASES / "appointment" / "ask_phone-says-bitte-geben-sie-die.jsonl")
    found = noticed(recorded, ALL, replace(ALL, languages=frozenset({"en"})))
    assert [one.difference.id for one in found] == ["language"]


def test_what_the_old_line_could_not_do_either_is_no_difference() -> None:
    recorded = read_case(CASES / "order-status" / "another-person.jsonl")
    less = replace(ALL, transfer=False)
    assert noticed(recorded, less, less) == ()
    assert len(noticed(recorded, None, less)) == 1, "it is not known what the old line could do"


def test_calls_that_show_more_than_the_vendors_line_can_do_are_of_a_gateway() -> None:
    assert is_live_line(read_case(CASES / "order-status" / "another-person.jsonl"))
    assert not is_live_line(read_case(next(iter(case_files([CASES / "pin-check"])))))
