"""`ask`: asks for one value, by keys or in words; keys do on every line, words on those that recognise free speech."""

from datetime import date

from ivr.engine.actions.asking import understood_everywhere
from ivr.engine.actions.base import Again, Result
from ivr.engine.actions.digits import Digits
from ivr.engine.events import Event, KeysJudged, SpeechHeard
from ivr.engine.expressions.convert import KEYED_DATE
from ivr.engine.offers import by_words
from ivr.engine.scope import Scope
from ivr.engine.spoken_answers import NO, YES, understood
from ivr.engine.values import Value
from ivr.engine.variables import Misfit


class Ask(Digits, frozen=True):
    """The action `ask` (LANGUAGE C4): what is said is made into the keys that mean the same, and judged as these."""

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge an answer."""
        if isinstance(event, SpeechHeard) and self.confirms(scope) is None:
            return self._heard(scope, event.text)
        return super().hear(scope, event, offered)

    def traced(self, event: Event, result: Result | None) -> Event:
        """Keep of sensitive words only how they were judged (C12)."""
        if self.sensitive and isinstance(event, SpeechHeard) and not self._is_known(result):
            return KeysJudged(event.op, "refused" if isinstance(result, Again) else "accepted")
        return super().traced(event, result)

    def _heard(self, scope: Scope, text: str) -> Result:
        command = by_words([choice.choice(scope.language) for choice in self.question.everywhere], text)
        if command is not None:
            return understood_everywhere(command)
        keys = self._meant(scope, text)
        return self._accepted(keys) if keys is not None and self._is_answer(keys) else Again("noMatch")

    def _meant(self, scope: Scope, text: str) -> str | None:
        """Return the keys that mean what was said; None: it is no such answer."""
        format_ = self.variable.format if self.variable else KEYED_DATE
        today = scope["today"]  # a variable of an earlier flow may have this name
        known = today if isinstance(today, date) else None
        return None if self.free is None else understood(text, self.free, scope.language, format_=format_, today=known)

    def _value(self, keys: str) -> Value:
        """Return keys as the variable's type; yes and no are true and false to a variable that can be so."""
        if self.variable is not None and self.variable.type.name == "boolean":
            if keys not in (YES, NO):
                raise Misfit("neither yes nor no")
            return keys == YES
        return super()._value(keys)
