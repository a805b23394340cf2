"""A call replays as *same* on its own flow, always."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.engine.call import new_call
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.trace.files import dumps, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay, rewrite
from tests.flows import flow_at
from tests.trace.recorded_calls import SHIPPED, odd_flows, random_bot, random_call

SEEDS = st.integers(0, 2**32)


def assert_same(flow: Flow, seed: int) -> None:
    recorded = random_call(flow, seed)
    read = loads(dumps(recorded), "case")
    assert read == recorded
    verdict = replay(read, flow)
    assert (verdict.verdict, verdict.why) == ("same", None)
    assert dumps(rewrite(read, flow, {})) == dumps(recorded)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@settings(max_examples=500, deadline=None)
@given(seed=SEEDS)
def test_a_call_replays_as_same_on_its_own_flow(path: Path, seed: int) -> None:
    assert_same(flow_at(path), seed)


@pytest.mark.parametrize("flow", odd_flows(), ids=lambda flow: flow.name)
@settings(max_examples=500, deadline=None)
@given(seed=SEEDS)
def test_so_does_one_with_private_guards_limits_holds_dates_and_the_time_of_day(flow: Flow, seed: int) -> None:
    assert_same(flow, seed)


@pytest.mark.parametrize("flow", odd_flows(), ids=lambda flow: flow.name)
@settings(max_examples=50, deadline=None)
@given(seed=SEEDS)
def test_so_does_one_that_is_not_over_yet(flow: Flow, seed: int) -> None:
    bot = random_bot(flow, seed)
    trace = bot.trace[: Random(seed).randrange(1, len(bot.trace) + 1)]
    call = new_call(flow.hash, bot.record.call.facts)
    for line in trace:
        call = step(flow, call, line.event, now=line.now, judged=line.judged).call
    recorded = case_of(replace(bot.record, call=call), trace, flow, {})
    assert replay(recorded, flow).verdict == "same"


def test_the_order_of_replays_makes_no_difference() -> None:
    calls = [(random_call(flow, seed), flow) for flow in odd_flows() for seed in range(20)]
    first = [replay(recorded, flow) for recorded, flow in calls]
    assert [replay(recorded, flow) for recorded, flow in reversed(calls)] == list(reversed(first))
