"""`digits`: asks for keys and judges them by length, type and range."""

from ivr.engine.actions.base import Again, Asking, Asks, Raised, Result, Why
from ivr.engine.commands import DigitInput, Recognize, Segment
from ivr.engine.events import Event, InputInvalid, InputTimedOut, KeysJudged, KeysPressed
from ivr.engine.flow import Variable
from ivr.engine.scope import Scope
from ivr.engine.values import MaskedValue, Value
from ivr.engine.variables import Misfit, fit_keys


class Digits(Asking, frozen=True):
    """The action `digits` (LANGUAGE C4)."""

    keys: DigitInput
    barge_in: bool
    variable: Variable | None = None
    "What `into` names: its type and range decide what is an answer."
    sensitive: bool = False

    @property
    def private(self) -> bool:
        """Whether the author says so, or what keeps it."""
        return self.sensitive

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the keys, if one does."""
        return self.variable.name if self.variable else None

    def start(self, scope: Scope) -> Result:
        """Ask."""
        return self._asks(scope, scope.prompt(self.question.prompt))

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again."""
        whole = scope.prompt(self.question.prompt)
        return self._asks(scope, self.question.repeated(scope, whole, why, count))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an answer."""
        match event:
            case InputTimedOut():
                return Again("noInput")
            case InputInvalid() | KeysJudged(verdict="refused"):
                return Again("noMatch")
            case KeysPressed(keys=keys):
                return self._judged(keys)
            case KeysJudged():
                return self._accepted(MaskedValue(), MaskedValue())
        return None

    def traced(self, event: Event, result: Result | None) -> Event:
        """Keep of sensitive keys only how they were judged (C12)."""
        if self.sensitive and isinstance(event, KeysPressed):
            return KeysJudged(event.op, "refused" if isinstance(result, Again) else "accepted")
        return event

    def _asks(self, scope: Scope, prompt: tuple[Segment, ...]) -> Asks:
        recognize = Recognize(
            op="",
            prompt=prompt,
            digits=self.keys,
            barge_in=self.barge_in,
            initial_silence=self.question.initial_silence,
            language=scope.language,
        )
        return Asks(recognize)

    def _judged(self, keys: str) -> Result:
        if not self.keys.minimum <= len(keys) <= self.keys.maximum:
            return Again("noMatch")
        try:
            return self._accepted(keys, fit_keys(keys, self.variable) if self.variable else keys)
        except Misfit:
            return Again("noMatch")

    def _accepted(self, keys: Value, value: Value) -> Raised:
        stores = {self.variable.name: value} if self.variable else {}
        return Raised("digits", {"digits": keys}, stores, self.sensitive)
