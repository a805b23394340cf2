"""What a carrier does at times that no bot wants, each on request."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

Misdeed: TypeAlias = Literal["twice", "lost", "late", "forged", "hangup-open", "status-first", "socket-dropped"]

MISDEEDS: Mapping[Misdeed, str] = {
    "twice": "each request is sent twice at once",
    "lost": "each answer is lost, and the request sent again",
    "late": "the request before is sent again after each request",
    "forged": "before each request, one is sent with each kind of wrong signature",
    "hangup-open": "the caller hangs up while the bot is still answering",
    "status-first": "the end of a call is told before what ended it",
    "socket-dropped": "the WebSocket that takes the caller's sound breaks off, where a carrier has one",
}


class Misbehaviour(Struct, frozen=True):
    """What this carrier does."""

    misdeeds: frozenset[Misdeed] = frozenset()
    hangs_up_at: int = 2
    "With `hangup-open`: at which request, from 1."
    drops_after: float = 1.0
    "With `socket-dropped`: after so many seconds of sound."

    def does(self, misdeed: Misdeed) -> bool:
        """Return whether it does this."""
        return misdeed in self.misdeeds
