"""A masked case replays exactly while the guards over it stand (LANGUAGE C12)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.engine.actions.base import Common
from ivr.engine.actions.digits import Digits
from ivr.engine.events import KeysJudged
from ivr.trace.case import Case
from ivr.trace.files import dumps
from ivr.trace.private import private_rules
from ivr.trace.replay import replay
from tests.flows import flow_of
from tests.trace.recorded_calls import PRIVATE, random_call

PIN = """
flow: pin
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    digits: {prompt: Your PIN., minDigits: 4, maxDigits: 4, sensitive: true, into: pin}
    next: judge
  judge:
    decide:
      - {guard: pin < '5', target: inside}
      - {guard: visits.ask < 3, say: That is wrong., target: ask}
      - bye
  inside: {say: Welcome., final: true}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""


def judged(recorded: Case) -> bool:
    return any(line.judged for line in recorded.lines)


def calls() -> list[Case]:
    made = [random_call(flow_of(PIN), seed) for seed in range(40)]
    assert {recorded.header.outcome for recorded in made} >= {"resolved", "unresolved"}
    return made


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_nothing_in_a_case_tells_what_was_keyed(seed: int) -> None:
    recorded = random_call(flow_of(PIN), seed)
    assert not any(hasattr(line.event, "keys") for line in recorded.lines)
    assert b"pin" not in b"\n".join(dumps(recorded).splitlines()[1:]).replace(b'"flow": "pin"', b"")


@pytest.mark.parametrize(
    "change",
    [
        ("Welcome.", "Welcome back."),
        ("That is wrong.", "Not quite."),
        ("visits.ask < 3", "visits.ask < 9"),
        ("    next: judge", "    next: thanks\n  thanks: {say: Thank you., next: judge}"),
        ("    next: judge", "    next: between\n  between: {decide: [judge]}"),
    ],
)
def test_while_the_guard_stands_it_is_known_how_the_call_goes_on(change: tuple[str, str]) -> None:
    flow = flow_of(PIN.replace(*change))
    assert {replay(recorded, flow).why for recorded in calls()} <= {
        None,
        "the flow ignores this: not the operation awaited",
    }


@pytest.mark.parametrize(
    "change",
    [
        ("pin < '5'", "pin < '6'"),
        ("pin < '5'", "pin == '2468'"),
        ("into: pin}\n", "into: pin}\n    set: {pin: none}\n"),
    ],
)
def test_once_it_is_edited_it_is_not(change: tuple[str, str]) -> None:
    flow = flow_of(PIN.replace(*change))
    for recorded in calls():
        verdicts = {line.event.verdict for line in recorded.lines if isinstance(line.event, KeysJudged)}
        if "accepted" in verdicts:
            assert replay(recorded, flow).verdict == "undetermined"
        elif not verdicts:
            assert replay(recorded, flow).verdict == "same"


def test_how_a_private_answer_is_judged_counts_too() -> None:
    typed = PIN.replace("states:", "variables: {pin: {type: text, values: ['1234', '5678']}}\nstates:", 1)
    flow = flow_of(typed)
    verdicts = {replay(recorded, flow).why for recorded in calls() if judged(recorded)}
    assert verdicts == {"the rules for a private answer were changed"}


def test_guards_over_parts_and_choices_are_remembered_as_well() -> None:
    flow, renamed = flow_of(PRIVATE), flow_of(PRIVATE.replace("You are known.", "I know you."))
    edited = flow_of(PRIVATE.replace("copy < '5'", "copy < '6'"))
    known = [
        recorded
        for recorded in (random_call(flow, seed) for seed in range(200))
        if b"You are known." in dumps(recorded)
    ]
    assert known
    for recorded in known:
        assert replay(recorded, renamed).verdict == "changed"
        assert replay(recorded, edited).verdict == "undetermined"


def test_what_a_private_question_says_is_no_rule_of_its_answer() -> None:
    """A case of before stays what it was: what is asked of callers may be written anew."""
    flow = flow_of(PIN)
    ask = flow.states["ask"]
    assert isinstance(ask.action, Digits)
    other = replace(ask.action, question=replace(ask.action.question, prompt=(), attempts=9))
    edited = replace(flow, states={**flow.states, "ask": replace(ask, action=other)})
    assert private_rules(edited) == private_rules(flow)


class Hears(Common, frozen=True):
    """An action of tomorrow, which keeps what it hears under a name of its own."""

    heard_in: str

    @property
    def keeps(self) -> str | None:
        return self.heard_in


def test_a_state_that_keeps_a_private_answer_counts_whatever_its_action_calls_that() -> None:
    flow = flow_of(PIN)
    plain, private = (
        replace(flow, states={**flow.states, "bye": replace(flow.states["bye"], action=Hears(name))})
        for name in ("nothing", "pin")
    )
    assert private_rules(plain) == private_rules(flow) != private_rules(private)
