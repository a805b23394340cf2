"""A document as it is carried out: verbs, with the defaults of the carrier filled in. Times are in seconds."""

from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.engine.commands import Segment

Method: TypeAlias = Literal["POST", "GET"]


class Target(Struct, frozen=True):
    """An address that is asked for the next document."""

    url: str
    "Absolute."
    method: Method = "POST"


class Prompt(Struct, frozen=True, tag=True):
    """`Say`, `Play` or `Pause`."""

    segments: tuple[Segment, ...]
    loop: int = 1
    "How often it is heard; 0: until the caller hangs up."
    leading: bool = False
    "A `Pause` before which nothing was heard: it does not answer the call."


class Gather(Struct, frozen=True, tag=True):
    """Collect keys or words."""

    action: Target
    prompt: tuple[Segment, ...] = ()
    keys: bool = True
    speech: bool = False
    timeout: float = 5.0
    "From the end of the prompt to the first key, and from key to key."
    between: float | None = None
    "From key to key, where that is a time of its own."
    most: int | None = None
    "Keys; None: any number."
    finish_on: str = "#"
    "Each key in it ends the input; it is not part of it."
    tells_silence: bool = False
    "The action is asked when nothing came, too (`actionOnEmptyResult`)."
    barge_in: bool = True
    "Words interrupt the prompt; keys always do."
    hints: tuple[str, ...] = ()
    language: str = "en-US"
    speech_timeout: float | None = None
    "From the last word to the end of the input; None: the `timeout`."


class Record(Struct, frozen=True, tag=True):
    """Record the caller."""

    action: Target
    timeout: float = 5.0
    "Of silence, which ends it."
    finish_on: str = "1234567890*#"
    most: float = 3600.0
    beep: bool = True
    trim: bool = True
    "Silence at its begin and end is cut off."
    status: Target | None = None
    events: tuple[str, ...] = ("completed",)
    keeps_silence: bool = False
    "A recording in which nothing was said is one like any other."


class Dial(Struct, frozen=True, tag=True):
    """Connect the caller with somebody else."""

    number: str
    "An address: `tel:…`, `sip:…`, `client:…`."
    action: Target | None = None
    timeout: float = 30.0
    "For which it may ring."
    status: Target | None = None
    "Told how far the other call is."
    events: tuple[str, ...] = ("completed",)
    whisper: Target | None = None
    "Whose document whoever answers hears, before the two talk."


class Redirect(Struct, frozen=True, tag=True):
    """Ask for another document."""

    target: Target


class Reject(Struct, frozen=True, tag=True):
    """Decline a call that was not answered."""

    reason: Literal["rejected", "busy"] = "rejected"


class HangUp(Struct, frozen=True, tag=True):
    """End the call."""


Verb: TypeAlias = Prompt | Gather | Record | Dial | Redirect | Reject | HangUp


class Document(Struct, frozen=True):
    """What a bot answered."""

    verbs: tuple[Verb, ...]


class Refused(Struct, frozen=True):
    """A document that is not carried out."""

    code: int
    """The carrier's: 12100 not XML, 12102 another root, 12200 against the schema, 12300 another content type,
    11750 too long."""
    problems: tuple[str, ...]
    "Each with its place."
