"""Each shipped flow in writing: whoever writes reaches the states of whoever calls, and it replays the same."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.trace.replay import replay
from tests.flows import flow_at
from tests.lines.chat_line import ChatLine, unhurried
from tests.lines.generated_caller import generated
from tests.lines.lines_of_today import FLOWS, on_both

CALLERS = 8


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the messages of a server out of it: services fail here as chance has it."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("voice", [True, False], ids=["spoken", "written"])
@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_whoever_writes_reaches_the_same_states_as_on_the_telephone(path: Path, voice: bool) -> None:
    async def faults() -> list[str]:
        flow, line = flow_at(path), ChatLine(voice=voice)
        seen = [(seed, await on_both(flow, line, unhurried(generated(seed)))) for seed in range(CALLERS)]
        return [f"caller {seed}: {one.fault}" for seed, one in seen if one.fault]

    assert asyncio.run(faults()) == []


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_conversation_replays_the_same(path: Path) -> None:
    async def verdicts() -> set[str]:
        flow, line = flow_at(path), ChatLine(voice=False)
        cases = [(await line.call(flow, unhurried(generated(seed)))).case() for seed in range(3)]
        return {replay(one, flow).verdict for one in cases}

    assert asyncio.run(verdicts()) == {"same"}
