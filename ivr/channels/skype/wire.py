"""Microsoft's messages in Microsoft's spelling, faithful to the last typo (protocol 4 to 7, 12).

Rule 1: a name of the vendor stands here and nowhere else; a member is its camel-case form.
Rule 2: these are shapes only. How leniently they are read is `reading`, which of them are allowed is `rules`. The other
side of the protocol, `ivr.phone`, has its own of both and shares nothing but this file.

`None` means absent, as the platform shares the convention of leaving members out rather than writing null. The order
of an enumeration's words is the order of its numbers, since its readers take either (protocol 3); `unknown` is the word
for every word that is not in the list, and is never a success.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from ivr.engine.commands import FreeSpeech
from ivr.engine.line_facts import LineFacts

CallState: TypeAlias = Literal[
    "unknown",
    "idle",
    "incoming",
    "establishing",
    "established",
    "hold",
    "unhold",
    "transferring",
    "redirecting",
    "terminating",
    "terminated",
]
Modality: TypeAlias = Literal["unknown", "audio", "video", "videoBasedScreenSharing"]
# The vendor's own zero values are `success` and `male`, so that a word its classes do not know succeeds. Not here.
OutcomeWord: TypeAlias = Literal["success", "failure", "unknown"]
VoiceGender: TypeAlias = Literal["male", "female", "unknown"]
Culture: TypeAlias = Annotated[str, Meta(description="A language tag.")]
"A tag or `unknown`; the vendor's readers know `unknown` and `en-US`, and others are an addition of ours (24)."
LANGUAGE: Final = "en-US"
"The only one that the vendor's platform ever spoke (protocol 10)."
RecordingFormat: TypeAlias = Literal["unknown", "wma", "wav", "mp3"]
SayAs: TypeAlias = Literal[
    "unknown",
    "yearMonthDay",
    "monthDayYear",
    "dayMonthYear",
    "yearMonth",
    "monthYear",
    "monthDay",
    "dayMonth",
    "day",
    "month",
    "year",
    "cardinal",
    "ordinal",
    "letters",
    "time12",
    "time24",
    "telephone",
    "name",
    "phoneticName",
]
NotificationType: TypeAlias = Literal["unknown", "callStateChange", "rosterUpdate"]
ChoiceReason: TypeAlias = Literal[
    "unknown",
    "initialSilenceTimeout",
    "incorrectDtmf",
    "interdigitTimeout",
    "speechOptionMatched",
    "dtmfOptionMatched",
    "callTerminated",
    "temporarySystemFailure",
]
DigitsReason: TypeAlias = Literal[
    "unknown",
    "initialSilenceTimeout",
    "interdigitTimeout",
    "completedStopToneDetected",
    "callTerminated",
    "temporarySystemFailure",
]
RecordReason: TypeAlias = Literal[
    "unknown",
    "initialSilenceTimeout",
    "maxRecordingTimeout",
    "completedSilenceDetected",
    "completedStopToneDetected",
    "callTerminated",
    "temporarySystemFailure",
]

Key: TypeAlias = Annotated[str, Meta(max_length=1, pattern="^[0-9*#A-D]$")]
"A key of a phone; upper case only (protocol 5.5)."
Keys: TypeAlias = Annotated[str, Meta(max_length=20, pattern="^[0-9*#A-D]+$")]
"Several only where the platform has offered that (25)."
Number: TypeAlias = int | float
Length: TypeAlias = Annotated[Number | None, Meta(description="Seconds.")]
"How long a recording is; None: not told, or in a way that cannot be understood."
Status: TypeAlias = Annotated[Number | None, Meta(description="SIP status.")]
"None: not told, or in a way that cannot be understood."

LineNews: TypeAlias = Annotated[LineFacts | None, Meta(description="What is new about the line.")]
"An addition of ours (protocol 22); None: nothing, or nothing that can be understood."

MESSAGE_ID = "x-microsoft-skype-message-id"
PRETENDED_TIME = "x-ivr-pretended-time"  # an addition of ours, for trying flows out (protocol 21)
"The header that names a message, in lower case."
CONVERSATION_RESULT = "conversationResult"
"The part of a multipart callback that holds the message."
RECORDED_AUDIO = "recordedAudio"
"The part of a multipart callback that holds the audio (protocol 9)."
WORKFLOW_VALIDATION = "worfklowValidationOutcome"  # sic, in the vendor's own contract
WORKFLOW_VALIDATION_ELSEWHERE = "workflowValidationOutcome"  # in the vendor's documentation and older SDK


class Wire(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An object of the wire; what is `None` is not written."""


# --- bot to platform (protocol 5) ------------------------------------------------------------------------------------


class Prompt(Wire, frozen=True, kw_only=True):
    """A text, a file or a silence (5.4)."""

    value: str | None = None
    file_uri: str | None = None
    silence_length_in_milliseconds: int | None = None
    "Heard before the value; 0 to 60,000."
    voice: VoiceGender | None = None
    culture: Culture | None = None
    emphasize: bool | None = None
    say_as: SayAs | None = None


class ActionBase(Wire, frozen=True, kw_only=True, tag_field="action"):
    """What every action has; `action` and `operationId` come first, as the vendor's readers like it."""

    operation_id: str


class Answer(ActionBase, frozen=True, kw_only=True, tag="answer"):
    """Take the call (5.2)."""

    accept_modality_types: tuple[Modality, ...] | None = None


class Reject(ActionBase, frozen=True, tag="reject"):
    """Decline the call (5.3)."""


class Hangup(ActionBase, frozen=True, tag="hangup"):
    """End the call (5.3)."""


class PlayPrompt(ActionBase, frozen=True, kw_only=True, tag="playPrompt"):
    """Play prompts in order (5.4)."""

    prompts: tuple[Prompt, ...]


class RecognitionOption(Wire, frozen=True, kw_only=True):
    """One of the answers that are listened for (5.5)."""

    name: str
    speech_variation: tuple[str, ...] | None = None
    dtmf_variation: Keys | None = None


class CollectDigits(Wire, frozen=True, kw_only=True):
    """Keys to be collected (5.5)."""

    max_number_of_dtmfs: int | None = None
    stop_tones: tuple[Key, ...] | None = None


class Recognize(ActionBase, frozen=True, kw_only=True, tag="recognize"):
    """Ask for one of `choices`, or for digits (5.5)."""

    play_prompt: PlayPrompt | None = None
    barge_in_allowed: bool | None = None
    culture: Culture | None = None
    initial_silence_timeout_in_seconds: Number | None = None
    interdigit_timeout_in_seconds: Number | None = None
    barge_in_by_speech_allowed: bool | None = None
    "An addition of ours, as all that follows to `stop_tones` (25)."
    type_ahead_allowed: bool | None = None
    free_speech: FreeSpeech | None = None
    stop_tones: tuple[Key, ...] | None = None
    choices: tuple[RecognitionOption, ...] | None = None
    collect_digits: CollectDigits | None = None


class Record(ActionBase, frozen=True, kw_only=True, tag="record"):
    """Record the caller (5.6)."""

    play_prompt: PlayPrompt | None = None
    max_duration_in_seconds: Number | None = None
    initial_silence_timeout_in_seconds: Number | None = None
    max_silence_timeout_in_seconds: Number | None = None
    recording_format: RecordingFormat | None = None
    play_beep: bool | None = None
    stop_tones: tuple[Key, ...] | None = None


class Transfer(ActionBase, frozen=True, kw_only=True, tag="transfer"):
    """Connect the caller with somebody else: an addition of ours (23), only where the platform has offered it."""

    target: str
    timeout_in_seconds: Number | None = None
    whisper: str | None = None
    "What whoever answers is told of the caller."


Action: TypeAlias = Answer | Reject | Hangup | PlayPrompt | Recognize | Record | Transfer


class WorkflowLinks(Wire, frozen=True, kw_only=True):
    """Where the platform reports to (5.1)."""

    callback: str
    notification: str | None = None


class Workflow(Wire, frozen=True, kw_only=True):
    """A reply: what the platform is to do, in order (5.1)."""

    links: WorkflowLinks | None = None
    "None: do not call back."
    actions: tuple[Action, ...]
    app_state: str | None = None
    notification_subscriptions: tuple[NotificationType, ...] | None = None


# --- platform to bot (protocol 4, 6, 12) -----------------------------------------------------------------------------


class Participant(Wire, frozen=True, kw_only=True):
    """Somebody on the call (4.1)."""

    identity: str
    originator: bool
    display_name: str | None = None
    language_id: str | None = None


class Conversation(Wire, frozen=True, kw_only=True):
    """A call comes in (4.1)."""

    id: str
    participants: tuple[Participant, ...]
    is_multiparty: bool | None = None
    presented_modality_types: tuple[Modality, ...]
    call_state: CallState
    thread_id: str | None = None
    thread_message_id: str | None = None
    subject: str | None = None
    app_id: str | None = None
    app_state: str | None = None
    links: dict[str, str] | None = None
    ivr: LineNews = None


class OutcomeBase(Wire, frozen=True, kw_only=True, tag_field="type"):
    """What every outcome has (6)."""

    id: str
    "The `operationId` of the action that is reported."
    outcome: OutcomeWord
    failure_reason: str | None = None
    "Free text."


class AnswerOutcome(OutcomeBase, frozen=True, tag="answerOutcome"):
    """The call was taken."""


class RejectOutcome(OutcomeBase, frozen=True, tag="rejectOutcome"):
    """The call was declined."""


class HangupOutcome(OutcomeBase, frozen=True, tag="hangupOutcome"):
    """The call was ended."""


class PlayPromptOutcome(OutcomeBase, frozen=True, tag="playPromptOutcome"):
    """The prompts were played; not that anybody heard them."""


class ChoiceOutcome(Wire, frozen=True, kw_only=True):
    """Which choice it was, or why none (6, 7)."""

    completion_reason: ChoiceReason
    choice_name: str | None = None


class CollectDigitsOutcome(Wire, frozen=True, kw_only=True):
    """Which keys were pressed, without the stop tone (6, 7)."""

    completion_reason: DigitsReason
    digits: str | None = None


class SpeechOutcome(Wire, frozen=True, kw_only=True):
    """What was said for a value: an addition of ours (25)."""

    text: str
    confidence: Number | None = None


class RecognizeOutcome(OutcomeBase, frozen=True, kw_only=True, tag="recognizeOutcome"):
    """What the caller answered: on success exactly one of the three, on failure any or none."""

    choice_outcome: ChoiceOutcome | None = None
    collect_digits_outcome: CollectDigitsOutcome | None = None
    speech_outcome: SpeechOutcome | None = None


class RecordOutcome(OutcomeBase, frozen=True, kw_only=True, tag="recordOutcome"):
    """How the recording ended; its audio is another part of the same request (9)."""

    completion_reason: RecordReason
    length_of_recording_in_secs: Length = None
    format: RecordingFormat | None = None


class TransferOutcome(OutcomeBase, frozen=True, kw_only=True, tag="transferOutcome"):
    """Whether the caller was connected with somebody else (23); where they were, the call is over."""

    status: Status = None
    "What the other side answered, as a SIP status."


class WorkflowValidationOutcome(OutcomeBase, frozen=True, tag=WORKFLOW_VALIDATION):
    """The whole workflow was refused, and nothing of it was done."""


class UnknownOutcome(OutcomeBase, frozen=True, tag="unknown"):
    """An outcome of a type that the protocol does not name."""


Outcome: TypeAlias = (
    AnswerOutcome
    | RejectOutcome
    | HangupOutcome
    | PlayPromptOutcome
    | RecognizeOutcome
    | RecordOutcome
    | TransferOutcome
    | WorkflowValidationOutcome
    | UnknownOutcome
)


class ConversationResult(Wire, frozen=True, kw_only=True):
    """What became of a workflow (4.2)."""

    id: str
    operation_outcome: Outcome
    call_state: CallState
    app_state: str | None = None
    app_id: str | None = None
    links: dict[str, str] | None = None
    ivr: LineNews = None


class RosterEntry(Wire, frozen=True, kw_only=True):
    """Somebody in a group call, and one of their streams (12)."""

    identity: str
    media_type: Modality
    media_stream_direction: str
    media_stream_id: str | None = None
    leg_id: str | None = None
    content_sharing_role: str | None = None


class Notification(Wire, frozen=True, kw_only=True):
    """Something about the call that answers no workflow (12)."""

    id: str
    type: NotificationType
    current_state: CallState | None = None
    "Of a `callStateChange`."
    state_change_code: str | None = None
    participants: tuple[RosterEntry, ...] | None = None
    "Of a `rosterUpdate`: the full list."
    ivr: LineNews = None


Message: TypeAlias = Conversation | ConversationResult | Notification
"All that a platform sends."
