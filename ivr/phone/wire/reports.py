"""What the platform writes: a call that comes in, an outcome, a notification (protocol 4, 6, 9, 12)."""

from collections.abc import Mapping
from typing import Literal
from uuid import uuid4

import msgspec
from msgspec import Struct

from ivr.channels.skype import wire
from ivr.engine.commands import Answer as LineAnswer
from ivr.engine.commands import LineCommand, Play, Recognize, Record, Transfer
from ivr.engine.commands import Reject as LineReject
from ivr.engine.line_facts import LineFacts
from ivr.line import Outcome, Result
from ivr.media.sound import EncodedRecording

JSON = "application/json; charset=utf-8"
AUDIO_TYPES = {"wma": "audio/x-ms-wma", "wav": "audio/wav", "mp3": "audio/mpeg"}

_CHOICE: Mapping[Result, wire.ChoiceReason] = {
    "key": "dtmfOptionMatched",
    "speech": "speechOptionMatched",
    "wrong key": "incorrectDtmf",
    "silence": "initialSilenceTimeout",
    "pause": "interdigitTimeout",
    "left": "callTerminated",
    "system": "temporarySystemFailure",
}
_DIGITS: Mapping[Result, wire.DigitsReason] = {
    "terminator": "completedStopToneDetected",
    "pause": "interdigitTimeout",
    "silence": "initialSilenceTimeout",
    "left": "callTerminated",
    "system": "temporarySystemFailure",
}
_RECORD: Mapping[Result, wire.RecordReason] = {
    "spoken": "completedSilenceDetected",
    "terminator": "completedStopToneDetected",
    "limit": "maxRecordingTimeout",
    "left": "callTerminated",
    "silence": "initialSilenceTimeout",
    "system": "temporarySystemFailure",
}
_FAILURE: Mapping[Result, str] = {
    "silence": "InitialSilenceTimeout",
    "pause": "InterdigitTimeout",
    "wrong key": "IncorrectDtmf",
    "terminator": "CompletedStopToneDetected",
    "left": "CallTerminated",
    "system": "InternalServerError",
}
"Free text, in the style of the vendor's classes (protocol 6)."


class PhoneMessage(Struct, frozen=True):
    """A request body, and the type it is sent with."""

    json: bytes
    content_type: str = JSON
    body: bytes = b""
    "Empty: the JSON is the body."
    audio: int = 0
    "Bytes of the recording in the body."
    at: str | None = None
    "The time that it is to be for the bot (protocol 21)."

    @property
    def data(self) -> bytes:
        """The bytes that are sent."""
        return self.body or self.json


def conversation(
    call: str,
    *,
    caller: str,
    bot: str,
    language: str | None,
    at: str | None = None,
    line: LineFacts | None = None,
    ordered: bool = False,
) -> PhoneMessage:
    """Announce a call; `at` is the time that it is to be for the bot, `line` what there is to tell of the line.

    `ordered`: the bot has ordered it, and `caller`, who was called, has answered (protocol 26).
    """
    return PhoneMessage(
        msgspec.json.encode(
            wire.Conversation(
                id=call,
                participants=(
                    wire.Participant(identity=caller, originator=not ordered, language_id=language),
                    wire.Participant(identity=bot, originator=ordered),
                ),
                is_multiparty=False,
                presented_modality_types=("audio",),
                call_state="established" if ordered else "incoming",
                ivr=line,
            )
        ),
        at=at,
    )


def result(
    call: str,
    outcome: wire.Outcome,
    *,
    state: wire.CallState,
    app_state: str | None,
    audio: EncodedRecording | None = None,
    line: LineFacts | None = None,
) -> PhoneMessage:
    """Report an outcome; with a recording it is a form of two parts (protocol 9)."""
    report = wire.ConversationResult(
        id=call,
        operation_outcome=outcome,
        call_state=state,
        app_state=app_state,
        ivr=line,
    )
    body = msgspec.json.encode(report)
    return PhoneMessage(body) if audio is None else _form(body, audio)


def validation_outcome(op: str, problems: tuple[str, ...]) -> wire.Outcome:
    """Return the outcome that says that nothing of a workflow was done."""
    return wire.WorkflowValidationOutcome(id=op, outcome="failure", failure_reason="; ".join(problems)[:1000])


def wire_outcome(command: LineCommand, outcome: Outcome, recorded: EncodedRecording | None) -> wire.Outcome:
    """Put what became of a command into the vendor's words. A recording that could not be made is a failure."""
    word: wire.OutcomeWord = "success" if outcome.ok else "failure"
    why = None if outcome.ok else outcome.why or _FAILURE.get(outcome.result, "Unknown")
    match command:
        case Recognize(digits=None):
            choice = wire.ChoiceOutcome(
                completion_reason=_CHOICE.get(outcome.result, "unknown"), choice_name=outcome.choice
            )
            return wire.RecognizeOutcome(id=outcome.op, outcome=word, failure_reason=why, choice_outcome=choice)
        case Recognize() if outcome.words:
            said = wire.SpeechOutcome(text=outcome.words)
            return wire.RecognizeOutcome(id=outcome.op, outcome=word, failure_reason=why, speech_outcome=said)
        case Recognize():
            digits = wire.CollectDigitsOutcome(
                completion_reason=_digits_reason(command, outcome.result), digits=outcome.keys if outcome.ok else None
            )
            return wire.RecognizeOutcome(id=outcome.op, outcome=word, failure_reason=why, collect_digits_outcome=digits)
        case Record():
            return _record(outcome, recorded, why)
        case LineAnswer():
            return wire.AnswerOutcome(id=outcome.op, outcome=word, failure_reason=why)
        case LineReject():
            return wire.RejectOutcome(id=outcome.op, outcome=word, failure_reason=why)
        case Play():
            return wire.PlayPromptOutcome(id=outcome.op, outcome=word, failure_reason=why)
        case Transfer():
            status = outcome.status or None
            return wire.TransferOutcome(id=outcome.op, outcome=word, failure_reason=why, status=status)
    return wire.HangupOutcome(id=outcome.op, outcome=word, failure_reason=why)


def _record(outcome: Outcome, recorded: EncodedRecording | None, why: str | None) -> wire.RecordOutcome:
    if outcome.ok and recorded is not None:
        return wire.RecordOutcome(
            id=outcome.op,
            outcome="success",
            completion_reason=_RECORD.get(outcome.result, "unknown"),
            length_of_recording_in_secs=recorded.seconds,
            format=recorded.format,
        )
    # Without audio there is nothing to succeed with: then the platform, not the caller, has failed.
    result: Result = "system" if outcome.ok and outcome.result != "left" else outcome.result
    return wire.RecordOutcome(
        id=outcome.op,
        outcome="failure",
        failure_reason=why or _FAILURE.get(result, "Unknown"),
        completion_reason=_RECORD.get(result, "unknown"),
        length_of_recording_in_secs=0,
    )


def _digits_reason(command: Recognize, result: Result) -> wire.DigitsReason:
    if result == "count":
        # There is no word for a full count; these are the ones that both SDKs take for an answer (protocol 7).
        has_stop_tones = command.digits is not None and bool(command.digits.terminators)
        return "completedStopToneDetected" if has_stop_tones else "interdigitTimeout"
    return _DIGITS.get(result, "unknown")


def notification(
    call: str, state: Literal["establishing", "established", "terminated"], *, line: LineFacts | None = None
) -> PhoneMessage:
    """Return the notification of a change of the call's state (protocol 12)."""
    code = "0" if state == "terminated" else None
    return PhoneMessage(
        msgspec.json.encode(
            wire.Notification(id=call, type="callStateChange", current_state=state, state_change_code=code, ivr=line)
        )
    )


def _form(body: bytes, audio: EncodedRecording) -> PhoneMessage:
    """Write the two parts so that every SDK finds both: the two names, their types, no file name (protocol 9)."""
    boundary = str(uuid4())
    edge = f"--{boundary}".encode()
    parts = b"\r\n".join(
        [
            edge,
            f"Content-Type: {JSON}".encode(),
            f"Content-Disposition: form-data; name={wire.CONVERSATION_RESULT}".encode(),
            b"",
            body,
            edge,
            f"Content-Type: {AUDIO_TYPES[audio.format]}".encode(),
            f"Content-Disposition: form-data; name={wire.RECORDED_AUDIO}".encode(),
            b"",
            audio.data,
            edge + b"--",
            b"",
        ]
    )
    return PhoneMessage(body, f'multipart/form-data; boundary="{boundary}"', parts, len(audio.data))
