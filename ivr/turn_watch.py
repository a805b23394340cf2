"""One turn before it is saved, and who follows turns: to count them, or to trace them.

Followers are told after the fact, once the store has answered: what they do changes no turn, and costs nothing where
nobody follows.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from ivr.call_record import CallRecord, Commit
from ivr.engine.flow import Flow
from ivr.ports import WebhookReply


class Turn(Struct, frozen=True):
    """What one turn leads to, before it is saved."""

    flow: Flow
    before: CallRecord
    commit: Commit
    began: float
    "When its arithmetic began, in seconds since 1970."

    @property
    def reply(self) -> WebhookReply | None:
        """The reply to the message; None: it is owed."""
        message = self.commit.message
        return None if message is None else self.commit.record.replies.get(message)

    @property
    def ends_call(self) -> bool:
        """Whether the call is over with it."""
        return self.commit.record.call.phase == "over" != self.before.call.phase


class TurnTimes(Struct, frozen=True):
    """When the parts of one turn were, in seconds since 1970; 0: it has no such part, since no request caused it."""

    arrived: float = 0.0
    "The first byte of the request."
    taken: float = 0.0
    "The request was whole and its sender known."
    handed: float = 0.0
    "The arithmetic was done: what it led to was handed to the store."
    saved: float = 0.0
    "The store had answered."


class TurnWatch(Protocol):
    """Who follows turns; called in the event loop, and never to wait or to raise."""

    def saved(self, turn: Turn, times: TurnTimes) -> None:
        """Note a turn that was saved."""

    def not_saved(self, turn: Turn, times: TurnTimes, error: Exception) -> None:
        """Note a turn that was not: another was faster (StaleCall), or the store failed."""

    def waited(self, call: str, message: str, since: float, until: float) -> None:
        """Note that the reply to a message of a call waited for a service between these times."""

    def replied(self, call: str, message: str, arrived: float, now: float) -> None:
        """Note that a message whose request came then has its reply, be it for the first time or again."""


class Watched:
    """What turns tell of themselves: to one who follows them, or to nobody."""

    def __init__(self, watch: TurnWatch | None, now: Callable[[], float]) -> None:
        self._watch = watch
        self._now = now

    def now(self) -> float:
        """Return the time in seconds since 1970, if anybody wants to know it; else 0."""
        return 0.0 if self._watch is None else self._now()

    def settled(self, turn: Turn, arrived: float, taken: float, handed: float, error: Exception | None) -> None:
        """Pass on what became of a turn that was handed to the store; the times are those of `TurnTimes`."""
        if self._watch is None:
            return
        times = TurnTimes(arrived, taken, handed, self._now())
        if error is None:
            self._watch.saved(turn, times)
        else:
            self._watch.not_saved(turn, times, error)

    def waited(self, call: str, message: str, since: float) -> None:
        """Pass on that a reply waited for a service until now."""
        if self._watch is not None:
            self._watch.waited(call, message, since, self._now())

    def replied(self, call: str, message: str, arrived: float) -> None:
        """Pass on that a message has its reply now."""
        if self._watch is not None:
            self._watch.replied(call, message, arrived, self._now())
