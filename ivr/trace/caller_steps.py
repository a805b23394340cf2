"""A case, divided at what the caller did."""

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from ivr.trace import case
from ivr.trace.case import Case, CaseLine


class CallerStep(Struct, frozen=True):
    """Something the caller did, and everything up to the next such thing."""

    lines: tuple[CaseLine, ...]
    upcoming: int | None
    "The line of the next caller action."

    @property
    def first(self) -> CaseLine:
        """What the caller did."""
        return self.lines[0]


def caller_steps(recorded: Case) -> Iterator[CallerStep]:
    """Divide a case at what the caller did; what services said belongs to what the caller did before."""
    lines = recorded.lines
    starts = [n for n, line in enumerate(lines) if not isinstance(line.event, case.Answered | case.Failed)]
    for start, end in pairwise([*starts, None]):
        if start is not None:
            yield CallerStep(lines[start:end], end)
