"""The one telephone of the command, which answers the calls that a bot orders of the carrier that is played."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from ivr.phone.callers.turn_based import CallerAction, Situation, TurnBased
from ivr.phone.handset import Handset
from ivr.phone.phone_events import Ended, PhoneEvent

Answering: TypeAlias = Literal["human", "machine", "fax", "busy", "noAnswer", "rejected", "unreachable"]
"A word of `--callee`."
ANSWERED = ("human", "machine", "fax")
"Those of them that do."


class _Nobody:
    """Nobody is on the telephone (`ivr.phone.callers.turn_based.Person`)."""

    def tell(self, event: PhoneEvent) -> None:
        """Notice nothing."""

    async def act(self, situation: Situation) -> CallerAction | None:
        """Do nothing."""


class OneTelephone:
    """Takes one call at a time."""

    def __init__(self, answers: Answering) -> None:
        """`answers` is who does, a word of `--callee`."""
        self.handset: Callable[[], Handset] | None = None
        "Whose handset the next call is; None: nobody is there."
        self.over: Callable[[Ended], None] = lambda _: None
        "Told when a call is over that was answered."
        self.unanswered: Callable[[str], None] = lambda _: None
        "Told of a call that was not, and why, for people."
        self._answers = answers
        self._talking: Handset | None = None

    def called(self) -> tuple[Answering, Handset]:
        """Return what becomes of a new call, a word of `--callee`, and the handset: it is busy during another call."""
        if self.handset is None or self._talking is not None:
            return "busy", TurnBased(_Nobody(), None)
        if self._answers not in ANSWERED:
            return self._answers, TurnBased(_Nobody(), None)
        self._talking = self.handset()
        return self._answers, self._talking

    def ended(self, handset: Handset, ended: Ended) -> None:
        """Note that a call is over."""
        if handset is self._talking:
            self._talking = None
            self.over(ended)
        else:
            self.unanswered(ended.detail or ended.reason)
