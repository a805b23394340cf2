"""What happens on a line, what it wants done, and what it reports in the end; all of it plain data.

*Signals* go in: keys, voice, words, the end of a prompt, time. *Effects* come out, for the code that makes sound and
shows what is going on. The one *outcome* of a list of commands is the last effect (protocol 2: that of the last command
if all went well, else that of the first one that failed).
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.engine.commands import Recognize, Record, Segment, Transfer

# --- signals ---------------------------------------------------------------------------------------------------------


class KeyDown(Struct, frozen=True, tag=True):
    """The caller holds a key down."""

    key: str
    "One of `0`-`9`, `*`, `#`, `A`-`D`."


class KeyUp(Struct, frozen=True, tag=True):
    """The caller let go of the key; only now does it count."""


class VoiceSignal(Struct, frozen=True, tag=True):
    """The caller began to make a sound, or fell silent."""

    active: bool


class WordsUnderstood(Struct, frozen=True, tag=True):
    """Words were understood: by a recogniser, or typed."""

    words: str


class PromptEnded(Struct, frozen=True, tag=True):
    """The prompt (and the beep after it) was played to its end."""


class PromptFailed(Struct, frozen=True, tag=True):
    """The prompt cannot be played: its file is not available, or is not audio."""

    why: str


class CallerLeft(Struct, frozen=True, tag=True):
    """The caller has gone, or the platform ended the call."""


class Trouble(Struct, frozen=True, tag=True):
    """The line cannot do what it does just now."""

    kind: Literal["system", "unknown"] = "system"


class Transferred(Struct, frozen=True, tag=True):
    """The caller is connected with somebody else."""


class TransferFailed(Struct, frozen=True, tag=True):
    """The caller cannot be connected, and is still there."""

    status: int = 0
    "The answer of the other side, as a SIP status; 0: there was none."
    why: str = ""


class Tick(Struct, frozen=True, tag=True):
    """Nothing but time has passed."""


Signal: TypeAlias = (
    KeyDown
    | KeyUp
    | VoiceSignal
    | WordsUnderstood
    | PromptEnded
    | PromptFailed
    | CallerLeft
    | Trouble
    | Transferred
    | TransferFailed
    | Tick
)

# --- the outcome -----------------------------------------------------------------------------------------------------

Result: TypeAlias = Literal[
    "done",  # answered, played, hung up
    "key",  # a choice, by its key
    "speech",  # a choice, by its words
    "wrong key",  # a key without a choice
    "silence",  # nothing came at all
    "pause",  # nothing more came: the keys so far, or a key that was never let go
    "terminator",  # a stop tone
    "count",  # as many keys as were wanted
    "limit",  # the longest recording
    "spoken",  # silence after something was said
    "left",  # the caller has gone
    "system",
    "unknown",
]


class Outcome(Struct, frozen=True, tag=True, omit_defaults=True):
    """What became of a list of commands."""

    op: str
    "Of the command that is reported."
    ok: bool
    result: Result
    choice: str | None = None
    keys: str = ""
    "Without the stop tone."
    words: str = ""
    "What was said where words count beside keys."
    seconds: float = 0.0
    "Of a recording."
    why: str = ""
    "For people; may be empty."
    status: int = 0
    "Of a transfer that failed, as in `TransferFailed`."


# --- effects ---------------------------------------------------------------------------------------------------------


class Connected(Struct, frozen=True, tag=True):
    """The call was answered."""

    op: str


class PromptStarted(Struct, frozen=True, tag=True):
    """Play this now, and say `PromptEnded`."""

    op: str
    "Of the command that is reported, not of a nested prompt."
    segments: tuple[Segment, ...]
    interruptible: bool
    beep: bool = False
    "Then a beep."


class PromptStopped(Struct, frozen=True, tag=True):
    """Stop playing: the caller has interrupted; no `PromptEnded` is wanted any more."""

    op: str


class Listening(Struct, frozen=True, tag=True):
    """From now on the caller's keys and words count; sent while the prompt plays if it can be interrupted."""

    op: str
    command: Recognize | Record


class RecordingStarted(Struct, frozen=True, tag=True):
    """Keep what the caller says from now on."""

    op: str


class RecordingEnded(Struct, frozen=True, tag=True):
    """That was the recording."""

    op: str
    seconds: float


class TransferStarted(Struct, frozen=True, tag=True):
    """Connect the caller with somebody else, and say `Transferred` or `TransferFailed`."""

    op: str
    command: Transfer


class Finished(Struct, frozen=True, tag=True):
    """The list is done; always the last effect, and always exactly one."""

    outcome: Outcome
    ended: Literal["hangup", "reject", "transfer", "left"] | None = None
    "Whether the call is over with it, and who ended it."


Effect: TypeAlias = (
    Connected
    | PromptStarted
    | PromptStopped
    | Listening
    | RecordingStarted
    | RecordingEnded
    | TransferStarted
    | Finished
)
