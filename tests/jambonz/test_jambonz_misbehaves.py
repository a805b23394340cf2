"""jambonz repeats, loses, forges and comes too late: callers reach the states that they would have reached anyway."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.carriers.misbehaviour import Misbehaviour, Misdeed
from tests.flows import flow_at
from tests.lines.comparing import compared
from tests.lines.generated_caller import generated
from tests.lines.jambonz_line import JambonzLine

FLOWS = Path(__file__).parents[2] / "flows"
CALLERS = 8
NAMES = ("support", "voicemail", "survey", "pin-check")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the messages of a server out of it."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def line(*misdeeds: Misdeed, at: int = 2) -> JambonzLine:
    return JambonzLine(Misbehaviour(frozenset(misdeeds), hangs_up_at=at))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("misdeed", ["twice", "lost", "late", "forged", "status-first"])
def test_what_the_network_does_is_not_what_a_caller_does(misdeed: Misdeed, name: str) -> None:
    async def faults() -> list[str]:
        flow, found = flow_at(FLOWS / f"{name}.yaml"), []
        for seed in range(CALLERS):
            usual = (await line().call(flow, generated(seed))).case()
            other = (await line(misdeed).call(flow, generated(seed))).case()
            found.append(compared(usual, other, JambonzLine.can, JambonzLine.can).fault)
        return [fault for fault in found if fault]

    assert asyncio.run(faults()) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_caller_can_hang_up_while_any_answer_is_on_its_way(name: str, at: int) -> None:
    async def phases() -> set[str]:
        flow = flow_at(FLOWS / f"{name}.yaml")
        calls = [await line("hangup-open", at=at).call(flow, generated(seed)) for seed in range(CALLERS)]
        return {call.record.call.phase for call in calls if call.record is not None}

    assert asyncio.run(phases()) == {"over"}


@pytest.mark.parametrize("name", ["voicemail", "support"])
def test_a_socket_that_breaks_off_ends_a_recording_and_no_call(name: str) -> None:
    async def phases() -> set[str]:
        flow = flow_at(FLOWS / f"{name}.yaml")
        calls = [await line("socket-dropped").call(flow, generated(seed)) for seed in range(CALLERS)]
        return {call.record.call.phase for call in calls if call.record is not None}

    assert asyncio.run(phases()) == {"over"}
