"""What a page sends over its line, as JSON with the command's name in `do`; sound comes as bytes.

Every message is a stranger's until it was read here: unknown commands, fields and types are refused.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from ivr.errors import IvrError
from ivr.trace.files import NAME

LONGEST = 64 * 1024
"Bytes of a message, at most: two seconds of sound."

Key: TypeAlias = Annotated[str, Meta(pattern="^[0-9*#A-D]$")]
Words: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
FlowName: TypeAlias = Annotated[str, Meta(max_length=100)]
CaseName: TypeAlias = Annotated[str, Meta(pattern=NAME)]


class BadCommand(IvrError):
    """Something that no page of ours sends."""


def _word(name: str) -> str:
    """Return the word for a command on the wire: `DialCommand` is `dial`."""
    return name.removesuffix("Command").lower()


class _Command(Struct, frozen=True, tag_field="do", tag=_word, forbid_unknown_fields=True):
    """What a person does."""


class DialCommand(_Command, frozen=True):
    """Place a call."""

    flow: FlowName = ""
    "Which of our flows; empty: whatever the bot does with a call."
    caller: Annotated[str, Meta(max_length=100)] = ""
    at: Annotated[str, Meta(max_length=40)] = ""
    "The time that it is to be for the flow, as `ivr.engine.pretend` reads it; empty: the time that it is."
    language: Annotated[str, Meta(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})?$")] = ""
    "The caller's, a BCP 47 tag; empty: the phone's own."


class PressCommand(_Command, frozen=True):
    """Press a key and let go of it."""

    key: Key


class DownCommand(_Command, frozen=True):
    """Hold a key."""

    key: Key


class UpCommand(_Command, frozen=True):
    """Let go of it."""


class SayCommand(_Command, frozen=True):
    """Speak typed words."""

    words: Words


class LeaveCommand(_Command, frozen=True):
    """Hang up."""


class ConnectCommand(_Command, frozen=True):
    """Say how a transfer goes, in the other side's place."""

    answer: Literal["connected", "busy", "noAnswer", "rejected", "unreachable"]


class SaveCommand(_Command, frozen=True):
    """Keep the last call as a case of this name."""

    name: CaseName


class ReplayCommand(_Command, frozen=True):
    """Run the last call through the flow as it stands now."""


class WriteCommand(_Command, frozen=True):
    """Write the last call down as a script that makes it again."""


PageCommand: TypeAlias = (
    DialCommand
    | PressCommand
    | DownCommand
    | UpCommand
    | SayCommand
    | LeaveCommand
    | ConnectCommand
    | SaveCommand
    | ReplayCommand
    | WriteCommand
)

_COMMAND = msgspec.json.Decoder(PageCommand)


def read_command(text: str) -> PageCommand:
    """Read a message; raise BadCommand."""
    try:
        command: PageCommand = _COMMAND.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadCommand("not a command of this page") from error
    return command
