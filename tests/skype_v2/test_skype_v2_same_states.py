"""Each shipped flow on Skype's old platform: whoever writes reaches the states of whoever calls, replayed the same."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.trace.replay import replay
from tests.flows import flow_at
from tests.lines.chat_line import unhurried
from tests.lines.generated_caller import generated
from tests.lines.lines_of_today import FLOWS, on_both
from tests.lines.skype_v2_line import SOMEBODY, SkypeV2Line
from tests.lines.visit import Visit

CALLERS = 8


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the messages of a server out of it: services fail here as chance has it."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def visitor(seed: int) -> Visit:
    """Return somebody who writes, and whom this platform knows."""
    visit = unhurried(generated(seed))
    return replace(visit, caller=visit.caller or SOMEBODY)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_whoever_writes_reaches_the_same_states_and_it_replays_the_same(path: Path) -> None:
    async def seen() -> tuple[list[str], set[str]]:
        flow, line = flow_at(path), SkypeV2Line()
        both = [(seed, await on_both(flow, line, visitor(seed))) for seed in range(CALLERS)]
        cases = [(await line.call(flow, visitor(seed))).case() for seed in range(2)]
        return [f"caller {seed}: {one.fault}" for seed, one in both if one.fault], {
            replay(one, flow).verdict for one in cases
        }

    assert asyncio.run(seen()) == ([], {"same"})
