"""The verbs that jambonz carries out, in its own spelling: those of 0.9.6 and later, and of them what we write.

Names and types are those of the platform's `verb-specifications`, which refuse a property that they do not know. Tests
have each document judged by them, and by its JSON schemas.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

InputKind: TypeAlias = Literal["digits", "speech"]
Gender: TypeAlias = Literal["MALE", "FEMALE"]

SIGNATURE = "jambonz-signature"
"The header with the signature, in lower case."
DEFAULT = "default"
"As a vendor, a language or a voice: what the application at jambonz is set to."
SUBPROTOCOLS = ("audio.jambonz.org", "audio.drachtio.org")
"Of the WebSocket that `listen` opens; older builds name the second."


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A part of a verb; what is `None` is not written."""


class Synthesizer(Part, frozen=True, kw_only=True):
    """Who speaks."""

    vendor: str
    language: str
    gender: Gender | None = None
    "For vendors that choose a voice by it; others have one voice a language."
    voice: str | None = None


class Recognizer(Part, frozen=True, kw_only=True):
    """Who understands."""

    vendor: str
    language: str
    hints: tuple[str, ...] | None = None


class NestedSay(Part, frozen=True, kw_only=True):
    """`say` inside another verb."""

    text: str
    synthesizer: Synthesizer


class NestedPlay(Part, frozen=True, kw_only=True):
    """`play` inside another verb."""

    url: str | tuple[str, ...]


class BidirectionalAudio(Part, frozen=True, kw_only=True):
    """Whether we may send sound on the WebSocket, too."""

    enabled: bool


class Target(Part, frozen=True, kw_only=True):
    """Who is called."""

    type: Literal["phone", "sip"]
    number: str | None = None
    sip_uri: str | None = None


class Verb(Part, frozen=True, kw_only=True, tag_field="verb"):
    """What every verb has; they run in order, and what a hook answers replaces all that are left."""


class Answer(Verb, frozen=True, tag="answer"):
    """Take the call."""


class Say(Verb, frozen=True, kw_only=True, tag="say"):
    """Speak a text. One that cannot be spoken is passed over, and nobody is told."""

    text: str
    synthesizer: Synthesizer


class Play(Verb, frozen=True, kw_only=True, tag="play"):
    """Play a file, or one after the other."""

    url: str | tuple[str, ...]


class Pause(Verb, frozen=True, kw_only=True, tag="pause"):
    """Be silent."""

    length: float
    "Seconds."


class Gather(Verb, frozen=True, kw_only=True, tag="gather"):
    """Collect keys or words, and post them to `action_hook`."""

    action_hook: str
    input: tuple[InputKind, ...]
    num_digits: int | None = None
    min_digits: int | None = None
    """Always 1 where keys count: without it the pause between keys is never timed, and at the end of `timeout` what was
    keyed is dropped."""
    max_digits: int | None = None
    finish_on_key: str | None = None
    "One key; it is not among the digits, and nothing tells that it was pressed."
    inter_digit_timeout: float | None = None
    "Seconds."
    timeout: float
    "Seconds from the end of the prompt, or from the key that interrupts it; 0 would be for ever."
    dtmf_bargein: bool | None = None
    bargein: bool | None = None
    listen_during_prompt: bool | None = None
    recognizer: Recognizer | None = None
    say: NestedSay | None = None
    play: NestedPlay | None = None


class Listen(Verb, frozen=True, kw_only=True, tag="listen"):
    """Send the caller's sound to a WebSocket until that is closed, then post to `action_hook`."""

    url: str
    action_hook: str
    mix_type: Literal["mono"]
    sample_rate: int
    play_beep: bool | None = None
    pass_dtmf: bool | None = None
    "Keys come as text frames."
    max_length: int | None = None
    "Seconds."
    bidirectional_audio: BidirectionalAudio | None = None


class Dial(Verb, frozen=True, kw_only=True, tag="dial"):
    """Connect the caller with somebody else, and post to `action_hook` when that is over, or did not come about."""

    target: tuple[Target, ...]
    action_hook: str
    timeout: float
    "Seconds to ring."
    confirm_hook: str | None = None
    "Asked for verbs that whoever answers hears before they are connected."


class SipRefer(Verb, frozen=True, kw_only=True, tag="sip:refer"):
    """Have the caller's own line call somebody else (SIP REFER); success ends the call."""

    refer_to: str
    action_hook: str


class SipDecline(Verb, frozen=True, kw_only=True, tag="sip:decline"):
    """Refuse a call that was not answered."""

    status: int
    reason: str


class Hangup(Verb, frozen=True, tag="hangup"):
    """End the call."""


class Redirect(Verb, frozen=True, kw_only=True, tag="redirect"):
    """Ask for the next verbs."""

    action_hook: str


AnyVerb: TypeAlias = Answer | Say | Play | Pause | Gather | Listen | Dial | SipRefer | SipDecline | Hangup | Redirect
