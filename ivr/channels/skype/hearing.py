"""Turn the platform's messages into events (protocol 4, 6, 7, 12; LANGUAGE C17).

The completion reason decides, and `outcome` has to agree where the caller's answer is a success. What does not fit
together, or is a word that nobody knows, is a failure of the line: never an answer, and never an exception.
"""

import re
from collections.abc import Mapping
from typing import Literal

from ivr.channels.skype import placing, wire
from ivr.channels.skype.ids import is_ours, owner, plain
from ivr.engine.destinations import why_not
from ivr.engine.events import (
    PHONE_KEYS,
    CallAnswered,
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    LineReported,
    OperationDone,
    OperationFailed,
    RecordingMade,
    SpeechHeard,
    TransferFailed,
    Transferred,
)
from ivr.ports import Upload

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_BOT = "28:"
_MAX_REASON = 200
"Characters that are kept of a platform's free text."
_A_DAY = 86_400
_STATUSES = range(100, 700)

_MATCHED: Mapping[str, Literal["keys", "speech"]] = {"dtmfOptionMatched": "keys", "speechOptionMatched": "speech"}
_NOT_OFFERED = frozenset({"incorrectDtmf", "interdigitTimeout"})
# A full count is reported as one or the other, depending on whether there were stop tones (protocol 7).
_KEYED: Mapping[str, Literal["terminator", "silence"]] = {
    "completedStopToneDetected": "terminator",
    "interdigitTimeout": "silence",
}
_RECORDED: Mapping[str, Literal["terminator", "silence", "limit", "hangup"]] = {
    "completedStopToneDetected": "terminator",
    "completedSilenceDetected": "silence",
    "maxRecordingTimeout": "limit",
    "callTerminated": "hangup",
}


def events(
    message: wire.Message, audio: Upload | None, *, over: bool, at: str | None = None, ordered: bool = False
) -> tuple[Event, ...]:
    """Return what happened, in order. `over`: what `is_over` says of the message.

    `audio` is what came in another part of the request, `at` a pretended time; `ordered`: we have ordered the call,
    and nobody has answered it so far. What the line tells of itself comes last: it moves nothing.
    """
    news = placing.progress(message, over=over) if ordered else ()
    happened = news or _happened(message, audio, at, over=over)
    return happened if message.ivr is None else (*happened, LineReported(message.ivr))


def _happened(message: wire.Message, audio: Upload | None, at: str | None, *, over: bool) -> tuple[Event, ...]:
    match message:
        case wire.ConversationResult():
            return _result(message, audio, over=over)
        case wire.Conversation() if over:
            return (CallEnded("caller"),)
        case wire.Conversation():
            return (CallAnswered(transfers=_transfers(message)) if is_answer(message) else _received(message, at),)
    return (CallEnded("caller"),) if over else ()


def is_over(message: wire.Message) -> bool:
    """Return whether nobody is on the line any more, so that no workflow is wanted."""
    match message:
        case wire.ConversationResult():
            return message.call_state == "terminated" or "callTerminated" in _reasons(message.operation_outcome)
        case wire.Conversation():
            return message.call_state == "terminated"
    return message.type == "callStateChange" and message.current_state == "terminated"


def is_answer(message: wire.Message) -> bool:
    """Return whether a message says that somebody has answered a call that we ordered (protocol 26)."""
    return isinstance(message, wire.Conversation) and message.call_state == "established"


def _transfers(conversation: wire.Conversation) -> bool:
    return conversation.ivr is not None and conversation.ivr.transfer is True


def _reasons(outcome: wire.Outcome) -> tuple[str, ...]:
    match outcome:
        case wire.RecognizeOutcome(choice_outcome=choice, collect_digits_outcome=digits):
            return tuple([part.completion_reason for part in (choice, digits) if part is not None])
        case wire.RecordOutcome():
            return (outcome.completion_reason,)
    return ()


def _received(conversation: wire.Conversation, at: str | None) -> CallReceived:
    # Nothing promises exactly one originator (protocol 4.1); without one the caller counts as withheld.
    caller, called = None, []
    for person in conversation.participants:
        if person.originator and caller is None:
            caller = person
        else:
            called.append(plain(person.identity))
    language = caller.language_id if caller else None
    line = conversation.ivr
    withheld = line is not None and line.withheld
    return CallReceived(
        caller=(plain(caller.identity) or None) if caller and not withheld else None,
        called=next((identity for identity in called if identity.startswith(_BOT)), called[0] if called else ""),
        language=language if language and _LANGUAGE_TAG.fullmatch(language) else None,
        at=at,
        transfers=_transfers(conversation),
    )


def _result(result: wire.ConversationResult, audio: Upload | None, *, over: bool) -> tuple[Event, ...]:
    outcome = result.operation_outcome
    op = owner(outcome.id)
    heard = _outcome(outcome, op, audio)
    if not over:
        return (heard,)
    ended = CallEnded("caller", op)
    # What the caller still did counts; that something failed on a line that is gone does not.
    fruitless = isinstance(heard, InputTimedOut | InputInvalid | OperationFailed | TransferFailed | CallEnded)
    return (ended,) if fruitless else (heard, ended)


def _outcome(outcome: wire.Outcome, op: str, audio: Upload | None) -> Event:
    match outcome:
        case wire.RecognizeOutcome():
            return _recognized(outcome, op)
        case wire.RecordOutcome():
            return _recorded(outcome, op, audio)
        case wire.WorkflowValidationOutcome():
            # None of its actions ran. Which of them the id names is not documented (protocol 20); one that we never
            # gave out is taken to mean the last reply, one of an older reply shows that the report is stale.
            return OperationFailed(op if is_ours(op) else None, "workflow", _reason(outcome), whole=True)
        case wire.UnknownOutcome():
            return _failed(outcome, op)
        case wire.TransferOutcome(outcome="failure"):
            return _not_connected(outcome, op)
        case wire.TransferOutcome(outcome="success"):
            return Transferred(op)
    return OperationDone(op) if outcome.outcome == "success" else _failed(outcome, op)


def _not_connected(outcome: wire.TransferOutcome, op: str) -> TransferFailed:
    status = round(outcome.status or 0)
    status = status if status in _STATUSES else 0
    return TransferFailed(op, why_not(status), status)


def _recognized(outcome: wire.RecognizeOutcome, op: str) -> Event:
    choice, digits = outcome.choice_outcome, outcome.collect_digits_outcome
    success, said = outcome.outcome == "success", outcome.speech_outcome
    if said is not None:
        is_alone = success and choice is None and digits is None and said.text.strip()
        return SpeechHeard(op, said.text, _share(said.confidence)) if is_alone else _failed(outcome, op)
    if choice is not None and not (digits is not None and success):
        return _chosen(choice, op, success=success) or _failed(outcome, op)
    if digits is not None and choice is None:
        return _keyed(digits, op, outcome.outcome) or _failed(outcome, op)
    return _failed(outcome, op)


def _share(confidence: float | None) -> float | None:
    return float(confidence) if confidence is not None and 0 <= confidence <= 1 else None


def _chosen(part: wire.ChoiceOutcome, op: str, *, success: bool) -> Event | None:
    reason = part.completion_reason
    if reason in _NOT_OFFERED:
        return InputInvalid(op)
    if reason in _MATCHED and success and part.choice_name:
        return ChoiceMade(op, part.choice_name, _MATCHED[reason])
    return _no_answer(reason, op)


def _keyed(part: wire.CollectDigitsOutcome, op: str, word: wire.OutcomeWord) -> Event | None:
    reason, keys = part.completion_reason, part.digits or ""
    # A stop tone alone is an empty answer, although without digits there is no success (protocol 6).
    alone = reason == "completedStopToneDetected" and not keys and word == "failure"
    if reason in _KEYED and (word == "success" or alone) and PHONE_KEYS.issuperset(keys):
        return KeysPressed(op, keys, _KEYED[reason])
    return _no_answer(reason, op)


def _recorded(outcome: wire.RecordOutcome, op: str, audio: Upload | None) -> Event:
    """Keep audio that is there: whether a full length is a success is told in two ways (protocol 7)."""
    reason = outcome.completion_reason
    if reason in _RECORDED and outcome.outcome != "unknown" and audio is not None and audio.size:
        return RecordingMade(op, _seconds(outcome.length_of_recording_in_secs, audio), audio.media, _RECORDED[reason])
    return _no_answer(reason, op) or _failed(outcome, op)


def _seconds(told: float | None, audio: Upload) -> float:
    """Return the length as the platform tells it, else as the file does; 0: nobody knows, and the audio counts."""
    return float(told) if told and 0 < told <= _A_DAY else audio.seconds or 0.0


def _no_answer(reason: str, op: str) -> Event | None:
    if reason == "initialSilenceTimeout":
        return InputTimedOut(op)
    if reason == "callTerminated":
        return CallEnded("caller", op)
    return None


def _failed(outcome: wire.Outcome, op: str) -> OperationFailed:
    return OperationFailed(op, "system", _reason(outcome))


def _reason(outcome: wire.Outcome) -> str:
    """Return why, in the platform's words, for people: the free text, else the completion reason."""
    words = outcome.failure_reason or " ".join(_reasons(outcome))
    return "".join(letter if letter.isprintable() else " " for letter in words[:_MAX_REASON]).strip()
