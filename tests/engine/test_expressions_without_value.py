"""An expression that has no value in spite of all checks: raised as `error.expression` wherever it stands (C8)."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    HoldNeeded,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    ServiceAnswered,
    ServiceFailed,
    TimePassed,
    Transcribed,
)
from ivr.engine.flow import Flow
from tests.caller import Caller
from tests.flows import flow_of

TEMPLATE = """
flow: fragile
initial: first
variables: {n: 0, kept: {type: integer, default: 0}, tight: {type: integer, default: 0, max: 5}}
on:
  exhausted:
    - guard: GUARD
      target: last
    - last
  hangup:
    set: {kept: "TEXT"}
    target: last
  error:
    say: "TEXT"
    target: trouble
defaults:
  noInput: "TEXT"
states:
  first:
    set: {tight: "WIDE"}
    say:
      - "TEXT"
      - guard: GUARD
        text: more
    next:
      - guard: GUARD
        set: {kept: "TEXT"}
        say: "TEXT"
        target: choose
      - choose
  choose:
    menu:
      prompt: "TEXT"
      choices:
        one:
          dtmf: "1"
          prompt: "TEXT"
        two:
          dtmf: "2"
          guard: GUARD
      noMatch: "TEXT"
      reprompt: "TEXT"
    on: {one: key, two: key}
  key:
    digits:
      prompt: "TEXT"
      noMatch: |
        Two lines,
        TEXT
      maxDigits: 3
    next:
      - guard: GUARD
        target: note
      - note
  note:
    record:
      prompt: "TEXT"
      noInput: "TEXT"
      transcribe: true
      holdPrompt: "TEXT"
      into: words
    next: last
    on: {error.transcribe: last}
  last:
    say: "TEXT"
    final: true
    outcome: unresolved
  trouble:
    say: "TEXT"
    final: true
    outcome: failed
"""
WORDS = {"GUARD": ("n == 0", "1 // n == 1"), "TEXT": ("{{ n }}", "{{ 1 // n }}"), "WIDE": ("{{ n }}", "{{ n + 9 }}")}
"What stands in each place: with a value, and without."
REASONS = {"a division by zero, or a number out of bounds", "tight: too small or too large"}
PLACES = [number for number, line in enumerate(TEMPLATE.lstrip().split("\n")) if any(word in line for word in WORDS)]


def flow(without: Iterable[int]) -> Flow:
    """Make the flow with an expression without a value in each of these lines, counted from 0."""
    lines = TEMPLATE.lstrip().split("\n")
    for number in PLACES:
        for word, (good, bad) in WORDS.items():
            lines[number] = lines[number].replace(word, bad if number in without else good)
    return flow_of("\n" + "\n".join(lines))


def call(flow: Flow, seed: int) -> Caller:
    """Let anything at all happen in a call, until it is over."""
    random = Random(seed)
    caller = Caller(flow)
    while caller.call.phase != "over":
        caller.apply(CallEnded("caller") if random.random() < 0.03 else anything(caller, random))
        if caller.call.phase == "gone":
            caller.apply(ServiceFailed(caller.job, "failed"))
    return caller


def anything(caller: Caller, random: Random) -> Event:
    op, job = caller.op, caller.call.waiting.job if caller.call.waiting else ""
    events: list[Event] = [
        *(ChoiceMade(op, name, "keys") for name in ("one", "two")),
        *(KeysPressed(op, keys) for keys in ("1", "2", "12", "9", "12345")),
        *(OperationDone(op), OperationFailed(op, "system"), OperationFailed(None, "workflow", whole=True)),
        *(InputTimedOut(op), InputInvalid(op), RecordingMade(op, 2.5, "a.wma"), HoldNeeded(), TimePassed()),
        *(ServiceAnswered(job, Transcribed("words")), ServiceFailed(job, "failed"), CallReceived(None, "28:bot")),
    ]
    return random.choice(events)


@given(without=st.sets(st.sampled_from(PLACES)), seed=st.integers(0, 2**32))
def test_no_event_and_no_expression_without_a_value_keeps_a_call_from_its_end(without: set[int], seed: int) -> None:
    assert call(flow(without), seed).call.outcome in {"unresolved", "failed", "abandoned", "resolved"}


@pytest.mark.parametrize("line", PLACES, ids=lambda line: str(line + 1))
def test_each_tells_its_state_its_line_and_why_without_a_value(line: int) -> None:
    flawed = flow({line})
    failures = [failure for seed in range(300) for _, _, step in call(flawed, seed).steps for failure in step.failures]
    found = [failure for failure in failures if failure.event == "error.expression"]
    assert found, "no call came to it"
    assert {failure.line for failure in found} == {line + 1}
    assert {failure.reason.removeprefix("the holdPrompt was left out: ") for failure in found} <= REASONS
    assert {failure.state for failure in found} <= {*flawed.states}
