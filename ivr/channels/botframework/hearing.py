"""What somebody has written, against what was asked: an event of the engine.

Whoever writes ends the answer by sending it, so there are no end keys and no pauses between keys. What means nothing
where the conversation stands moves nothing.
"""

import re
from typing import Final, Literal

from ivr.channels.botframework import notes, wire
from ivr.channels.botframework.activity import Activity, plain
from ivr.channels.botframework.offered import is_meant
from ivr.channels.gathered import MAX_WORDS, takes_keys, takes_words, terminators
from ivr.engine.commands import Recognize
from ivr.engine.events import (
    PHONE_KEYS,
    CallEnded,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    RecordingMade,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.engine.offers import by_keys, by_words
from ivr.ports import Leg

_BETWEEN_DIGITS: Final = re.compile(r"[\s().\-/]+")
"What people put between the digits of a number, to read it more easily."


def has_left(leg: Leg, activity: Activity) -> bool:
    """Return whether an activity says that the conversation is over, or that one of the two has left it."""
    if activity.kind == "endOfConversation":
        return True
    if activity.kind in {"contactRelationUpdate", "installationUpdate"}:
        return activity.action.startswith("remove")
    return any(notes.is_party(leg, one) for one in activity.removed)


def events(leg: Leg, activity: Activity) -> tuple[Event, ...]:
    """Return what an activity means for a call that is under way."""
    if has_left(leg, activity):
        return (ended(leg, "caller"),)
    awaited = notes.awaited(leg)
    if awaited is None:
        return ()
    op, kind = awaited
    if kind == "transfer" and activity.kind == "event" and activity.name == wire.HANDOFF_STATUS:
        return _handed_over(op, activity.state)
    if activity.kind != "message":
        return ()
    question = notes.question(leg)
    if question is not None:
        return (answer(question, activity),)
    return _left_a_message(op, activity) if kind == "record" else ()


def ended(leg: Leg, by: Literal["caller", "system"]) -> CallEnded:
    """Return the end of a call at what is awaited: nothing of that comes any more."""
    awaited = notes.awaited(leg)
    return CallEnded(by, awaited[0] if awaited else None)


def silence(leg: Leg) -> tuple[Event, ...]:
    """Return what it means that nothing came in the time allowed."""
    awaited = notes.awaited(leg)
    if awaited is None:
        return ()
    op, kind = awaited
    match kind:
        case "transfer":
            return (TransferFailed(op, "noAnswer"),)
        case "recognize" | "record":
            return (InputTimedOut(op),)
    return (OperationDone(op),)  # what was said is read by now


def answer(question: Recognize, activity: Activity) -> Event:
    """Return what a message answers."""
    words = plain(activity.text, MAX_WORDS)
    if not words:
        return InputInvalid(question.op)  # a picture, say
    keys = _keys(question, words) if takes_keys(question) else ""
    if question.digits is not None:
        return _digits(question, keys, words)
    name = by_keys(question.choices, keys) if keys else None
    if name is not None:
        return ChoiceMade(question.op, name, "keys")
    return _chosen(question, words)


def _keys(question: Recognize, words: str) -> str:
    """Return the keys that were written, without those that would end them on a telephone; "": words were."""
    keys = _BETWEEN_DIGITS.sub("", words).upper()
    if not keys or not PHONE_KEYS.issuperset(keys):
        return ""
    if any(choice.key == keys for choice in question.choices):
        return keys
    return keys.rstrip(terminators(question)) or keys


def _digits(question: Recognize, keys: str, words: str) -> Event:
    if keys:
        too_many = question.digits is not None and len(keys) > question.digits.maximum
        return InputInvalid(question.op) if too_many else KeysPressed(question.op, keys, "terminator")
    return SpeechHeard(question.op, words) if question.free is not None else InputInvalid(question.op)


def _chosen(question: Recognize, words: str) -> Event:
    """Return which choice was written: by a phrase, letter by letter or as it sounds, or by the words on its button."""
    op = question.op
    for choice in question.choices:  # `Yes` and `yes` may both be offered
        if words in choice.speech:
            return ChoiceMade(op, choice.name, "speech")
    name = by_words(question.choices, words) or next(
        (choice.name for choice in question.choices if is_meant(choice, words)), None
    )
    if name is not None:
        return ChoiceMade(op, name, "speech")
    return SpeechHeard(op, words) if takes_words(question) else InputInvalid(op)


def _left_a_message(op: str, activity: Activity) -> tuple[Event, ...]:
    if activity.voice is not None:
        return (RecordingMade(op, 0.0, None),)
    words = activity.text.strip()
    return (SpeechHeard(op, words),) if words else ()


def _handed_over(op: str, state: str) -> tuple[Event, ...]:
    match state:
        case "accepted" | "completed":
            return (Transferred(op), CallEnded("caller", op))
        case "failed":
            return (TransferFailed(op, "rejected"),)
    return ()
