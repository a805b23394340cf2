"""Whose values a flow keeps beyond a call, and which (`user.NAME`): what a store is told, and what it keeps.

A caller is who the line says is calling, and no more: a number can be withheld, and on most lines it can be forged. So
a caller of one line is not the caller of another one whose name is the same, and nothing is kept of whoever has none.
"""

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from msgspec import Struct

from ivr.engine.values import Stored


class User(Struct, frozen=True):
    """A caller, as a line names one."""

    channel: str
    account: str
    "As of the keys of calls."
    within: str
    "The part of the line in which the name is that of one person alone (`CallReceived.within`)."
    name: str


class KeptValue(Struct, frozen=True):
    """A value that a turn keeps of the caller, or erases."""

    name: str
    "Of the variable, `user.NAME`."
    value: Stored
    "None: it is erased."
    until: float
    "When it is erased, in seconds since 1970, UTC."
    private: bool = False
    "It is sealed."


Known: TypeAlias = Mapping[str, tuple[Stored, bool]]
"What is kept of a caller: by the name of its variable, each value, and whether it is private."


class UserValues(Protocol):
    """What is kept of callers. It is written with the turns of their calls (`Commit.kept`), the last one counts."""

    async def known(self, user: User, *, now: float) -> Known:
        """Return all that is kept of a caller, `now` in seconds since 1970. Raises StoreUnavailable.

        What cannot be read any more is left out.
        """

    async def forget_user(self, user: User) -> None:
        """Erase all that is kept of a caller."""

    async def forget_values(self, *, now: float) -> int:
        """Erase what has been kept for as long as it was to be; return how many values that were."""
