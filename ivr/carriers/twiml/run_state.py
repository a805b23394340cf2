"""Where a document stands while it is carried out: immutable, and what comes of it is data."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.carriers.twiml.twiml_document import Dial, Gather, Record, Target, Verb
from ivr.line import Effect

LONGEST_SPEECH = 60.0
"Seconds that a caller's words may last."
GRACE = 1.0
"Seconds from the end of a sound in which a recogniser may still say what it was."

# --- what comes of a document ----------------------------------------------------------------------------------------


class RecordingMade(Struct, frozen=True):
    """What the caller said was recorded."""

    verb: Record
    seconds: float
    "Of the sound, from the beep on."
    told: float
    "Of the recording as the carrier tells it: without silence around it if that is cut off."


class Ask(Struct, frozen=True):
    """Ask for the next document."""

    target: Target
    fields: Mapping[str, str] = {}
    "What came of the verb, in the carrier's words."
    recording: RecordingMade | None = None
    last: bool = False
    "The call is over; whatever the answer is, nothing is done."


class CallOver(Struct, frozen=True):
    """The call is over, and no document is asked for."""

    how: Literal["hangup", "reject", "left", "transfer", "failed"]
    reason: str = ""
    "Of a rejected call: `rejected` or `busy`."


class RecordingNews(Struct, frozen=True):
    """What `recordingStatusCallback` is told, but for a recording that is made."""

    verb: Record
    status: Literal["in-progress", "absent"]


class DialNews(Struct, frozen=True):
    """How far the call is that a `Dial` makes."""

    verb: Dial
    status: Literal["initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed"]


# --- phases ----------------------------------------------------------------------------------------------------------


class Playing(Struct, frozen=True):
    """A prompt is heard."""

    left: int | None
    "How often it is heard after this; None: until the caller hangs up."

    @property
    def ends(self) -> float | None:
        """Never by itself."""
        return None


class Gathering(Struct, frozen=True):
    """Keys or words are collected."""

    verb: Gather
    prompting: bool
    deadline: float | None = None
    "None: the prompt is not over, or the caller speaks."
    keys: str = ""
    words: tuple[str, ...] = ()

    @property
    def ends(self) -> float | None:
        """When nothing has come for too long."""
        return self.deadline


class Beeping(Struct, frozen=True):
    """The beep before a recording is heard."""

    verb: Record

    @property
    def ends(self) -> float | None:
        """Never by itself."""
        return None


class RecordingVoice(Struct, frozen=True):
    """The caller is recorded."""

    verb: Record
    started: float
    patient: bool
    "Silence before the first word does not end it."
    first: float | None = None
    "When the caller began to speak."
    quiet: float | None = None
    "When the last sound ended; None: there was none, or it lasts."

    @property
    def ends(self) -> float | None:
        """After a silence, or at its longest."""
        longest = self.started + self.verb.most
        if self.first is None:
            return longest if self.patient else min(longest, self.started + self.verb.timeout)
        return longest if self.quiet is None else min(longest, self.quiet + self.verb.timeout)

    def told(self, now: float) -> float:
        """Return the seconds of the recording, as the carrier tells it."""
        if not self.verb.trim or self.first is None:
            return now - self.started
        return (now if self.quiet is None else self.quiet) - self.first


class Dialling(Struct, frozen=True):
    """It rings at somebody else's."""

    verb: Dial
    deadline: float

    @property
    def ends(self) -> float | None:
        """When it has rung for too long."""
        return self.deadline


class Over(Struct, frozen=True):
    """What came of the document is known; nothing changes it any more."""

    @property
    def ends(self) -> float | None:
        """Never."""
        return None


Phase: TypeAlias = Playing | Gathering | Beeping | RecordingVoice | Dialling | Over


class Run(Struct, frozen=True):
    """A document on its way."""

    todo: tuple[Verb, ...]
    "The first one runs."
    phase: Phase = Over()
    answered: bool = False
    number: int = 0
    "Of the verb that runs, from 1."
    patient_records: bool = False
    "As in `RecordingVoice.patient`."

    @property
    def op(self) -> str:
        """The name of the verb that runs, in effects."""
        return str(self.number)

    @property
    def deadline(self) -> float | None:
        """When to `apply` a `Tick` if nothing happens before; None: never."""
        return self.phase.ends


class RunStep(Struct, frozen=True):
    """Where the document stands now, and what is to be done because of the last signal."""

    run: Run
    effects: tuple[Effect, ...] = ()
    next: Ask | CallOver | None = None
    "None: the document goes on."
    news: tuple[RecordingNews | DialNews, ...] = ()
