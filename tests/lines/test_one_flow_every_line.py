"""One flow, every line: the same caller reaches the same states, or a difference that the one table explains."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.trace.files import dumps
from tests.flows import flow_at
from tests.lines.comparing import compared
from tests.lines.lines_of_today import FLOWS, OTHERS, USUAL, Line, one_caller

CALLERS = 24


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the messages of a server out of it: services fail here as chance has it."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("line", OTHERS, ids=lambda line: line.name)
@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_caller_reaches_the_same_states_on_every_line(path: Path, line: Line) -> None:
    async def faults() -> list[str]:
        flow = flow_at(path)
        seen = [(seed, await one_caller(flow, line, seed)) for seed in range(CALLERS)]
        return [f"caller {seed}: {one.fault}" for seed, one in seen if one.fault]

    assert asyncio.run(faults()) == []


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_same_caller_on_the_same_line_makes_the_same_call(path: Path) -> None:
    async def twice(seed: int) -> tuple[bytes, bytes]:
        flow = flow_at(path)
        return dumps((await USUAL.call(flow, seed)).case()), dumps((await USUAL.call(flow, seed)).case())

    first, second = asyncio.run(twice(7))
    assert first == second


def test_callers_hang_up_anywhere_and_finish_too() -> None:
    async def outcomes() -> set[str | None]:
        flow = flow_at(next(path for path in FLOWS if path.stem == "support"))
        return {(await USUAL.call(flow, seed)).case().header.outcome for seed in range(CALLERS)}

    assert {"resolved", "abandoned"} <= asyncio.run(outcomes())


def test_what_no_difference_explains_is_a_fault() -> None:
    async def calls() -> str:
        flow = flow_at(next(path for path in FLOWS if path.stem == "support"))
        one, other = (await USUAL.call(flow, 1)).case(), (await USUAL.call(flow, 2)).case()
        return compared(one, other, USUAL.can, USUAL.can).fault

    assert "became" in asyncio.run(calls())
