"""What went wrong in a flow during a call: beside the case of the call, since no caller noticed it as such."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ivr.call_record import Stepped
from ivr.engine.call import Failure
from ivr.trace.sentences import failure


class FlowFailure(Struct, frozen=True):
    """An error that a flow raised, or had to do without something for."""

    at: float
    "Seconds since the call came in."
    failure: Failure
    file: str
    "How the flow's file is called."

    @property
    def text(self) -> str:
        """Return it as text for people."""
        return failure(self.failure, self.file)


def flow_failures(trace: Iterable[Stepped], file: str) -> Sequence[FlowFailure]:
    """List what went wrong in a call, in order; `file` is how the flow's file is called."""
    found: list[FlowFailure] = []
    started: float | None = None
    for step in trace:
        started = step.now if started is None else started
        at = (round(step.now * 1e6) - round(started * 1e6)) / 1e6  # as the lines of a case have it
        found += [FlowFailure(at, failed, file) for failed in step.failures]
    return found
