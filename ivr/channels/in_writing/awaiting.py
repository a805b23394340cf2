"""What is remembered of a call in writing, whatever its platform: what is awaited until when, and how much was said."""

from collections.abc import Mapping

from ivr.channels import gathered
from ivr.engine.call import KINDS, OperationKind
from ivr.engine.commands import LineCommand, Recognize
from ivr.ports import Leg

_OP, _KIND, _ASKED, _DUE = _AWAITED = "op", "kind", "asked", "due"
_RUN = "run"


def changed(leg: Leg, notes: Mapping[str, str]) -> Leg:
    """Return the leg with other notes; an empty one is none."""
    return Leg({name: text for name, text in {**leg.notes, **notes}.items() if text})


def asking(leg: Leg, command: LineCommand, due: float) -> Leg:
    """Return the leg once a command was given; `due` is when its outcome is awaited no longer, since 1970."""
    question = gathered.as_note(command) if isinstance(command, Recognize) else ""
    return changed(leg, {_OP: command.op, _KIND: KINDS[type(command)], _ASKED: question, _DUE: repr(due)})


def answered(leg: Leg) -> Leg:
    """Return the leg once nothing is awaited any more."""
    return changed(leg, dict.fromkeys(_AWAITED, ""))


def awaited(leg: Leg) -> tuple[str, OperationKind] | None:
    """Return the operation that is awaited, and what it is; None: none is."""
    op, kind = leg.notes.get(_OP), leg.notes.get(_KIND)
    known = next((one for one in KINDS.values() if one == kind), None)
    return None if not op or known is None else (op, known)


def question(leg: Leg) -> Recognize | None:
    """Return the question whose answer is awaited; None: no question is."""
    return gathered.of_note(leg.notes[_ASKED]) if leg.notes.get(_ASKED) else None


def due(leg: Leg) -> float | None:
    """Return when the outcome is awaited no longer, in seconds since 1970; None: nothing is awaited."""
    noted = leg.notes.get(_DUE)
    return float(noted) if noted else None


def run(leg: Leg) -> int:
    """Return how often something was said since somebody has written."""
    return int(leg.notes.get(_RUN) or 0)


def running(leg: Leg) -> Leg:
    """Return the leg once something more was said."""
    return changed(leg, {_RUN: str(run(leg) + 1)})


def written_to(leg: Leg) -> Leg:
    """Return the leg once somebody has written, or was waited for in vain: what is said next is the first of a run."""
    return changed(leg, {_RUN: ""})
