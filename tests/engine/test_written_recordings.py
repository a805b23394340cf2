"""A caller on a line in writing writes what others would say (LANGUAGE C4): words without audio."""

from ivr.engine.commands import Recorded
from ivr.engine.events import ChoiceMade, SpeechHeard
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note:
    record: {prompt: speak, transcribe: true, into: note%s}
    next: thanks
    on: {error.transcribe: bye}
  thanks: {say: %s, final: true}
  bye: {say: bye, final: true}
"""
HEARD = """["thanks for {{ note.transcript or 'nothing' }} of {{ note.seconds }} seconds", {recording: note}]"""
OPEN = flow_of(FLOW % ("", HEARD))
CONFIRMED = flow_of(FLOW % (', confirm: "keep it?"', """'thanks for {{ note.transcript or "" }}'"""))
PRIVATE = flow_of(FLOW % (", sensitive: true", "thanks"))
PRIVATE_CONFIRMED = flow_of(FLOW % (', sensitive: true, confirm: "keep it?"', "thanks"))


def writes(caller: Caller, words: str) -> Caller:
    return caller.apply(SpeechHeard(caller.op, words))


def test_what_is_written_is_the_transcript_and_no_speech_engine_is_asked() -> None:
    told, again = writes(Caller(OPEN), "call me back").commands[0].prompt
    assert told.value == "thanks for call me back of 0.0 seconds"
    assert again == Recorded("", "call me back")


def test_it_is_confirmed_like_a_recording() -> None:
    caller = writes(Caller(CONFIRMED), "call me back").hears("keep it?")
    caller.apply(ChoiceMade(caller.op, "yes", "keys")).hears("thanks for call me back")


def test_c12_sensitive_words_are_not_traced_and_a_trace_without_them_replays_the_same() -> None:
    caller = writes(Caller(PRIVATE), "my secret")
    assert isinstance(caller.last.traced, SpeechHeard)
    assert caller.last.traced.text == ""
    again = writes(Caller(PRIVATE), "")
    assert (again.commands, again.last.path) == (caller.commands, caller.last.path)


def test_c12_that_sensitive_words_are_right_or_wrong_is_no_secret() -> None:
    for word, kept in (("yes", "yes"), ("no", "no"), ("my secret", "")):
        caller = writes(writes(Caller(PRIVATE_CONFIRMED), "my secret"), word)
        assert isinstance(caller.last.traced, SpeechHeard)
        assert caller.last.traced.text == kept
