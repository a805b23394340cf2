"""What a replay says: the verdicts, and where the first difference is."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from ivr.engine.call import Taken
from ivr.trace.case import Happened
from ivr.trace.experience import Experience

Kind: TypeAlias = Literal["wording", "way"]
"""`wording`: what is heard, what others are told of it, what is kept of the caller. `way`: what can be answered, where
the call gets, how it ends, what services are asked, who is told."""
What: TypeAlias = Literal["heard", "asked", "state", "end", "outcome", "ordered", "told", "kept"]
"What differs."


VerdictWord: TypeAlias = Literal["same", "changed", "undetermined"]
VERDICTS: tuple[VerdictWord, ...] = get_args(VerdictWord)


class Side(Struct, frozen=True):
    """One side of a difference: the recorded call, or the same call today."""

    experience: Experience
    state: str
    "Where the call stands then."
    path: tuple[Taken, ...]
    "From the start of the call to here."
    step: tuple[Taken, ...]
    "The transitions since the caller last did something."
    outcome: str | None = None


class Difference(Struct, frozen=True):
    """A place where the call of today is another one."""

    kind: Kind
    what: What
    at: float
    "Seconds since the call came in, of what the caller did before it."
    event: Happened
    "What the caller did before it."
    before: Side
    now: Side


class Verdict(Struct, frozen=True):
    """What became of one case."""

    verdict: VerdictWord
    wording: Difference | None = None
    "The first difference in what is heard."
    way: Difference | None = None
    "The first difference in the way; the replay ends there."
    why: str | None = None
    "Why it cannot be known how the call goes on from some point; the replay ends there too."
    where: str = ""
    "The state of today's flow in which that is."
    unknown: Difference | None = None
    "What was heard up to that point, and what is asked there."
    renamed: Mapping[str, str] = {}
    "States that have another name now, old to new."

    @property
    def first(self) -> Difference | None:
        """The first difference of all."""
        return self.wording or self.way or self.unknown

    def allowed(self, kinds: frozenset[Kind]) -> bool:
        """Return whether there is nothing in it but changes of kinds that are allowed."""
        if self.why is not None:
            return False
        found = {kind for kind, one in (("wording", self.wording), ("way", self.way)) if one}
        return found <= kinds


class Unknown(Exception):  # a control flow of the replay, never shown
    """It cannot be known how the call goes on."""

    def __init__(self, why: str, state: str) -> None:
        super().__init__(why)
        self.why = why
        self.state = state
