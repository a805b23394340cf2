"""What jambonz, and the network before it, do at times that no bot wants; each on request."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

HookMisdeed: TypeAlias = Literal["twice", "lost", "late", "forged", "hangup-open", "status-first", "socket-dropped"]

HOOK_MISDEEDS: Mapping[HookMisdeed, str] = {
    "twice": "each hook is posted twice at once",
    "lost": "each answer is lost, and the hook posted again, with the same signature",
    "late": "the hook before is posted again after each hook",
    "forged": "before each hook, one is posted with each kind of wrong signature",
    "hangup-open": "the caller hangs up while the bot is still answering",
    "status-first": "the end of a call is told before what ended it",
    "socket-dropped": "the WebSocket of a listen breaks off in mid-stream",
}


class HookMisbehaviour(Struct, frozen=True):
    """What this jambonz does."""

    misdeeds: frozenset[HookMisdeed] = frozenset()
    hangs_up_at: int = 2
    "With `hangup-open`: at which of the hooks that are answered with verbs, from 1."
    drops_after: float = 1.0
    "With `socket-dropped`: after so many seconds of sound."

    def does(self, misdeed: HookMisdeed) -> bool:
        """Return whether it does this."""
        return misdeed in self.misdeeds
