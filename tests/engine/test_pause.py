"""`pause` waits in silence, tells the line nothing but a prompt, and goes on (LANGUAGE C4)."""

from ivr.engine.commands import Answer, HangUp, Play, Silence, Text
from ivr.engine.events import CallEnded, KeysPressed, OperationDone
from ivr.flowfile.actions import word_of
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: pen
initial: wait
on: {error: bye}
states:
  wait: {pause: 2s, next: ask}
  ask: {digits: {prompt: Key it.}, on: {digits: think, exhausted: bye}}
  think: {pause: 1.5s, next: bye, on: {hangup: left}}
  bye: {pause: 100ms, final: true}
  left: {pause: 1s, next: bye}
"""


def test_a_pause_is_a_prompt_of_silence_and_goes_on_at_once() -> None:
    caller = Caller(flow_of(FLOW))
    answer, play, _ = caller.commands
    assert isinstance(answer, Answer)
    assert isinstance(play, Play)
    assert play.prompt == (Silence(2000),)
    assert [taken.event for taken in caller.last.path] == ["called", "done"]


def test_what_is_silent_one_after_another_is_one_prompt_and_the_last_one_ends_the_call() -> None:
    play, hang_up = Caller(flow_of(FLOW)).presses("1").commands
    assert isinstance(play, Play)
    assert play.prompt == (Silence(1500), Silence(100))
    assert isinstance(hang_up, HangUp)


def test_silence_stands_between_what_is_said() -> None:
    flow = flow_of("""
flow: pen
initial: ready
on: {error: bye}
states:
  ready: {say: Ready?, next: wait}
  wait: {pause: 5s, next: bye}
  bye: {say: Bye., final: true}
""")
    _, play, _ = Caller(flow).commands
    assert isinstance(play, Play)
    assert play.prompt == (Text("Ready?", "male", "en-US"), Silence(5000), Text("Bye.", "male", "en-US"))


def test_keys_mean_nothing_to_a_pause() -> None:
    caller = Caller(flow_of(FLOW)).presses("1")
    play = caller.commands[0]
    assert isinstance(play, Play)
    caller.apply(KeysPressed(play.op, "5")).ignored("not the operation awaited")


def test_who_leaves_in_a_pause_raises_hangup_there_and_nothing_more_is_played() -> None:
    flow = flow_of(FLOW)
    caller = Caller(flow).presses("1")
    play = caller.commands[0]
    assert isinstance(play, Play)
    caller.apply(CallEnded("caller", play.op))
    assert [(taken.state, taken.event) for taken in caller.last.path] == [("think", "hangup"), ("left", "done")]
    assert caller.commands == ()
    assert caller.call.phase == "over"


def test_the_word_of_a_pause_is_the_authors() -> None:
    assert word_of(flow_of(FLOW).states["wait"].action) == "pause"


def test_a_final_pause_ends_the_call_after_it() -> None:
    flow = flow_of("flow: pen\ninitial: wait\nstates:\n  wait: {pause: 1s, final: true}\n")
    caller = Caller(flow)
    _, play, hang_up = caller.commands
    assert isinstance(play, Play)
    assert isinstance(hang_up, HangUp)
    caller.apply(OperationDone(hang_up.op))
    assert caller.call.outcome == "resolved"
