"""Stacked bars over time, as SVG without a style in it: what a part looks like is said by its class. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from ivr.server.html import Html, tag

WIDTH, HEIGHT = 900, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 14, 28
"Space around the bars: for the numbers, and for the times below."
LABELS: Final = 7
"Times below the bars, at most."
GAP: Final = 0.2
"Of a bar's place that stays empty."


class Bar(Struct, frozen=True):
    """One bar."""

    label: str
    "When it begins, as it stands below it."
    told: str
    "All of it in words."
    parts: Sequence[tuple[str, int]]
    "Class and size of each part, from below."

    @property
    def size(self) -> int:
        """Its whole height."""
        return sum(size for _, size in self.parts)


def bars(title: str, shown: Sequence[Bar]) -> Html:
    """Draw bars from left to right; `title` says what they show, for those who do not see it."""
    top = _rounded_up(max((bar.size for bar in shown), default=0))
    step = (WIDTH - LEFT - RIGHT) / max(len(shown), 1)
    every = math.ceil(len(shown) / LABELS) if shown else 1
    drawn = [part for number, bar in enumerate(shown) for part in _bar(bar, LEFT + number * step, step, top)]
    times = [
        _text(bar.label, LEFT + (number + 0.5) * step, HEIGHT - 8, "time")
        for number, bar in enumerate(shown)
        if number % every == every // 2
    ]
    lines = [part for value in sorted({0, top // 2, top}) for part in _level(value, top)]
    return tag("svg", tag("title", title), *lines, *drawn, *times, class_="bars", role="img",
               viewBox=f"0 0 {WIDTH} {HEIGHT}")  # fmt: skip


def _bar(bar: Bar, left: float, step: float, top: int) -> Iterable[Html]:
    """Draw one; a place over all its height tells what it is, however low the bar."""
    yield tag("rect", tag("title", bar.told), class_="place", x=f"{left:.1f}", y=str(TOP), width=f"{step:.1f}",
              height=str(HEIGHT - TOP - BOTTOM))  # fmt: skip
    below = 0
    for kind, size in bar.parts:
        if size:
            y, end = _height(below + size, top), _height(below, top)
            yield tag("rect", tag("title", bar.told), class_=f"part {kind}", x=f"{left + GAP * step / 2:.1f}",
                      y=f"{y:.1f}", width=f"{(1 - GAP) * step:.1f}", height=f"{end - y:.1f}")  # fmt: skip
            below += size


def _level(value: int, top: int) -> Iterable[Html]:
    y = _height(value, top)
    yield tag("path", class_="level", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}")
    yield _text(f"{value:,}", LEFT - 6, y + 4, "size")


def _text(words: str, x: float, y: float, kind: str) -> Html:
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", class_=kind)


def _height(value: int, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _rounded_up(most: int) -> int:
    """Return the top of the scale: an even number with one or two digits that are not zero."""
    if most <= 2:
        return 2
    power = int(10 ** (len(str(most)) - 1))
    return next(top for factor in (1, 2, 4, 6, 8, 10) if (top := factor * power) >= most and top % 2 == 0)
