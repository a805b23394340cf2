"""The verbs of jambonz that are carried out here, as data: those of their properties that are looked at.

Whatever else a verb may say (`ivr.carriers.jambonz.verb_shapes`) has been judged by then, and changes nothing in a call
that has no sound of its own.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct


class _Wire(Struct, frozen=True, rename="camel"):
    """Something of a document."""


class Auth(_Wire, frozen=True):
    """A name and a password, as in HTTP Basic (RFC 7617)."""

    username: str
    password: str


class HookObject(_Wire, frozen=True):
    """An address, and how it is asked."""

    url: str
    method: Literal["GET", "POST"] = "POST"
    basic_auth: Auth | None = None


Hook: TypeAlias = str | HookObject


class Synthesizer(_Wire, frozen=True):
    """The voice of a text."""

    vendor: str
    language: str | None = None
    gender: Literal["MALE", "FEMALE", "NEUTRAL"] | None = None


class Hint(_Wire, frozen=True):
    """A phrase that is expected."""

    phrase: str
    boost: float | None = None


class Recognizer(_Wire, frozen=True):
    """What words are listened for, and in which language."""

    vendor: str
    language: str | None = None
    hints: tuple[str | Hint, ...] = ()
    min_confidence: float | None = None


class Answer(_Wire, frozen=True):
    """Take the call."""


class Say(_Wire, frozen=True):
    """Speak."""

    text: str | tuple[str, ...] = ""
    loop: float | str = 1
    synthesizer: Synthesizer | None = None
    early_media: bool = False


class Play(_Wire, frozen=True):
    """Play a file."""

    url: str | tuple[str, ...]
    loop: float | str = 1
    timeout_secs: float | str = 0
    action_hook: Hook | None = None
    early_media: bool = False
    id: str | None = None


class Pause(_Wire, frozen=True):
    """Be silent."""

    length: float
    "Seconds; parts of one count."


class Gather(_Wire, frozen=True):
    """Listen for keys, for words, or for both."""

    action_hook: Hook | None = None
    input: tuple[Literal["speech", "digits"], ...] = ("digits",)
    finish_on_key: str | None = None
    num_digits: float | None = None
    min_digits: float | None = None
    max_digits: float | None = None
    inter_digit_timeout: float = 0.0
    timeout: float | None = None
    "Seconds; 0: for ever."
    dtmf_bargein: bool | None = None
    bargein: bool = False
    listen_during_prompt: bool = True
    min_bargein_word_count: float = 1
    partial_result_hook: Hook | None = None
    recognizer: Recognizer | None = None
    say: Say | None = None
    play: Play | None = None
    id: str | None = None


class Listen(_Wire, frozen=True):
    """Send what the caller says to a WebSocket."""

    url: str
    action_hook: Hook | None = None
    finish_on_key: str | None = None
    max_length: float = 0.0
    "Seconds; 0: for ever."
    metadata: Mapping[str, Any] = {}
    mix_type: Literal["mono", "stereo", "mixed"] = "mono"
    pass_dtmf: bool = False
    play_beep: bool = False
    sample_rate: float = 8000
    ws_auth: Auth | None = None
    early_media: bool = False
    id: str | None = None


class Redirect(_Wire, frozen=True):
    """Ask another address."""

    action_hook: Hook
    status_hook: Hook | None = None
    id: str | None = None


class Hangup(_Wire, frozen=True):
    """End the call, if it was answered."""


class Decline(_Wire, frozen=True):
    """Reject the call, if it was not answered."""

    status: float
    reason: str | None = None


class Target(_Wire, frozen=True):
    """Whom a `dial` calls."""

    type: Literal["phone", "sip", "user", "teams"]
    number: str | None = None
    sip_uri: str | None = None
    name: str | None = None


class Dial(_Wire, frozen=True):
    """Connect the caller with somebody else, for as long as the two talk."""

    target: tuple[Target, ...]
    action_hook: Hook | None = None
    answer_on_bridge: bool = False
    timeout: float = 60.0
    "Seconds for which it may ring."
    time_limit: float = 0.0
    id: str | None = None


class Refer(_Wire, frozen=True):
    """Have the caller's side call somebody else."""

    refer_to: str
    action_hook: Hook | None = None
    event_hook: Hook | None = None
    id: str | None = None


class Tag(_Wire, frozen=True):
    """Keep data with the call: each hook is told it."""

    data: Mapping[str, Any]


class Config(_Wire, frozen=True):
    """Settings for what follows; those that are carried out here change nothing that is looked at."""


Verb: TypeAlias = (
    Answer | Say | Play | Pause | Gather | Listen | Redirect | Hangup | Decline | Dial | Refer | Tag | Config
)

Timed: TypeAlias = Say | Play | Pause | Gather | Listen | Dial | Refer
"Those that take time."

VERB_TYPES: Mapping[str, type[Verb]] = {
    "answer": Answer,
    "say": Say,
    "play": Play,
    "pause": Pause,
    "gather": Gather,
    "listen": Listen,
    "redirect": Redirect,
    "hangup": Hangup,
    "sip:decline": Decline,
    "dial": Dial,
    "sip:refer": Refer,
    "tag": Tag,
    "config": Config,
}


def is_by_speech(asked: Gather) -> bool:
    """Return whether words are listened for."""
    return "speech" in asked.input


def hint_phrases(asked: Gather) -> tuple[str, ...]:
    """Return the phrases that are expected."""
    hints = asked.recognizer.hints if asked.recognizer else ()
    return tuple(hint if isinstance(hint, str) else hint.phrase for hint in hints)
