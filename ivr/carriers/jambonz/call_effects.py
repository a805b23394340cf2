"""What a call wants done, besides what it lets the caller hear: requests to the bot, and a stream of sound to it."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from ivr.carriers.jambonz.verbs import Hook, Listen
from ivr.line import Effect, Outcome
from ivr.phone.phone_events import PhoneEvent

HookKind: TypeAlias = Literal["call", "action", "redirect", "status", "event", "amd"]
"""`call` is the first of a call; `action` the result of a verb; `status` the state of the call, whose answer counts for
nothing; `event` is something beside the verbs, such as what a transfer comes to; `amd`, who has answered."""


class Post(Struct, frozen=True):
    """Post this to a hook."""

    id: int
    "Counted from 1; `CallMachine.answered` takes it."
    kind: HookKind
    hook: Hook
    payload: Mapping[str, Any]
    awaited: bool
    "The call stands still until it is answered."


class StreamOpened(Struct, frozen=True):
    """Connect the WebSocket of a `listen`, and say `stream_open` or `stream_over`."""

    verb: Listen
    first: str
    "The first frame, a text."


class StreamText(Struct, frozen=True):
    """Send a text on it."""

    text: str


class StreamEnded(Struct, frozen=True):
    """Close it."""


Wanted: TypeAlias = Effect | PhoneEvent | Post | StreamOpened | StreamText | StreamEnded


class VerbDone(Struct, frozen=True):
    """A verb is over."""

    outcome: Outcome
    hook: Hook | None = None
    results: Mapping[str, Any] = {}
    "What its hook is told."
    leaves: Literal["", "hangup", "transfer"] = ""
    "The call is over with it: the far end took the caller with it."
    connected: bool = False
    "The caller was connected with somebody else."
