"""What a page sends over its line, as JSON with the command's name in `do`; sound comes as bytes.

Every message is a stranger's until it was read here: unknown commands, fields and types are refused.
"""

from typing import Annotated, TypeAlias

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


class _Command(Struct, frozen=True, tag_field="do", tag=str.lower, forbid_unknown_fields=True):
    """What a person does."""


class Dial(_Command, frozen=True):
    """Place a call."""

    flow: FlowName = ""
    "Which of our flows; empty: whatever the bot does with a call."
    caller: Annotated[str, Meta(max_length=100)] = ""
    at: Annotated[str, Meta(max_length=40)] = ""
    "The time that it is to be for the flow, as `ivr.engine.pretend` reads it; empty: the time that it is."


class Press(_Command, frozen=True):
    """Press a key and let go of it."""

    key: Key


class Down(_Command, frozen=True):
    """Hold a key."""

    key: Key


class Up(_Command, frozen=True):
    """Let go of it."""


class Say(_Command, frozen=True):
    """Speak typed words."""

    words: Words


class Leave(_Command, frozen=True):
    """Hang up."""


class Save(_Command, frozen=True):
    """Keep the last call as a case of this name."""

    name: CaseName


class Replay(_Command, frozen=True):
    """Run the last call through the flow as it stands now."""


class Write(_Command, frozen=True):
    """Write the last call down as a script that makes it again."""


Command: TypeAlias = Dial | Press | Down | Up | Say | Leave | Save | Replay | Write

_COMMAND = msgspec.json.Decoder(Command)


def read_command(text: str) -> Command:
    """Read a message; raise BadCommand."""
    try:
        command: Command = _COMMAND.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadCommand("that is no command") from error
    return command
