"""`allow`: an author's word that a warning in a state is known and meant (LANGUAGE C3)."""

from collections.abc import Iterable, Iterator

from ivr.flowfile.catalogue import RULES
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.nearest import did_you_mean


def allow(document: Document) -> Iterator[Finding]:
    """Find acknowledgements of what is no check, or of what refuses the flow."""
    for name, state in document.states():
        for code in state.allow:
            path = ("states", name, "allow", code)
            if code not in RULES:
                yield document.finding(
                    "value", path, f'No check is called "{code}".', did_you_mean(code, RULES), key=True
                )
            elif not RULES[code].can_warn:
                message = f'"{code}" is an error, and cannot be allowed.'
                yield document.finding("value", path, message, "Correct what it finds.", key=True)


def unacknowledged(document: Document, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out the warnings that the state in which they stand allows."""
    for found in findings:
        name = document.state_at(found.line) if not found.is_error else None
        state = document.model.states.get(name) if name is not None else None
        if state is None or found.code not in state.allow:
            yield found
