"""What a channel keeps of a call between two messages: what it has asked the carrier to do, until that is answered."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ivr.channels.twiml.long_documents import Rest
from ivr.engine.commands import (
    Gender,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Record,
    Reject,
    Text,
    Transfer,
    as_spoken,
)
from ivr.ports import Leg

Doing: TypeAlias = Literal["play", "ask", "record", "transfer", "hangup", "reject"]

_CALL, _OPEN, _ANSWERED, _RECORDED, _GONE = "call", "open", "answered", "recorded", "gone"
_PLACED, _PICKED_UP, _REST = "placed", "picked up", "rest"
"Names of notes."


class OpenStep(Struct, frozen=True, omit_defaults=True):
    """The last command of the last document; those before it leave no trace at the carrier."""

    op: str
    doing: Doing = "play"
    question: Recognize | None = None
    "What was asked, without what was spoken."
    max_duration: float = 0.0
    "Of a recording, in seconds."
    whisper: str | None = None
    "What whoever takes a transfer is told."
    voice: Gender = "female"
    language: str = "en-US"
    "Who spoke last, and how."


_DECODER = msgspec.json.Decoder(OpenStep)
_REST_DECODER = msgspec.json.Decoder(Rest)


def call(leg: Leg) -> str:
    """Return the call as its key has it: addresses are made for it."""
    return leg.notes[_CALL]


def with_call(leg: Leg, call_id: str) -> Leg:
    """Note the call, at its beginning."""
    return _noted(leg, {_CALL: call_id})


def open_step(leg: Leg) -> OpenStep | None:
    """Return what is open; None: nothing was said so far."""
    note = leg.notes.get(_OPEN)
    return None if note is None else _DECODER.decode(note)


def with_open(leg: Leg, commands: Sequence[LineCommand]) -> Leg:
    """Return the notes once these commands, one at least, are on their way."""
    before = open_step(leg)
    voice, language = _last_spoken(commands) or ((before.voice, before.language) if before else ("female", "en-US"))
    opened = replace(_opened(commands[-1]), voice=voice, language=language)
    return _noted(leg, {_OPEN: msgspec.json.encode(opened).decode()})


def rest(leg: Leg) -> Rest | None:
    """Return what is still to be said of the last commands; None: all of it is on its way."""
    note = leg.notes.get(_REST)
    return None if note is None else _REST_DECODER.decode(note)


def with_rest(leg: Leg, rest: Rest | None) -> Leg:
    """Note what is still to be said."""
    if rest is None:
        return Leg({name: note for name, note in leg.notes.items() if name != _REST}) if _REST in leg.notes else leg
    return _noted(leg, {_REST: msgspec.json.encode(rest).decode()})


def answered(leg: Leg) -> str | None:
    """Return the transfer whose other side has answered."""
    return leg.notes.get(_ANSWERED)


def with_answered(leg: Leg, op: str) -> Leg:
    """Note that the other side of a transfer has answered."""
    return _noted(leg, {_ANSWERED: op})


def recorded(leg: Leg) -> str | None:
    """Return the last operation of which a recording was told."""
    return leg.notes.get(_RECORDED)


def with_recorded(leg: Leg, op: str) -> Leg:
    """Note that a recording was told of, since some carriers tell of it twice."""
    return _noted(leg, {_RECORDED: op})


def is_placed(leg: Leg) -> bool:
    """Return whether we place this call."""
    return _PLACED in leg.notes


def with_placed(leg: Leg) -> Leg:
    """Note that we place this call."""
    return _noted(leg, {_PLACED: "true"})


def is_picked_up(leg: Leg) -> bool:
    """Return whether a call that we place was answered."""
    return _PICKED_UP in leg.notes


def with_picked_up(leg: Leg) -> Leg:
    """Note that a call that we place was answered."""
    return _noted(leg, {_PICKED_UP: "true"})


def is_gone(leg: Leg) -> bool:
    """Return whether the carrier has told the end of the call."""
    return _GONE in leg.notes


def with_gone(leg: Leg) -> Leg:
    """Note that the carrier has told the end of the call."""
    return _noted(leg, {_GONE: "true"})


def _noted(leg: Leg, notes: Mapping[str, str]) -> Leg:
    return Leg({**leg.notes, **notes})


def _opened(command: LineCommand) -> OpenStep:
    match command:
        case Recognize(op=op):
            return OpenStep(op, "ask", replace(command, prompt=()))
        case Record(op=op):
            return OpenStep(op, "record", max_duration=command.max_duration)
        case Transfer(op=op):
            return OpenStep(op, "transfer", whisper=command.whisper)
        case HangUp(op=op):
            return OpenStep(op, "hangup")
        case Reject(op=op):
            return OpenStep(op, "reject")
    return OpenStep(command.op)


def _last_spoken(commands: Sequence[LineCommand]) -> tuple[Gender, str] | None:
    spoken = [
        (segment.voice, segment.language)
        for command in commands
        if isinstance(command, Play | Recognize | Record)
        for segment in as_spoken(command.prompt)
        if isinstance(segment, Text)
    ]
    return spoken[-1] if spoken else None
