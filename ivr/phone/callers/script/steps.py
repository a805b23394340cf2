"""What a call script says, once it is read."""

from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from ivr.phone.callers.turn_based import CallerAction
from ivr.phone.placed_call import Caller


class Expect(Struct, frozen=True):
    """Something that is to happen before the caller's next action is due."""

    hears: tuple[str, ...] = ()
    "Texts of one prompt: `~text` is a part of it, all else the whole; case and spacing do not matter."
    state: str | None = None
    "Where the bot's call stands then."
    ends: str | None = None
    "How the call is over: `hangup`, `reject` and so on (`ivr.phone.phone_events.Ended`)."


class Silent(Struct, frozen=True):
    """Be silent until the bot has had enough of it."""


class PlayFile(Struct, frozen=True):
    """Let a file be heard."""

    file: Path


class Do(Struct, frozen=True):
    """Something that the caller does."""

    caller_action: CallerAction | Silent | PlayFile
    interrupts: bool = False
    "While a prompt is heard; else after it."


Act: TypeAlias = Expect | Do


class ScriptStep(Struct, frozen=True):
    """One line of the script."""

    act: Act
    text: str
    "As it was written, for messages."
    line: int
    column: int
    length: int


class Script(Struct, frozen=True):
    """One call."""

    file: Path
    name: str
    steps: tuple[ScriptStep, ...]
    who: Caller
    bot: str | None = None
    "The address of the bot's calling webhook."
    flow: Path | None = None
    "A flow file: the bot is a server of our own, started for this call."
