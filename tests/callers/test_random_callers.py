"""Every shipped flow against callers who do anything: what holds for all of them."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.channels.skype import wire
from ivr.engine.events import RecordingMade
from ivr.engine.values import Recording, unpack
from tests.callers import platform
from tests.callers.bot import Bot, dial
from tests.flows import flow_at
from tests.skype.wire_rules import refusals

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
TURNS = 40


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_caller_can_break_a_shipped_flow(path: Path, seed: int) -> None:
    random = Random(seed)
    report = platform.incoming("call-1")
    bot = dial(flow_at(path)).post(report, random)
    sent = [report]
    for _ in range(TURNS):
        _holds(bot)
        workflow = bot.workflow
        if bot.over or workflow is None:
            break
        _always_ends(bot)
        deadline = bot.record.call.deadline
        if random.random() < 0.1 and (deadline is None or bot.now < deadline):  # a repeat, or stale: nothing moves
            again = bot.post(random.choice(sent))
            assert again.record.call == bot.record.call
            assert again.record.last == bot.record.last
        report = platform.any_report("call-1", workflow, random)
        if report.left and random.random() < 0.5:  # the end is told apart, and overtakes what it cut off
            bot = bot.post(platform.told_apart("call-1", random), random)
            if random.random() < 0.3:
                assert bot.settle(random).over
        before, bot = bot, bot.post(report, random)
        sent.append(report)
        if report.audio:
            _kept(before, bot)
        if report.left:
            assert bot.settle(random).over
            break


def _holds(bot: Bot) -> None:
    """Every step leads to actions, a wait or an end; every workflow is valid to the letter."""
    workflow = bot.workflow
    if workflow is not None:
        assert refusals(wire.Workflow, workflow, strict=True) == ()
    call = bot.record.call
    assert call.asked or call.waiting or call.phase == "over"


def _always_ends(bot: Bot) -> None:
    """From here, hanging up ends the call, and so do silence and a platform that says nothing more."""
    assert bot.workflow is not None
    assert bot.post(platform.hang_up("call-1", bot.workflow["actions"][-1])).settle().over
    assert bot.forget().over
    silent, attempts = bot, 0
    while not silent.over:
        assert silent.workflow is not None
        silent = silent.post(platform.silence("call-1", silent.workflow))
        attempts += 1
        assert attempts <= sum(max(state.action.attempts, 1) for state in bot.flow.states.values()) + 1


def _kept(before: Bot, after: Bot) -> None:
    """A recording that came in is in the trace, was stepped, and stands in a variable."""
    made = [line for line in after.trace[len(before.trace) :] if isinstance(line.event, RecordingMade)]
    assert [line.ignored for line in made] == [None]
    memory = after.record.call.memory
    kept = [unpack(value) for value in (*memory.variables.values(), *memory.private.values())]
    event = made[0].event
    assert isinstance(event, RecordingMade)
    assert after.over or any(isinstance(value, Recording) and value.media == event.media for value in kept)
