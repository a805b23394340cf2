"""Which row of the picture a box is in, and in what order the boxes of a row stand (Sugiyama's method).

Ways that lead back are turned round while rows are made, so that the rest has no circle. Rows are even numbers; an
arrow passes each row between its ends at a joint of its own, and has its label at one in an odd row. So no arrow runs
through a box, and no label covers anything.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from msgspec import Struct

Point: TypeAlias = str | tuple[int, int]
"A box by its name, or the joint of an arrow: the arrow's number and the row."

SWEEPS = 12


class Span(Struct, frozen=True):
    """An arrow, from the upper to the lower end."""

    number: int
    upper: str
    lower: str
    turned: bool
    "It points upwards."


class Layers(Struct, frozen=True):
    """Rows from top to bottom, each from left to right."""

    rows: Sequence[Sequence[Point]]
    spans: Sequence[Span]
    above: Mapping[Point, Sequence[Point]]
    "What each point is joined to in the row above, and so on."
    below: Mapping[Point, Sequence[Point]]


def layers_of(names: Sequence[str], arrows: Sequence[tuple[str, str]], first: str) -> Layers:
    """Make rows of boxes and joints. Arrows that lead from a box to itself are left out."""
    spans = _turned(names, arrows, first)
    ranks = _ranks(names, spans)
    rows: list[list[Point]] = [[] for _ in range(2 * max(ranks.values(), default=0) + 1)]
    below: defaultdict[Point, list[Point]] = defaultdict(list)
    above: defaultdict[Point, list[Point]] = defaultdict(list)
    for name in names:
        rows[2 * ranks[name]].append(name)
    for span in spans:
        upper, lower = 2 * ranks[span.upper], 2 * ranks[span.lower]
        joints: list[Point] = [(span.number, row) for row in range(upper + 1, lower)]
        for row, joint in enumerate(joints, upper + 1):
            rows[row].append(joint)
        chain: list[Point] = [span.upper, *joints, span.lower]
        for one, next_one in pairwise(chain):
            below[one].append(next_one)
            above[next_one].append(one)
    return Layers(_ordered(rows, above, below), spans, above, below)


def _turned(names: Sequence[str], arrows: Sequence[tuple[str, str]], first: str) -> list[Span]:
    """Turn round what leads back to where a walk from the first state has come from."""
    back = _leading_back(names, arrows, first)
    return [
        Span(number, target, source, True) if (source, target) in back else Span(number, source, target, False)
        for number, (source, target) in enumerate(arrows)
        if source != target
    ]


def _leading_back(names: Sequence[str], arrows: Sequence[tuple[str, str]], first: str) -> set[tuple[str, str]]:
    leads: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in arrows:
        leads[source].append(target)
    back: set[tuple[str, str]] = set()
    known: set[str] = set()
    for start in [first, *names]:
        if start in known:
            continue
        known.add(start)
        walk: list[tuple[str, Iterator[str]]] = [(start, iter(leads[start]))]  # a flow may be too deep for recursion
        while walk:
            for target in walk[-1][1]:
                if target not in known:
                    known.add(target)
                    walk.append((target, iter(leads[target])))
                    break
                if any(target == name for name, _ in walk):
                    back.add((walk[-1][0], target))
            else:
                walk.pop()
    return back


def _ranks(names: Sequence[str], spans: Sequence[Span]) -> Mapping[str, int]:
    """Put each box below everything that leads to it; a box that nothing leads to right above its nearest target."""
    ranks = dict.fromkeys(names, 0)
    for _ in names:  # a path has at most as many steps as there are boxes
        moved = False
        for span in spans:
            if ranks[span.lower] <= ranks[span.upper]:
                ranks[span.lower] = ranks[span.upper] + 1
                moved = True
        if not moved:
            break
    led_to = {span.lower for span in spans}
    for name in names:
        targets = [ranks[span.lower] for span in spans if span.upper == name]
        if name not in led_to and targets:
            ranks[name] = min(targets) - 1
    return ranks


def _ordered(
    rows: list[list[Point]], above: Mapping[Point, Sequence[Point]], below: Mapping[Point, Sequence[Point]]
) -> Sequence[Sequence[Point]]:
    """Sort each row by where its neighbours stand, down and up, and keep the order with the fewest crossings."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for number in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            fixed = rows[number - 1 if down else number + 1]
            _sort(rows[number], fixed, above if down else below)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _sort(row: list[Point], fixed: Sequence[Point], joined: Mapping[Point, Sequence[Point]]) -> None:
    places = {point: place for place, point in enumerate(fixed)}
    middles = {}
    for here, point in enumerate(row):
        others = [places[other] for other in joined.get(point, ())]
        middles[point] = sum(others) / len(others) if others else here
    row.sort(key=lambda point: middles[point])


def _crossings(rows: Sequence[Sequence[Point]], below: Mapping[Point, Sequence[Point]]) -> int:
    count = 0
    for row, next_row in pairwise(rows):
        places = {point: place for place, point in enumerate(next_row)}
        seen: list[int] = []
        for point in row:
            ends = [places[end] for end in below.get(point, ())]
            count += sum(before > end for end in ends for before in seen)
            seen += ends
    return count
