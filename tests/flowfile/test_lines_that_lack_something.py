"""What a flow does without on the line that it is checked for is a warning with its place (LANGUAGE C17)."""

from typing import Any

from msgspec.structs import replace

from ivr.channels.skype import SkypeChannel
from tests.flowfile.reading import load

WHOLE = """
flow: example
initial: rooms
on: {exhausted: bye, error: bye, failed: bye}
states:
  rooms:
    menu:
      prompt: For the hall, press 4 2, or say hall. To pay, press 1, or say pay.
      choices: {hall: {dtmf: "42", speech: [hall]}, pay: {dtmf: "1", speech: [pay]}}
      bargeIn: {keys: true, speech: false}
      typeAhead: true
    on: {hall: connect, pay: amount}
  amount: {ask: {prompt: How many?, speech: number}, next: bye}
  connect: {transfer: {to: "+43 1 234567"}}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
NAMES = ("transfer", "barge_in_by_kind", "type_ahead", "free_speech", "long_keys")


def warned(whole: str = WHOLE, /, **can: Any) -> list[str]:
    """Return what is said of a line that can do this beside what Skype's can."""
    found = load(whole, channel=replace(SkypeChannel.can, **can)).findings
    assert {each.code for each in found} <= {"channel"}
    assert not any(each.is_error for each in found)
    return [f"{each.line}: {each.message}" for each in found]


def test_skypes_line_does_without_all_of_it() -> None:
    assert warned() == [
        "9: The channel does not understand speech in a menu with choices of several keys: only keys count.",
        "10: The channel does not tell keys from speech here: whatever keys may do, speech may, too.",
        "11: The channel does not keep keys that are pressed before the question.",
        "13: The channel does not understand values that are said: only keys count.",
        "14: The channel does not transfer calls: the state raises failed.unsupported at once.",
    ]


def test_a_line_that_can_do_it_is_warned_of_nothing() -> None:
    assert warned(**dict.fromkeys(NAMES, True)) == []


def test_each_is_told_apart() -> None:
    for name in NAMES:
        assert len(warned(**dict.fromkeys(NAMES, True) | {name: False})) == 1


def test_a_value_that_is_said_needs_a_language_whose_words_are_known() -> None:
    italian = WHOLE.replace("initial: rooms", "language: it-IT\ninitial: rooms")
    assert warned(italian, languages=None, **dict.fromkeys(NAMES, True)) == [
        "14: Values that are said in it-IT are not understood: only keys count.",
    ]
