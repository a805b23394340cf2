"""Many callers through every shipped flow on every line: `python -m tests.lines.everywhere --callers 1000`.

Prints the figures that docs/lines.md has, and ends with 1 where a difference is in no table. `--flow` and `--line` take
some of them; `--first` is the seed of the first caller, so that a fault can be made again.
"""

import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import click
from msgspec import Struct

from tests.flows import flow_at
from tests.lines.generated_caller import generated
from tests.lines.lines_of_today import FLOWS, OTHERS, USUAL, on_other

PORTION = 50
"Callers that one process takes at a time."


class Figures(Struct):
    """What became of the callers of one flow on one line."""

    calls: int = 0
    same: int = 0
    explained: Counter[str] = {}  # type: ignore[assignment]
    faults: list[str] = []


class Portion(Struct, frozen=True):
    """Some callers of one flow, on the usual line and on others."""

    flow: str
    lines: tuple[str, ...]
    first: int
    count: int


Seen = tuple[str, str, int, frozenset[str], str]
"Flow, line, seed, what explains it, the fault."


def run(portion: Portion) -> list[Seen]:
    """Let all callers of a portion call."""
    logging.disable(logging.CRITICAL)
    return asyncio.run(_run(portion))


async def _run(portion: Portion) -> list[Seen]:
    flow = flow_at(next(path for path in FLOWS if path.stem == portion.flow))
    seen: list[Seen] = []
    for seed in range(portion.first, portion.first + portion.count):
        usual = (await USUAL.call(flow, generated(seed))).case()
        for line in OTHERS:
            if line.name in portion.lines:
                one = await on_other(usual, flow, line, generated(seed))
                seen.append((portion.flow, line.name, seed, one.explained, one.fault))
    return seen


def portions(flows: Iterable[str], lines: tuple[str, ...], first: int, callers: int) -> Iterator[Portion]:
    """Divide the callers."""
    for flow in flows:
        for start in range(first, first + callers, PORTION):
            yield Portion(flow, lines, start, min(PORTION, first + callers - start))


def table(figures: dict[tuple[str, str], Figures], flows: Sequence[str], lines: Sequence[str]) -> str:
    """Return the figures as a table: callers with the same states, and those with a difference that is explained."""
    head = (f"| flow | {' | '.join(f'`{line}`' for line in lines)} |", f"| --- |{' --- |' * len(lines)}")
    rows = (f"| {flow} | {' | '.join(_cell(figures[flow, line]) for line in lines)} |" for flow in flows)
    return "\n".join((*head, *rows))


def _cell(one: Figures) -> str:
    ids = ", ".join(f"{name} {count}" for name, count in one.explained.most_common())
    faults = f"; **{len(one.faults)} faults**" if one.faults else ""
    return f"{one.same} the same" + (f"; {ids}" if ids else "") + faults


@click.command
@click.option("--callers", default=1000, help="For each flow.")
@click.option("--first", default=0, help="The seed of the first caller.")
@click.option("--flow", "flows", multiple=True, help="This flow only.")
@click.option("--line", "lines", multiple=True, help="This line only.")
@click.option("--processes", default=2)
def main(callers: int, first: int, flows: Sequence[str], lines: Sequence[str], processes: int) -> None:
    """Let generated callers call every flow on every line."""
    names = tuple(flows) or tuple(path.stem for path in FLOWS)
    others = tuple(lines) or tuple(line.name for line in OTHERS)
    figures = {(flow, line): Figures(explained=Counter(), faults=[]) for flow in names for line in others}
    begun = time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        for seen in pool.map(run, portions(names, others, first, callers)):
            for flow, line, seed, explained, fault in seen:
                one = figures[flow, line]
                one.calls += 1
                one.same += not explained and not fault
                one.explained.update([" and ".join(sorted(explained))] if explained else [])
                one.faults += [f"{flow} on {line}, caller {seed}: {fault}"] if fault else []
    faults = [fault for one in figures.values() for fault in one.faults]
    calls = sum(one.calls for one in figures.values()) + callers * len(names)
    print(table(figures, names, others))
    print(f"\n{calls} calls in {time.monotonic() - begun:.0f} s, {len(faults)} differences that nothing explains.")
    for fault in faults[:20]:
        print(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
