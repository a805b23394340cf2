"""The caller of a case, to call again by any line: at each question what was done at it then, in the same world.

What a caller entered in private is in no case, and a line that broke is no caller's doing: such cases cannot be called
again by another line (`can_call_again`).
"""

from collections.abc import Sequence

from ivr.engine.commands import Request
from ivr.engine.events import (
    CallReceived,
    ChoiceMade,
    Event,
    HttpAnswered,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    ServiceAnswered,
    ServiceFailed,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.phone.callers.turn_based import CallerAction, Connect, Leave, Press, Speak
from ivr.phone.handset import ANSWERS
from ivr.trace import case
from ivr.trace.case import AskedChoices, AskedKeys, AskedRecording, Case, caller_steps
from tests.lines.generated_caller import MESSAGE
from tests.lines.visit import Answering, Places, Question, Service, Visit


def can_call_again(recorded: Case) -> bool:
    """Return whether all that happened was a caller's doing, and is known."""
    events = [line.event for line in recorded.lines]
    return not any(map(_is_nobodys, events))


def _is_nobodys(event: case.Happened) -> bool:
    match event:
        case KeysJudged() | case.LineFailed() | case.Recorded(kept=False):
            return True
        case case.HungUp(by=by):
            return by != "caller"
    return False


def visit_of(recorded: Case) -> Visit:
    """Return the call of a case."""
    received = recorded.lines[0].event
    assert isinstance(received, CallReceived)
    return Visit(
        CaseMind(recorded),
        _served(recorded),
        began=recorded.now(0.0),
        caller=received.caller,
        called=received.called,
        language=received.language,
        transfers=received.transfers,
        closed=received.closed,
    )


class CaseMind:
    """`Mind`: does at each question what was done at it."""

    def __init__(self, recorded: Case) -> None:
        self._answers = {place: _answering(asked, event) for place, asked, event in _questions(recorded)}

    def answer(self, asked: Question) -> Answering:
        return self._answers.get(asked.place, Answering((Leave(),)))


def _questions(recorded: Case) -> Sequence[tuple[str, case.Asked, case.Happened]]:
    """Return the place of each question of a case, the question, and what was done about it."""
    found: list[tuple[str, case.Asked, case.Happened]] = []
    places = Places()
    place, asked = "", None
    for caller_step in caller_steps(recorded):
        if asked is not None:
            found.append((place, asked, caller_step.first.event))
        asked = None
        for line in caller_step.lines:
            places.take(line.path)
            if line.asked is not None:
                place, asked = places.asked(), line.asked
    return found


def _answering(asked: case.Asked, event: case.Happened) -> Answering:
    match event:
        case case.HungUp(during=during):
            return Answering((Leave(),), "early" if during in ("play", "answer") else "asked")
        case case.Recorded(ended=ended):
            return Answering((Speak(MESSAGE), *_end_of_recording(asked, ended)))
        case Transferred():
            return Answering((Connect(200),))
        case TransferFailed(reason=reason, status=status):
            return Answering((Connect(status or ANSWERS[reason]),))
        case InputTimedOut():
            return Answering()
    return Answering((_answer(asked, event),))


def _end_of_recording(asked: case.Asked, ended: str) -> Sequence[CallerAction]:
    if ended == "terminator" and isinstance(asked, AskedRecording):
        return (Press(asked.terminators[0]),)
    return (Leave(),) if ended == "hangup" else ()


def _answer(asked: case.Asked, event: case.Happened) -> CallerAction:
    match asked, event:
        case AskedKeys(), KeysPressed(keys=keys, ended=ended):
            ends = ended == "terminator" and len(keys) < asked.maximum
            return Press(keys + (asked.terminators[0] if ends else ""))
        case AskedKeys(), SpeechHeard(text=text):
            return Speak(text)
        case AskedChoices(choices=choices), ChoiceMade(choice=name, by=by):
            chosen = next(choice for choice in choices if choice.name == name)
            return Press(chosen.key) if by == "keys" and chosen.key else Speak(chosen.speech[0])
        case AskedChoices(choices=choices), InputInvalid():
            known = {choice.key for choice in choices}
            return Press(next(key for key in "0123456789*#" if key not in known))
    raise AssertionError(f"no caller does {event} at {asked}")


def _served(recorded: Case) -> Service:
    """Return what services answered then, one request after the other."""
    answers = [line.event for line in recorded.lines if isinstance(line.event, case.ByService)]

    def answer(number: int, request: Request) -> Event:
        said = answers[number] if number < len(answers) else None
        match said:
            case case.Answered(answer=answer):
                return ServiceAnswered(request.job, answer)
            case case.Responded(status=status, body=body, readable=readable, masked=masked):
                return HttpAnswered(request.job, status, body, readable, masked)
            case case.Failed(code=code):
                return ServiceFailed(request.job, code)
        return ServiceFailed(request.job, "failed")

    return answer
