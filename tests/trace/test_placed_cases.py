"""A case of a call that we placed: who answered is given to the flow of today, and what it began with."""

from typing import Any

import pytest

from ivr.engine.events import CallAnswered, CallEnded, CallNotAnswered, CallPlaced, CallRinging
from ivr.trace import case
from ivr.trace.files import dumps, loads
from ivr.trace.replay import replay, rewrite
from ivr.trace.report import as_text, report
from tests.caller import Caller
from tests.flows import flow_of
from tests.trace.test_replay_rules import recorded

FLOW = """
flow: reminder
initial: who
on: {exhausted: bye, error: bye}
variables:
  patient: {type: text, default: none, parameter: true}
  code: {type: text, default: none, parameter: true, sensitive: true}
states:
  who: {decide: [{guard: call.answeredBy == 'machine', target: later}, ask]}
  ask: {menu: {prompt: "{{ patient or 'You' }}?", choices: {yes: {dtmf: "1"}}}, on: {yes: check}}
  check: {decide: [{guard: code == '1234', target: known}, bye]}
  known: {say: Known., final: true}
  later: {say: "Later.", final: true, outcome: voicemail}
  bye: {say: Bye., final: true}
"""


def placed(**values: Any) -> Caller:
    return Caller(flow_of(FLOW), first=CallPlaced("+4315550", "+43660", values=values)).apply(CallRinging())


def confirmed() -> Caller:
    return placed(patient="Anna", code="1234").apply(CallAnswered("human")).presses("1").listens()


CALLS = {
    "confirmed": confirmed,
    "machine": lambda: placed().apply(CallAnswered("machine")).listens(),
    "busy": lambda: placed().apply(CallNotAnswered("busy")),
    "given up": lambda: placed().apply(CallEnded("system")),
    "still rung": placed,
    "left": lambda: placed().apply(CallAnswered("human")).hangs_up(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_that_was_placed_replays_the_same(call: object) -> None:
    assert callable(call)
    found = loads(dumps(recorded(call())), "case")
    assert replay(found, flow_of(FLOW)).verdict == "same"
    assert rewrite(found, flow_of(FLOW), {}).lines == found.lines


def test_ringing_is_pacing_and_stands_in_no_case() -> None:
    events = [type(line.event) for line in recorded(placed().apply(CallNotAnswered("noAnswer"))).lines]
    assert events == [CallPlaced, CallNotAnswered]


def test_what_a_case_tells_of_a_private_parameter_is_that_there_was_one() -> None:
    found = recorded(confirmed())
    assert found.lines[0].event == CallPlaced("+4315550", "+43660", values={"patient": "Anna"}, masked=("code",))
    assert b"1234" not in dumps(found)


def test_a_machine_that_is_greeted_like_a_person_today_is_another_way() -> None:
    today = FLOW.replace("{guard: call.answeredBy == 'machine', target: later}, ", "").replace(
        '  later: {say: "Later.", final: true, outcome: voicemail}\n', ""
    )
    machine = recorded(placed().apply(CallAnswered("machine")).listens())
    verdict = replay(machine, flow_of(today))
    assert verdict.way is not None
    assert (verdict.way.event, verdict.way.now.state) == (CallAnswered("machine"), "ask")
    assert "an answering machine answered" in as_text(report("call", machine, verdict, None))


def test_a_parameter_that_is_gone_leaves_it_unknown_how_the_call_would_begin() -> None:
    today = FLOW.replace("patient: {type: text, default: none, parameter: true}", "patient: Anna")
    verdict = replay(recorded(confirmed()), flow_of(today))
    assert verdict.verdict == "undetermined"
    assert verdict.why == 'the flow ignores this: the flow cannot begin so: the flow has no parameter "patient"'


def test_a_private_guard_that_was_edited_leaves_the_call_undetermined() -> None:
    verdict = replay(recorded(confirmed()), flow_of(FLOW.replace("code == '1234'", "code == '4321'")))
    assert verdict.verdict == "undetermined"


def test_a_call_is_placed_once() -> None:
    twice = recorded(placed()).lines
    with pytest.raises(case.CaseError, match='a second "placed"'):
        loads(dumps(case.Case(recorded(placed()).header, (*twice, *twice))), "case")
