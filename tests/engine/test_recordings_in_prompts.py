"""`{recording: x}`: what the caller has recorded is heard where the author wants it (LANGUAGE C9)."""

from ivr.engine.commands import Play, Recorded, Text
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: review
initial: leave
variables: {second: {type: recording, default: none}}
on: {exhausted: bye, error: bye}
states:
  leave:
    record: {prompt: Speak., transcribe: true, into: message}
    next: hear
    on: {error.transcribe: hear}
  hear: {say: ["You said:", {recording: message}, {guard: visits.hear == 1, recording: second}], next: bye}
  bye: {say: Bye., final: true}
"""


def heard(caller: Caller) -> Play:
    play = caller.commands[0]
    assert isinstance(play, Play)
    return play


def test_a_recording_is_heard_with_its_words_for_transcripts() -> None:
    caller = Caller(flow_of(FLOW)).speaks(media="a.wma").understood("call me back")
    assert heard(caller).prompt[:2] == (Text("You said:", "male", "en-US"), Recorded("a.wma", "call me back"))


def test_one_without_words_is_heard_as_well_and_one_that_was_never_made_is_left_out() -> None:
    caller = Caller(flow_of(FLOW)).speaks(media="a.wma").not_understood()
    assert [type(one).__name__ for one in heard(caller).prompt] == ["Text", "Recorded", "Text"]
    assert heard(caller).prompt[1] == Recorded("a.wma")
