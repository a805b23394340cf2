"""One flow, every line: the same caller reaches the same states, or a difference that the one table explains."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ivr.engine.flow import Flow
from ivr.trace.case import Case
from ivr.trace.files import case_files, dumps, read_case
from tests.flows import flow_at
from tests.lines.case_caller import can_call_again, visit_of
from tests.lines.comparing import compared
from tests.lines.generated_caller import generated
from tests.lines.lines_of_today import FLOWS, OTHERS, USUAL, Line, on_both

CASES = Path(__file__).parents[2] / "recordings" / "cases"
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
        seen = [(seed, await on_both(flow, line, generated(seed))) for seed in range(CALLERS)]
        return [f"caller {seed}: {one.fault}" for seed, one in seen if one.fault]

    assert asyncio.run(faults()) == []


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_same_caller_on_the_same_line_makes_the_same_call(path: Path) -> None:
    async def twice(seed: int) -> tuple[bytes, bytes]:
        flow = flow_at(path)
        return dumps((await USUAL.call(flow, generated(seed))).case()), dumps(
            (await USUAL.call(flow, generated(seed))).case()
        )

    first, second = asyncio.run(twice(7))
    assert first == second


def test_callers_hang_up_anywhere_and_finish_too() -> None:
    async def outcomes() -> set[str | None]:
        flow = flow_at(next(path for path in FLOWS if path.stem == "support"))
        return {(await USUAL.call(flow, generated(seed))).case().header.outcome for seed in range(CALLERS)}

    assert {"resolved", "abandoned"} <= asyncio.run(outcomes())


def test_what_no_difference_explains_is_a_fault() -> None:
    async def calls() -> str:
        flow = flow_at(next(path for path in FLOWS if path.stem == "support"))
        one, other = (await USUAL.call(flow, generated(1))).case(), (await USUAL.call(flow, generated(2))).case()
        return compared(one, other, USUAL.can, USUAL.can).fault

    assert "became" in asyncio.run(calls())


def callers_again(flow: Flow) -> Sequence[tuple[str, Case]]:
    """Return the cases of a flow whose callers can call again."""
    cases = ((file.stem, read_case(file)) for file in case_files([CASES / flow.name]))
    return [(name, recorded) for name, recorded in cases if can_call_again(recorded)]


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_callers_of_all_cases_call_again_and_go_the_same_way(path: Path) -> None:
    async def faults() -> list[str]:
        flow = flow_at(path)
        again = [
            (name, compared(recorded, (await USUAL.call(flow, visit_of(recorded))).case(), USUAL.can, USUAL.can))
            for name, recorded in callers_again(flow)
        ]
        assert again
        return [f"{name}: {one.fault}" for name, one in again if one.fault]

    assert asyncio.run(faults()) == []


@pytest.mark.parametrize("line", OTHERS, ids=lambda line: line.name)
@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_callers_of_all_cases_go_the_same_way_on_every_line(path: Path, line: Line) -> None:
    async def faults() -> list[str]:
        flow = flow_at(path)
        seen = [(name, await on_both(flow, line, visit_of(recorded))) for name, recorded in callers_again(flow)]
        return [f"{name}: {one.fault}" for name, one in seen if one.fault]

    assert asyncio.run(faults()) == []
