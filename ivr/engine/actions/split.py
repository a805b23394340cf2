"""`split`: shares callers out, the same caller always to the same share."""

from hashlib import sha256

from msgspec import Struct

from ivr.engine.actions.base import Common, Raised, Result
from ivr.engine.expressions.compile import Expression, compile_expression
from ivr.engine.scope import Scope

WHOLE = 10_000
"Hundredths of a percent that all shares have together."
_BYTES = 8
"Of the hash: so many that no share is larger than it should be by more than chance."


_CALL = compile_expression("call.id")


class Share(Struct, frozen=True):
    """One share."""

    name: str
    size: int
    "In hundredths of a percent."


class Split(Common, frozen=True):
    """The action `split` (LANGUAGE C4)."""

    name: str
    "Of the experiment: another name deals again; the name of the state does not matter."
    by: Expression
    "Whose value decides; none: the call's id does."
    shares: tuple[Share, ...]
    into: str | None = None
    "The variable that keeps the share's name."

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the share's name, if one does."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Go on at once, by the share."""
        share = self._dealt(scope)
        return Raised(share, {"value": share}, {self.into: share} if self.into else {})

    def _dealt(self, scope: Scope) -> str:
        """Return the share that a hash of name and value falls into, laid over the shares in file order."""
        value = self.by.value(scope)
        text = str(_CALL.value(scope) if value is None else value)
        digest = sha256(f"{self.name}\n{text}".encode()).digest()
        place = int.from_bytes(digest[:_BYTES]) * WHOLE >> 8 * _BYTES
        for share in self.shares[:-1]:
            place -= share.size
            if place < 0:
                return share.name
        return self.shares[-1].name
