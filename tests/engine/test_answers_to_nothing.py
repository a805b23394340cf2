"""An input that names an operation by which nothing was asked is no answer, wherever the call stands."""

import pytest

from ivr.engine.events import (
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    OperationDone,
    RecordingMade,
    SpeechHeard,
)
from tests.caller import Caller, HangUp, Reject
from tests.flows import flow_of

OP = "op"
INPUTS: list[Event] = [
    KeysPressed(OP, "1"),
    KeysPressed(OP, "9"),
    KeysJudged(OP, "accepted"),
    KeysJudged(OP, "refused"),
    SpeechHeard(OP, "again"),
    ChoiceMade(OP, "again", "keys"),
    InputTimedOut(OP),
    InputInvalid(OP),
    RecordingMade(OP, 2.0, "a.wma", "terminator"),
    RecordingMade(OP, 2.0, "a.wma", "hangup"),
]
MENU = """
flow: desk
initial: main
on: {exhausted: bye, error: {set: {x: "{{ 1 / zero }}"}, target: bye}}
variables: {zero: 0, x: {type: decimal, default: none}}
states:
  main: {menu: {prompt: main, choices: {again: {dtmf: "1", speech: again}}}, on: {again: main}}
  bye: {say: bye, final: true}
"""
NOTE = """
flow: note
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, transcribe: true, holdPrompt: wait, into: note}, next: bye}
  bye: {say: bye, final: true}
"""
BARRED = """
flow: barred
initial: start
on: {error: no}
states:
  start: {decide: [{guard: "call.from == '29:anna'", target: no}, no]}
  no: {reject: {}}
"""


def tells(caller: Caller, told: Event) -> None:
    """Report an input of the operation awaited, and see that it changes nothing."""
    before = caller.call
    caller.apply(type(told)(**{name: getattr(told, name) for name in told.__struct_fields__} | {"op": caller.op}))
    caller.ignored("not an answer to what was asked")
    assert caller.call is before


def given_up() -> Caller:
    """Stand at a menu whose call is given up: a hang-up is awaited there, not an answer."""
    caller = Caller(flow_of(MENU)).fails().orders(HangUp)
    assert (caller.call.state, caller.call.outcome) == ("main", "failed")
    return caller


def held() -> Caller:
    """Stand at a recording that is being transcribed, while a hold prompt plays."""
    return Caller(flow_of(NOTE)).speaks().holds().hears("wait")


@pytest.mark.parametrize("told", INPUTS, ids=str)
def test_a_call_that_is_being_hung_up_hears_no_answer(told: Event) -> None:
    caller = given_up()
    tells(caller, told)
    caller.listens().ended("failed")


@pytest.mark.parametrize("told", INPUTS, ids=str)
def test_a_caller_who_holds_answers_nothing(told: Event) -> None:
    caller = held()
    tells(caller, told)
    caller.understood("the radio is broken").hears("bye")


@pytest.mark.parametrize("told", INPUTS, ids=str)
def test_a_call_that_is_declined_hears_no_answer(told: Event) -> None:
    caller = Caller(flow_of(BARRED)).orders(Reject)
    tells(caller, told)
    caller.listens().ended("resolved")


@pytest.mark.parametrize("flow", [MENU, NOTE])
def test_a_question_is_never_just_done(flow: str) -> None:
    caller = Caller(flow_of(flow))
    tells(caller, OperationDone(OP))


@pytest.mark.parametrize("told", [RecordingMade(OP, 2.0, "a.wma"), KeysJudged(OP, "accepted")], ids=str)
def test_a_menu_takes_no_answer_of_another_kind_of_question(told: Event) -> None:
    tells(Caller(flow_of(MENU)), told)


@pytest.mark.parametrize("told", [KeysPressed(OP, "1"), ChoiceMade(OP, "again", "keys"), InputInvalid(OP)], ids=str)
def test_a_recording_takes_no_answer_of_another_kind_of_question(told: Event) -> None:
    tells(Caller(flow_of(NOTE)), told)
