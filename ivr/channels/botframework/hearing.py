"""What an activity means where the conversation stands: events of the engine, or nothing."""

from ivr.channels.botframework import notes, wire
from ivr.channels.botframework.activity import Activity
from ivr.channels.in_writing import awaiting, pace
from ivr.channels.in_writing.answers import answer
from ivr.engine.events import CallEnded, Event, RecordingMade, SpeechHeard, TransferFailed, Transferred
from ivr.ports import Leg


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
        return (pace.ended(leg, "caller"),)
    awaited = awaiting.awaited(leg)
    if awaited is None:
        return ()
    op, kind = awaited
    if kind == "transfer" and activity.kind == "event" and activity.name == wire.HANDOFF_STATUS:
        return _handed_over(op, activity.state)
    if activity.kind != "message":
        return ()
    question = awaiting.question(leg)
    if question is not None:
        return (answer(question, activity.text),)
    return _left_a_message(op, activity) if kind == "record" else ()


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
