"""Looking calls up by what is known of them, and counting them over time: what the console asks of a store.

Each question costs what it may look at, however many calls are stored. Calls that cannot be read are left out.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from ivr.storage import Block

LIVE: Final = "live"
"Stands for the outcome of calls that are not over."
NO_OUTCOME: Final = "none"
"Stands for the outcome of calls that are over without one."
UNWRITTEN: Final = " -()./"
"What people write into a number, or do not: it makes no difference, and neither do capitals (ASCII)."


class WantedCalls(Struct, frozen=True, omit_defaults=True):
    """Which calls are looked for. What is left empty, or None, can be anything."""

    number: str = ""
    "Part of the caller's number or name, or of the called one's."
    flows: frozenset[str] | None = None
    "The hashes of the flows that took them."
    channel: str = ""
    state: str = ""
    "Where they stand, or stood when they ended."
    outcome: str = ""
    "`LIVE` and `NO_OUTCOME` stand for what has none."
    since: float | None = None
    "They came in then or later; in seconds since 1970, as `until`."
    until: float | None = None
    "They came in before."


class FoundCall(Struct, frozen=True):
    """A call that was looked for. Nothing of it is private."""

    row: int
    "Its place among all calls, in the order in which they came in."
    id: str
    flow: str
    "The hash of the flow that took it."
    channel: str
    caller: str | None
    "None: withheld."
    called: str
    placed: bool
    "We placed it."
    started: float
    "Seconds since 1970, like `ended`."
    ended: float | None
    "When the last thing happened; None: it is not over."
    state: str
    outcome: str | None

    @property
    def party(self) -> str | None:
        """Who is or was on the line, whichever side called; None: withheld."""
        return self.called if self.placed else self.caller

    @property
    def kind(self) -> str:
        """Its outcome, or what stands for one."""
        return LIVE if self.ended is None else self.outcome or NO_OUTCOME


class FoundCalls(Struct, frozen=True):
    """What one look has found."""

    calls: Sequence[FoundCall]
    "The newest first."
    looked: int
    "At how many calls it has looked."
    next: int | None
    "Before which row the next look goes on; None: there are no older calls of this time."


class CallsInTime(Struct, frozen=True):
    """Calls of a block that came in within one stretch of time, were taken by one flow, and have one outcome."""

    flow: str
    "Its hash."
    stretch: int
    "Which one, counted from 1970."
    kind: str
    "As `FoundCall.kind`."
    calls: int
    seconds: float
    "How long they lasted together; 0 for live ones."


class CallSearch(Protocol):
    """Everything raises StoreUnavailable where the data cannot be read."""

    async def search(self, wanted: WantedCalls, *, before: int | None, limit: int, look: int) -> FoundCalls:
        """Look at calls before a row (None: at the newest), at `look` of them at most, until `limit` are found.

        A page that goes on where the last one ended shows no call twice and leaves none out, whatever comes in.
        """

    async def flows(self) -> Sequence[str]:
        """Return the hashes of all flows that calls may name."""

    async def over_time(self, block: Block, width: float) -> Sequence[CallsInTime]:
        """Count the calls of a block by stretches of so many seconds. Reads no trace."""


def as_compared(number: str) -> str:
    """Return what is compared of a number or a name."""
    return number.translate(_COMPARED)


_COMPARED = {
    **{ord(char): None for char in UNWRITTEN},
    **{upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)},
}
