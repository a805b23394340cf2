"""What a line does in another way than the flow wants is a warning with its place, and refuses nothing."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.channels.skype import SkypeChannel
from ivr.channels.twiml import PROFILES
from ivr.flowfile.load import load_flow
from tests.flowfile.reading import load

WHOLE = """
flow: example
languages: [en-US, de-DE]
initial: pin
on: {exhausted: bye, error: bye, failed: bye}
states:
  pin:
    digits:
      prompt: [{en-US: Your pin., de-DE: Ihre PIN.}, {en-US: Please., de-DE: Bitte.}]
      minDigits: 0
      terminators: "#*"
      initialSilence: 7.5s
      interDigit: 2.5s
    next: room
  room:
    menu:
      prompt: {en-US: "Press 4 2.", de-DE: "Dr\u00fccken Sie 4 2."}
      choices: {hall: {dtmf: "42"}}
      interDigit: 1.5s
      terminators: "#*"
    on: {hall: message}
  message:
    record:
      prompt: {en-US: Speak., de-DE: Sprechen Sie.}
      terminators: "#*1"
      maxDuration: 60.5s
      maxSilence: 1.5s
      format: mp3
    next: connect
  connect:
    transfer: {to: "+43 1 234567", timeout: 20.5s, whisper: a caller}
    on: {failed.rejected: no}
  no: {say: {en-US: No., de-DE: Nein.}, final: true, outcome: unresolved}
  bye: {say: {en-US: Goodbye., de-DE: Auf Wiedersehen.}, final: true, outcome: unresolved}
"""
REJECTING = """
flow: example
initial: start
states:
  start: {decide: [{guard: call.from, target: bye}, no]}
  no: {reject: {}}
  bye: {say: Goodbye., final: true}
"""
ALL = replace(
    SkypeChannel.can, languages=None, transfer=True, barge_in_by_kind=True, type_ahead=True, free_speech=True,
    long_keys=True,
)  # fmt: skip


def warned(whole: str = WHOLE, **can: Any) -> list[str]:
    found = [one for one in load(whole, channel=replace(ALL, **can)).findings if one.code == "channel"]
    assert not any(one.is_error for one in found)
    return [f"{one.line}: {one.message}" for one in found]


ONE_TIME = "The channel has one time for the first key and between keys: the longer of the two."
LATER = "After another key than the first of these the channel waits for the pause between keys."
ROUNDED = "The channel knows whole seconds alone: this is rounded up."


@pytest.mark.parametrize(
    ("can", "found"),
    [
        ({}, []),
        ({"terminators": 1, "later_terminators": True}, [f"11: {LATER}", f"20: {LATER}"]),
        ({"separate_first_timeout": False}, [f"12: {ONE_TIME}", f"19: {ONE_TIME}"]),
        ({"lone_terminator": False}, ["10: The channel does not tell an end key alone from silence."]),
        ({"whole_seconds": True}, [f"{line}: {ROUNDED}" for line in (12, 13, 19, 26, 27, 31)]),
        (
            {"whole_prompt_interruptible": False},
            ["9: On this channel only the last part of the prompt can be interrupted."],
        ),
        ({"recording_formats": frozenset({"wav"})}, ["28: On this channel recordings are not mp3, but wav."]),
        (
            {"separate_record_silence": False},
            ["27: The channel has one silence for the beginning and the end of a recording: the longer of the two."],
        ),
        (
            {"min_record_silence": 3.0},
            ["27: A silence that ends a recording has 3 seconds or more on this channel."],
        ),
        (
            {"tells_silence": False},
            ['23: The channel does not notice that nothing is said: it records until "maxDuration".'],
        ),
        ({"whisper": False}, ["31: On this channel whoever answers is not told of the caller."]),
        (
            {"any_transfer_failure": False},
            ['32: The channel does not tell that a call was declined: "failed.rejected" is not raised.'],
        ),
        (
            {"writes": True},
            ["23: On this channel the caller may write instead of speaking: then there are words, and no audio."],
        ),
        ({"tells_language": False}, ["3: The channel does not tell the caller's language: calls begin in en-US."]),
    ],
)
def test_each_place_is_named(can: dict[str, Any], found: list[str]) -> None:
    assert warned(**can) == found


def test_more_keys_than_a_line_has_for_the_end_of_a_recording_are_refused() -> None:
    found = load(WHOLE, channel=replace(ALL, record_terminators=2)).findings
    assert [(one.line, one.message, one.is_error) for one in found if one.code == "channel"] == [
        (25, "The channel supports 2 terminators, not 3.", True)
    ]


@pytest.mark.parametrize(
    ("can", "found"),
    [
        ({}, []),
        ({"rejection": "busy"}, ["6: On this channel a caller who is rejected hears the busy tone."]),
        (
            {"rejection": "announcement"},
            ["6: On this channel a caller who is rejected hears an announcement of the carrier."],
        ),
    ],
)
def test_how_a_line_rejects(can: dict[str, Any], found: list[str]) -> None:
    assert warned(REJECTING, **can) == found


def test_in_writing_a_file_needs_words() -> None:
    heard = """
flow: example
initial: start
states:
  start: {say: [{audio: "https://a.example/a.wav", text: Hello.}, {audio: "https://a.example/b.wav"}], next: bye}
  bye: {say: Goodbye., final: true}
"""
    assert warned(heard) == []
    assert warned(heard, writes=True) == ["5: On this channel a file is a link, unless it says what is in it."]


def test_a_line_that_rejects_nothing_is_told_of_once() -> None:
    found = load(REJECTING, channel=replace(ALL, reject=False, rejection="busy")).findings
    assert [one.message for one in found if one.code == "channel"] == ['The channel does not support "reject".']


def test_a_language_alone_has_not_to_be_told() -> None:
    assert warned(REJECTING, tells_language=False) == []


@pytest.mark.parametrize("can", [profile.can for profile in PROFILES.values()], ids=list(PROFILES))
def test_the_shipped_flows_answer_on_lines_of_twiml_unchanged(can: Capabilities) -> None:
    flows = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
    assert len(flows) > 5
    for flow in flows:
        found = load_flow(flow, lines={"": can}).findings
        assert [one.message for one in found if one.is_error] == [], flow.name
