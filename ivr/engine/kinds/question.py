"""What all asking kinds share: the question, and asking it again (LANGUAGE C6)."""

from msgspec import Struct

from ivr.engine.actions import Segment
from ivr.engine.kinds.base import Why
from ivr.engine.kinds.common import Common
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope


class Question(Struct, frozen=True, kw_only=True):
    """A question and what is said before it is repeated."""

    prompt: Prompt = ()
    reprompt: Prompt | None = None
    "Instead of the whole question when it is repeated; none: the question; empty: nothing (`reprompt: false`)."
    no_input: tuple[Prompt, ...] = ()
    "The n-th for the n-th silence; the last one repeats."
    no_match: tuple[Prompt, ...] = ()
    "The n-th for the n-th wrong answer; the last one repeats."
    attempts: int
    initial_silence: float | None = None
    "Seconds; none: not written by the author."

    def repeated(self, scope: Scope, whole: tuple[Segment, ...], why: Why, count: int) -> tuple[Segment, ...]:
        """Make what is heard after the `count`-th failure of this sort; `whole` is the question as first asked."""
        texts = self.no_input if why == "noInput" else self.no_match
        before = scope.prompt(texts[min(count, len(texts)) - 1]) if texts else ()
        return before + (whole if self.reprompt is None else scope.prompt(self.reprompt))


class Asking(Common, frozen=True):
    """The part of `Kind` that questions share."""

    question: Question

    @property
    def attempts(self) -> int:
        """How many attempts the caller has."""
        return self.question.attempts
