"""Milestones count where they were reached, and goals are milestones with a name (LANGUAGE C2, C3, C14)."""

from itertools import pairwise

import pytest

from ivr.engine.call import Taken
from ivr.trace.milestones import goals_reached, milestones_reached, states_reached
from tests.caller import Caller
from tests.flows import flow_of

FLOW = flow_of("""
flow: shop
initial: ask
on: {exhausted: bye, error: bye}
goals: {sold: sale, asked: question}
states:
  ask:
    menu: {prompt: To buy press 1., choices: {buy: {dtmf: "1"}}}
    on: {buy: thanks, hangup: bye}
    milestone: question
  thanks: {say: Thank you., milestone: sale, next: more}
  more: {say: Goods are on their way., milestone: told, next: again}
  again: {digits: {prompt: Key your number.}, next: bye}
  bye: {say: goodbye, final: true, milestone: sale}
""")


def path(caller: Caller) -> list[Taken]:
    return [taken for _, _, step in caller.steps for taken in step.path]


def goals(caller: Caller) -> tuple[str, ...]:
    return goals_reached(states_reached(path(caller)), FLOW)


def test_a_milestone_counts_when_its_state_is_entered() -> None:
    caller = Caller(FLOW)
    assert goals(caller) == ("asked",)
    assert goals(caller.presses("1")) == ("sold", "asked")
    assert milestones_reached(states_reached(path(caller)), FLOW) == {"question", "sale", "told"}


def test_what_a_reply_led_through_before_its_first_prompt_failed_was_not_reached() -> None:
    caller = Caller(FLOW).presses("1")
    caller.hangs_up(during=caller.call.asked[0].op)
    assert states_reached(path(caller)) == {"ask", "thanks"}


@pytest.mark.parametrize(
    ("states", "reached"),
    [
        (["a", "b", "c"], {"a", "b", "c"}),
        (["a", "b", "a", "c"], {"a", "b", "c"}),
    ],
)
def test_all_states_on_the_way_are_reached(states: list[str], reached: set[str]) -> None:
    ways = [Taken(one, "done", 0, other) for one, other in pairwise(["", *states])]
    assert states_reached(ways) == reached


def test_a_state_of_another_version_of_the_flow_has_no_milestone() -> None:
    assert milestones_reached({"gone"}, FLOW) == frozenset()
