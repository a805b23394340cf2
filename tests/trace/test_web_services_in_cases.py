"""A case holds what web services answered: a replay asks nobody, and says where another question would be asked."""

import pytest

from ivr.call_record import CallRecord, Stepped
from ivr.engine.flow import Flow
from ivr.ports import CallKey
from ivr.trace.case import Case
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from ivr.trace.sentences import caller_action, services
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: orders
initial: ask
on: {exhausted: bye, error: bye}
variables: {pin: {type: text, default: "0815", sensitive: true}}
states:
  ask: {digits: {prompt: Key it., into: order}, next: look}
  look:
    http:
      url: https://api.example.com/orders
      query: {number: "{{ order }}"}
      headers: {X-Key: "{{ secrets.shop }}"}
      returns: {total: decimal}
      into: found
    next: tell
    on: {error.http.status.404: none, error.http: bye}
  none: {say: There is none., next: send}
  tell: {say: "{{ found.total | number }}.", next: send}
  send: {http: {url: "https://api.example.com/pins", method: POST, json: {pin: "{{ pin }}"}}, next: bye}
  bye: {say: Goodbye., final: true}
"""


def recorded(*statuses: int) -> Case:
    """Return the case of a call in which the services answered so."""
    flow = flow_of(FLOW)
    caller = Caller(flow).presses("4711")
    for status in statuses:
        caller.responded(status, {"total": 12.5} if status == 200 else None)
    caller.listens().hangs_up()
    trace = [
        Stepped(taken.traced or event, now, taken.commands, taken.path, taken.ignored, taken.judged)
        for event, now, taken in caller.steps
    ]
    record = CallRecord(caller.call.facts.id, CallKey("test", "", "call"), caller.call)
    case = case_of(record, trace, flow, {})
    return loads(dumps(case), "case")


def today(old: str = "", new: str = "") -> Flow:
    assert old in FLOW
    return flow_of(FLOW.replace(old, new) if old else FLOW)


@pytest.mark.parametrize("statuses", [(200, 201), (404, 500), (503,)])
def test_a_replay_asks_nobody_and_hears_the_same(statuses: tuple[int, ...]) -> None:
    assert replay(recorded(*statuses), today()).verdict == "same"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("/orders\n", "/order\n", "gets another request now: url"),
        ('number: "{{ order }}"', 'no: "{{ order }}"', "gets another request now: query"),
        ("returns: {total: decimal}", 'returns: {total: decimal, "due?": date}', "gets another request now: returns"),
        ('json: {pin: "{{ pin }}"}', 'json: {code: "{{ pin }}"}', "may get another private request now"),
    ],
)
def test_where_another_question_would_be_asked_the_replay_does_not_know(old: str, new: str, said: str) -> None:
    assert said in str(replay(recorded(200, 201), today(old, new)).why)


def test_what_is_said_of_a_web_service() -> None:
    case = recorded(404, 200)
    said = [caller_action(line.event) for line in case.lines]
    assert "http answered 404" in said
    assert services(case.lines[1].ordered) == "http (GET https://api.example.com/orders)"
    assert b"0815" not in dumps(case)
