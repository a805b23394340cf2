"""`digits`: asks for keys and judges them by length, type and range."""

from ivr.engine.actions.asking import Asking, understood_everywhere
from ivr.engine.actions.base import Again, Asks, Confirms, Denied, Raised, Result, Why
from ivr.engine.commands import DigitInput, FreeSpeech, Segment
from ivr.engine.events import Event, InputInvalid, InputTimedOut, KeysJudged, KeysPressed
from ivr.engine.flow import Variable
from ivr.engine.offers import by_keys
from ivr.engine.scope import Scope
from ivr.engine.values import MaskedValue, Value
from ivr.engine.variables import Misfit, fit_keys


class Digits(Asking, frozen=True):
    """The action `digits` (LANGUAGE C4)."""

    keys: DigitInput
    variable: Variable | None = None
    "What `into` names: its type and range decide what is an answer."
    sensitive: bool = False
    free: FreeSpeech | None = None
    "What words mean, where they are an answer too."

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
        if confirm := self.confirms(scope):
            return self.asks_to_confirm(scope, confirm, self._answered(scope.unconfirmed))
        return self._asks(scope, scope.prompt(self.question.prompt))

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Ask again."""
        if confirm := self.confirms(scope):
            before = self.question.text_for(scope, why, count)
            return self.asks_to_confirm(scope, confirm, self._answered(scope.unconfirmed), before)
        whole = scope.prompt(self.question.prompt)
        return self._asks(scope, self.question.repeated(scope, whole, why, count))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an answer."""
        if confirm := self.confirms(scope):
            return self.confirmed(scope, confirm, event, offered, self._answered(scope.unconfirmed))
        match event:
            case InputTimedOut():
                return Again("noInput")
            case InputInvalid() | KeysJudged(verdict="refused"):
                return Again("noMatch")
            case KeysPressed(keys=keys):
                return self._judged(keys)
            case KeysJudged():
                return self._accepted(MaskedValue())
        return None

    def traced(self, event: Event, result: Result | None) -> Event:
        """Keep of sensitive keys only how they were judged (C12); a command of the flow is no secret."""
        if self.sensitive and isinstance(event, KeysPressed) and not self._is_known(result):
            return KeysJudged(event.op, "refused" if isinstance(result, Again) else "accepted")
        return event

    def _asks(self, scope: Scope, prompt: tuple[Segment, ...]) -> Asks:
        return Asks(self.question.recognize(scope, prompt, digits=self.keys, free=self.free))

    def _judged(self, keys: str) -> Result:
        if self._is_answer(keys):
            return self._accepted(keys)
        command = by_keys((choice.offer for choice in self.question.everywhere), keys)
        return Again("noMatch") if command is None else understood_everywhere(command)

    def _is_answer(self, keys: str) -> bool:
        if not self.keys.minimum <= len(keys) <= self.keys.maximum:
            return False
        try:
            self._value(keys)
        except Misfit:
            return False
        return True

    def _accepted(self, keys: Value) -> Result:
        return Confirms(keys, self.sensitive) if self.question.confirm else self._answered(keys)

    def _value(self, keys: str) -> Value:
        """Return keys as the variable's type; raise Misfit where they are none."""
        return fit_keys(keys, self.variable) if self.variable else keys

    def _answered(self, keys: Value) -> Raised:
        """Raise an answer, which is known to be one; a masked one stays masked."""
        value = self._value(keys) if isinstance(keys, str) else keys
        stores = {self.variable.name: value} if self.variable else {}
        return Raised("digits", {"digits": keys}, stores, self.sensitive)

    def _is_known(self, result: Result | None) -> bool:
        """Return whether the keys were a command, or said that the answer is right or is not."""
        if isinstance(result, Raised):
            return result.settles or result.event in {choice.name for choice in self.question.everywhere}
        return isinstance(result, Denied)
