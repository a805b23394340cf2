"""Whether a flow asks the clock, so that what its callers hear depends on when they call."""

from ivr.engine.expressions.errors import ExpressionError
from ivr.flowfile.document import Document
from ivr.flowfile.reader import read
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.validate import validate

CLOCK = frozenset({"now", "today", "call.startedAt"})
"The facts that are another time in every call."


def asks_the_clock(file: str, text: bytes) -> bool:
    """Return whether any expression of a flow file reads the time; of a file that is not sound, what can be told."""
    reading = read(file, text)
    model = validate(reading).model
    if model is None:
        return False
    return any(_reads_time(use.text, bare=use.role == "guard") for use in uses(Document(reading.source, model)))


def _reads_time(text: str, *, bare: bool) -> bool:
    what = compiled(text, bare=bare)
    if isinstance(what, ExpressionError):
        return False
    return any(name == fact or name.startswith(f"{fact}.") for name in what.names for fact in CLOCK)
