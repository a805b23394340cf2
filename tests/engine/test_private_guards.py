"""What guards over private values said is kept, and said again in a replay (LANGUAGE C12)."""

import pytest

from ivr.engine.call import Judged
from ivr.engine.events import KeysJudged
from ivr.engine.machine import step
from ivr.errors import MaskedRead
from tests.caller import Caller
from tests.flows import flow_of

CODE = """
flow: code
initial: ask
variables: {code: {type: integer, sensitive: true}}
on: {exhausted: bye, error: trouble}
states:
  ask:
    digits: {prompt: [Your code., {guard: visits.ask > 1, text: Again.}], into: code}
    next:
      - {guard: 10 / code > 4, target: told}
      - {guard: visits.ask < 3 and code < 7, target: ask}
      - bye
  told: {say: [Hello., {guard: code == 1, text: You are the first.}], final: true}
  bye: {say: Goodbye., final: true}
  trouble: {say: Trouble., final: true, outcome: failed}
"""


def replayed(caller: Caller, judged: tuple[Judged, ...]) -> str:
    """Replay the caller's last keys, masked, and give what is heard."""
    _, now, live = caller.steps[-1]
    before = caller.steps[-2][2].call
    masked = KeysJudged(before.asked[-1].op, "accepted")
    after = step(caller.flow, before, masked, now=now, judged=judged)
    assert after.judged == live.judged
    assert [type(action) for action in after.commands] == [type(action) for action in live.commands]
    return after.call.state


@pytest.mark.parametrize(
    ("keys", "heard", "held"),
    [
        ("1", "Hello. You are the first.", [True, True]),
        ("2", "Hello.", [True, False]),
        ("5", "Your code. Again.", [False, True]),
        ("8", "Goodbye.", [False, False]),
        ("0", "Trouble.", [None]),
    ],
)
def test_every_guard_over_a_private_value_is_remembered_in_order(keys: str, heard: str, held: list[bool]) -> None:
    caller = Caller(flow_of(CODE)).presses(keys).hears(heard)
    assert [judged.held for judged in caller.last.judged] == held
    assert replayed(caller, caller.last.judged) == caller.call.state


def test_what_was_said_of_another_guard_is_no_help() -> None:
    caller = Caller(flow_of(CODE)).presses("1")
    with pytest.raises(MaskedRead):
        replayed(caller, (Judged("0" * 12, held=True),))
    with pytest.raises(MaskedRead):
        replayed(caller, caller.last.judged[:1])


def test_neither_the_value_nor_what_it_was_compared_with_is_kept() -> None:
    for judged in Caller(flow_of(CODE)).presses("1").last.judged:
        assert set(judged.guard) <= set("0123456789abcdef")
        assert len(judged.guard) == 12


def test_a_flow_without_private_values_keeps_nothing() -> None:
    public = flow_of(CODE.replace("type: integer, sensitive: true", "type: integer"))
    assert Caller(public).presses("1").last.judged == ()
