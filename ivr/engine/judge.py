"""The results of guards over private values (LANGUAGE C12).

A trace holds a hash of a guard's text (the text may contain the value that it looks for) and its result, never the
value. In a replay, where the value is a mask, the recorded result is used again. A guard that was edited since then has
another hash, so no result is found, and the replay is undetermined.
"""

from collections.abc import Mapping
from hashlib import sha256

from ivr.engine.call import Judged
from ivr.engine.expressions.compile import Expression
from ivr.engine.secret_values import SECRETS
from ivr.engine.values import MaskedValue, Value
from ivr.errors import ExpressionFailed, MaskedRead


class Judge:
    """The guards over private values of one step, in the order in which they were tried."""

    __slots__ = ("_recalled", "said", "secrets")

    def __init__(self, recalled: tuple[Judged, ...] = (), secrets: Mapping[str, str] | None = None) -> None:
        """Take what was recorded, and the secrets of the settings; None: they are not known, as in a replay."""
        self.said: list[Judged] = []
        self.secrets: Value = MaskedValue() if secrets is None else dict(secrets)
        self._recalled = list(recalled)

    def allows(self, guard: Expression, names: Mapping[str, Value]) -> bool:
        """Try a guard; raise MaskedRead where there is neither the value nor a recorded result."""
        name = _name(guard.source)
        recalled = self._recall(name)
        try:
            held: bool | None = self._tried(guard, names)
        except MaskedRead:
            if recalled is None:
                raise
            held = recalled.held
        except ExpressionFailed:
            held = None
        self.said.append(Judged(name, held))
        if held is None:
            raise ExpressionFailed("a guard over a private value has no value", line=guard.line)
        return held

    def _tried(self, guard: Expression, names: Mapping[str, Value]) -> bool:
        """Try a guard; a secret that the settings lack is no value: as `none` it would equal an answer without one."""
        if isinstance(self.secrets, Mapping):
            named = {name.split(".")[1] for name in guard.names if name.startswith(f"{SECRETS}.")}
            if not named <= self.secrets.keys():
                raise ExpressionFailed("a secret that the settings do not have")
        return guard.test(names)

    def _recall(self, guard: str) -> Judged | None:
        """Take the next recorded result of this guard: one text can be tried several times in a step."""
        found = next((judged for judged in self._recalled if judged.guard == guard), None)
        if found is not None:
            self._recalled.remove(found)
        return found


def _name(source: str) -> str:
    return sha256(" ".join(source.split()).encode()).hexdigest()[:12]
