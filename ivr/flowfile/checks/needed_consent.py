"""The proof that nobody is recorded without consent where a recording depends on it (LANGUAGE C4)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from ivr.engine.actions.consent import GIVEN, REFUSED
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text

CONSENT = Check(
    "consent",
    "error",
    "A recording that needs consent can be reached without it.",
    group="Proofs",
    bad="""
start:
  consent: {prompt: "This call is recorded. Is that all right? Press 1 for yes, 2 for no."}
  next: message
  on: {refused: message}
message:
  record: {prompt: Please speak., needsConsent: true}
  next: bye
""",
    good="""
start:
  consent: {prompt: "This call is recorded. Is that all right? Press 1 for yes, 2 for no."}
  next: message
  on: {refused: bye}
message:
  record: {prompt: Please speak., needsConsent: true}
  next: bye
""",
)

Place: TypeAlias = tuple[str, bool]
"A state, and whether consent was given and not refused since, on a way to it."


@CONSENT.message
def _without_consent(states: Sequence[str]) -> Text:
    message = f"A call can come here without consent: {' → '.join(states)}."
    return message, 'Lead here only from the "given" of a consent.'


@CONSENT.finder
def consent(document: Document) -> Iterator[Finding]:
    """Find recordings that need consent, and a way to them that does not pass it."""
    needing = [name for name, state in document.states() if state.record and state.record.needs_consent]
    before = _ways(document) if needing else {}
    for name in needing:
        if (name, False) in before:
            states = _way_to((name, False), before)
            yield document.finding(_without_consent(states), ("states", name, "record", "needsConsent"), key=True)


def _ways(document: Document) -> Mapping[Place, Place | None]:
    """Return every place that a call can come to, with the one before it on a shortest way."""
    begin = (document.begins, False)
    before: dict[Place, Place | None] = {begin: None}
    waiting: list[Place] = [begin]
    for place in waiting:  # grows while it is gone through
        name, is_given = place
        state = document.model.states[name]
        is_consent = state.consent is not None
        if state.invoke and state.invoke.invoked and state.invoke.invoked.asks_consent:
            is_given = False  # it may have been refused there: what was said last counts
        for transition in document.transitions.get(name, ()):
            answer = {GIVEN: True, REFUSED: False}.get(transition.event, is_given) if is_consent else is_given
            after = (transition.target, answer)
            if after not in before:
                before[after] = place
                waiting.append(after)
    return before


def _way_to(place: Place, before: Mapping[Place, Place | None]) -> Sequence[str]:
    states: list[str] = []
    step: Place | None = place
    while step is not None:
        states.append(step[0])
        step = before[step]
    return states[::-1]
