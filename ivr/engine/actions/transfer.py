"""`transfer`: connects the caller with somebody else, and goes on where that fails."""

from collections.abc import Mapping

from ivr.engine.actions.base import Common, Raised, Result, Transfers
from ivr.engine.commands import Transfer
from ivr.engine.destinations import address_of
from ivr.engine.events import Event, TransferFailed, Transferred
from ivr.engine.expressions.compile import Template
from ivr.engine.scope import Scope
from ivr.engine.values import Value


class TransferCall(Common, frozen=True):
    """The action `transfer` (LANGUAGE C4)."""

    to: Template
    destinations: Mapping[str, str]
    "Addresses by name."
    timeout: float | None = None
    "Seconds; none: not written by the author."
    whisper: Template | None = None

    def start(self, scope: Scope) -> Result:
        """Have the caller connected."""
        target = address_of(self.to.written(scope), self.destinations)
        if target is None:  # only where it was put together in the call: what is written out is checked
            return _failed("unreachable", why="`to` is no number, address or destination")
        whisper = self.whisper.written(scope) if self.whisper else None
        return Transfers(Transfer("", target, self.timeout, whisper or None))

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge how it went."""
        if isinstance(event, TransferFailed):
            return _failed(event.reason)
        return Raised("transferred") if isinstance(event, Transferred) else None


def _failed(reason: str, *, why: str = "") -> Raised:
    fields: dict[str, Value] = {"reason": reason}
    return Raised(f"failed.{reason}", fields, why=why)
