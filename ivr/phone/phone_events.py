"""The events of a call, for a terminal, a page or a script. Plain data; as JSON each has its name as `type`.

The order is the order in which things happen; `Ended` is the last one, and there is always exactly one.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.engine.commands import Recognize, Record, as_spoken
from ivr.line import (
    Effect,
    Finished,
    Listening,
    PromptStarted,
    PromptStopped,
    RecordingEnded,
    RecordingStarted,
    TransferStarted,
)
from ivr.trace.sentences import spoken


class _EventBase(Struct, frozen=True, tag=True, omit_defaults=True):
    """Something that happened on a call."""


class Dialled(_EventBase, frozen=True):
    """A call is being placed."""

    call: str
    "The call's id, the platform's."
    url: str


class StateChanged(_EventBase, frozen=True):
    """The call's state."""

    state: Literal["incoming", "established", "terminated"]


class Sent(_EventBase, frozen=True):
    """A message left for the bot; the same `message` again is a repeat."""

    url: str
    message: str
    attempt: int
    "From 1."
    body: str
    "The JSON; of a recording, the JSON part."
    audio: int = 0
    "Bytes of the recording that goes with it."


class Replied(_EventBase, frozen=True):
    """The bot's reply, or what became of it."""

    message: str
    status: int
    "0: there was none."
    body: str
    "At most 64 KiB of it."
    seconds: float
    failure: str = ""
    "Why there was none, such as `timeout` or `connect`."


class WorkflowRefused(_EventBase, frozen=True):
    """The bot's workflow breaks the rules, and none of it is done."""

    problems: tuple[str, ...]


class PromptBegan(_EventBase, frozen=True):
    """A prompt is heard from now on."""

    op: str
    text: str
    "What it says, for people; silences and files in brackets."
    interruptible: bool
    state: str = ""
    "The `appState` of the workflow that it belongs to; many bots name their state there."


class PromptAudio(_EventBase, frozen=True):
    """The next piece of the prompt: 16 kHz, mono, 16 bit little endian (base64 in JSON)."""

    op: str
    samples: bytes


class PromptOver(_EventBase, frozen=True):
    """The prompt ended, or was interrupted: what is still being played is to stop."""

    op: str
    interrupted: bool


class OfferedChoice(Struct, frozen=True, omit_defaults=True):
    """An answer that is listened for."""

    name: str
    key: str | None = None
    speech: tuple[str, ...] = ()


class ListensFor(_EventBase, frozen=True):
    """What the caller does from now on counts."""

    op: str
    kind: Literal["choice", "digits", "recording", "anything"]
    "`anything`: any keys and any words, as on lines whose recogniser has no grammar."
    choices: tuple[OfferedChoice, ...] = ()
    most: int | None = None
    "Keys, of digits."
    terminators: str = ""
    "Keys that end digits or a recording."
    state: str = ""
    "As in `PromptBegan`."


class KeyHeard(_EventBase, frozen=True):
    """The caller pressed a key."""

    key: str


class WordsHeard(_EventBase, frozen=True):
    """The caller said something."""

    words: str | None
    "None: nothing that is listened for."
    typed: bool = False


class VoiceHeard(_EventBase, frozen=True):
    """The caller began to make a sound, or fell silent."""

    active: bool


class HangingUp(_EventBase, frozen=True):
    """The caller leaves; the bot is told as soon as it has answered."""


class RecordingBegan(_EventBase, frozen=True):
    """The caller is being recorded."""

    op: str


class RecordingOver(_EventBase, frozen=True):
    """The recording ended."""

    op: str
    seconds: float


class TransferBegan(_EventBase, frozen=True):
    """The caller is being connected with somebody else."""

    op: str
    target: str
    whisper: str = ""
    "What whoever answers is shown."
    ringing: float = 0.0
    "For how many seconds it may ring; 0: the bot does not say."


class Done(_EventBase, frozen=True):
    """The one outcome of a workflow, as it is reported."""

    op: str
    ok: bool
    result: str
    choice: str | None = None
    keys: str = ""
    why: str = ""
    status: int = 0
    "Of a transfer that failed: what the other side answered, as a SIP status."


class Ended(_EventBase, frozen=True):
    """The call is over."""

    by: Literal["bot", "caller", "platform"]
    reason: str
    """For programs. The bot: `hangup`, `reject`, `transfer`, `no-workflow`, `no-links` (its last workflow wanted no
    report). The caller: `left`; `unanswered`, of a call that a carrier made. The platform: `unreachable`, `refused` (an
    error status), `workflows`, `length`, `line` (it failed)."""
    detail: str = ""
    "For people."


PhoneEvent: TypeAlias = (
    Dialled
    | StateChanged
    | Sent
    | Replied
    | WorkflowRefused
    | PromptBegan
    | PromptAudio
    | PromptOver
    | ListensFor
    | KeyHeard
    | WordsHeard
    | VoiceHeard
    | HangingUp
    | RecordingBegan
    | RecordingOver
    | TransferBegan
    | Done
    | Ended
)

OnTheLine: TypeAlias = PromptBegan | PromptAudio | ListensFor | RecordingBegan
"What a caller who has hung up no longer notices, although a bot that was still busy may order it."


def events_of_effect(effect: Effect, state: str) -> Iterator[PhoneEvent]:
    """Return the events for an effect; `state` is the workflow's `appState`."""
    match effect:
        case PromptStarted(op=op, segments=segments, interruptible=interruptible):
            yield PromptBegan(op, spoken(as_spoken(segments)), interruptible, state)
        case PromptStopped(op=op):
            yield PromptOver(op, interrupted=True)
        case Listening(op=op, command=command):
            yield _listens(op, command, state)
        case RecordingStarted(op=op):
            yield RecordingBegan(op)
        case RecordingEnded(op=op, seconds=seconds):
            yield RecordingOver(op, seconds)
        case TransferStarted(op=op, command=command):
            yield TransferBegan(op, command.target, command.whisper or "", command.timeout or 0.0)
        case Finished(outcome=outcome):
            yield Done(
                outcome.op, outcome.ok, outcome.result, outcome.choice, outcome.keys, outcome.why, outcome.status
            )
        case _:
            pass


def _listens(op: str, command: Recognize | Record, state: str) -> ListensFor:
    if isinstance(command, Record):
        return ListensFor(op, "recording", terminators=command.terminators, state=state)
    choices = tuple(OfferedChoice(choice.name, choice.key, choice.speech) for choice in command.choices)
    if command.digits is not None:
        most, terminators = command.digits.maximum, command.digits.terminators
        return ListensFor(op, "digits", choices, most, terminators, state)
    return ListensFor(op, "choice", choices, state=state)
