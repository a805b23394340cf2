"""Recordings whose audio comes later than the news of them (LANGUAGE C4, C8): the call waits, and misses nothing."""

import pytest

from ivr.engine.commands import FETCH_TIME, Recorded, Request
from ivr.engine.events import CallEnded, HoldNeeded, RecordingMade, RecordingReady, ServiceAnswered, Transcribed
from ivr.engine.flow import Flow
from tests.caller import STARTED, Caller
from tests.flows import flow_of

TRANSCRIBED = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note:
    record: {prompt: speak, transcribe: true, holdPrompt: wait, into: note}
    next: thanks
    on:
      error.recording: {say: "sorry: {{ error.reason }} after {{ note.seconds }} seconds", target: bye}
      error.transcribe: bye
  thanks: {say: "thanks for {{ note.transcript or 'nothing' }} of {{ note.seconds }} seconds", final: true}
  bye: {say: bye, final: true}
""")
PLAYED_BACK = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, into: note}, next: back}
  back: {say: {recording: note}, final: true}
  bye: {say: bye, final: true}
""")
CONFIRMED = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, confirm: "keep it?", into: note}, next: thanks}
  thanks: {say: thanks, final: true}
  bye: {say: bye, final: true}
""")
LEAVING = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
variables: {kept: {type: text, default: nothing}}
states:
  note:
    record: {prompt: speak, into: note}
    next: {set: {kept: "{{ note.seconds }} seconds"}, target: more}
    on: {error.recording: {set: {kept: lost}, target: more}}
  more: {menu: {prompt: more, choices: {yes: {dtmf: "1"}}}, on: {yes: bye, hangup: bye}}
  bye: {say: bye, final: true}
""")


def recorded(flow: Flow, *, seconds: float = 2.5, hangs_up: bool = False) -> Caller:
    """Return a caller whose recording is announced, and on its way."""
    caller = Caller(flow)
    return caller.apply(RecordingMade(caller.op, seconds, None, "hangup" if hangs_up else "terminator"))


def arrives(caller: Caller, seconds: float = 0.0) -> Caller:
    return caller.apply(RecordingReady(caller.job, "a.wav", seconds))


def test_a_call_waits_for_a_recording_that_was_announced_and_orders_nothing() -> None:
    caller = recorded(TRANSCRIBED)
    assert caller.commands == ()
    assert caller.call.deadline == caller.now + FETCH_TIME


def test_its_words_are_asked_for_once_the_audio_is_there() -> None:
    caller = arrives(recorded(TRANSCRIBED))
    assert caller.request.arguments["media"] == "a.wav"
    caller.understood("hello").hears("thanks for hello of 2.5 seconds")


def test_what_was_recorded_can_be_played_once_it_is_there() -> None:
    caller = arrives(recorded(PLAYED_BACK))
    (play, *_) = caller.commands
    assert Recorded("a.wav") in getattr(play, "prompt")  # noqa: B009  # a command of any kind


def test_it_is_confirmed_as_one_that_came_at_once() -> None:
    caller = arrives(recorded(CONFIRMED)).hears("keep it?")
    caller.presses("1").hears("thanks")


@pytest.mark.parametrize(("told", "measured", "kept"), [(2.5, 9.0, "2.5"), (0.0, 3.5, "3.5"), (0.0, 0.0, "0.0")])
def test_the_file_says_how_long_it_is_where_the_line_does_not(told: float, measured: float, kept: str) -> None:
    caller = arrives(recorded(TRANSCRIBED, seconds=told), measured)
    caller.understood("hello").hears(f"thanks for hello of {kept} seconds")


def test_the_caller_is_kept_company_meanwhile() -> None:
    caller = recorded(TRANSCRIBED).holds().hears("wait")
    caller.listens()
    arrives(caller).understood("hello").hears("thanks for hello of 2.5 seconds")


def test_one_that_never_comes_is_an_error_that_a_flow_can_catch() -> None:
    recorded(TRANSCRIBED).not_understood("failed").hears("sorry: failed after 2.5 seconds bye")
    recorded(TRANSCRIBED).not_understood("recording").hears("sorry: recording after 2.5 seconds bye")
    recorded(TRANSCRIBED).waits(FETCH_TIME).hears("sorry: timeout after 2.5 seconds bye")


def test_the_reason_is_told_in_our_words() -> None:
    (failure,) = recorded(TRANSCRIBED).not_understood("failed").last.failures
    assert (failure.event, failure.reason) == ("error.recording", "the recording did not arrive")


def test_nobody_is_kept_company_for_ever() -> None:
    caller = recorded(TRANSCRIBED)
    while caller.call.waiting:
        caller.apply(HoldNeeded())
    caller.hears("sorry: timeout after 2.5 seconds bye")


def test_who_hung_up_after_speaking_has_left_what_arrives_later() -> None:
    caller = arrives(recorded(LEAVING, hangs_up=True))
    assert caller.call.memory.variables["kept"] == "2.5 seconds"
    assert caller.call.outcome == "abandoned"


def test_so_has_who_hung_up_while_it_was_on_its_way() -> None:
    caller = recorded(LEAVING).apply(CallEnded("caller"))
    assert caller.call.phase == "gone"
    assert arrives(caller).call.memory.variables["kept"] == "2.5 seconds"
    assert caller.call.phase == "over"


def test_and_a_recording_that_the_end_of_the_call_had_overtaken_is_waited_for() -> None:
    caller = Caller(LEAVING)
    op = caller.op
    caller.apply(CallEnded("caller", grace=60.0)).apply(RecordingMade(op, 2.5, None, "hangup"))
    assert caller.call.deadline == caller.now + FETCH_TIME
    assert arrives(caller).call.memory.variables["kept"] == "2.5 seconds"


def test_the_flow_of_a_caller_who_has_gone_learns_that_it_never_came() -> None:
    caller = recorded(LEAVING, hangs_up=True).waits(FETCH_TIME)
    assert caller.call.memory.variables["kept"] == "lost"
    assert caller.call.phase == "over"


def test_only_the_recording_that_was_announced_counts_and_once() -> None:
    caller = recorded(TRANSCRIBED)
    job = caller.job
    caller.apply(RecordingReady("9.9", "b.wav")).ignored("no recording is awaited")
    assert caller.last.traced == RecordingReady("?", "b.wav")
    arrives(caller).apply(RecordingReady(job, "c.wav")).ignored("no recording is awaited")
    assert caller.job != job


def test_words_cannot_come_before_the_audio() -> None:
    caller = recorded(TRANSCRIBED)
    early = ServiceAnswered(caller.job, Transcribed("hello"))
    caller.apply(early).ignored("not an answer of the service awaited")
    assert isinstance(arrives(caller).request, Request)
    assert caller.now > STARTED
