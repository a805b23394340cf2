"""Where a list of commands stands: immutable, so that a test can keep one and go on from it in several ways.

Each phase tells when it ends if nothing happens; a caller who is making a sound puts some of these ends off.
"""

from typing import TypeAlias

from msgspec import Struct

from ivr.engine.commands import LineCommand
from ivr.line.signals import Effect

CHOICE_PAUSE = 1.0
"Seconds for which a key may be held in a menu (protocol 5.5: inter-digit)."
GRACE = 1.0
"Seconds from the end of a sound in which a recogniser may still say what it was."
LONGEST_TRANSFER = 90.0
"Seconds after which a transfer has failed, where the bot names no time."
MOST_TYPED = 40
"Keys that are kept for a question to come; what is pressed after them is lost."
LONGEST_UTTERANCE = 15.0
"Seconds by which sounds can put off the end of silence; a noisy line must not listen for ever."


class Playing(Struct, frozen=True):
    """A prompt is heard; it ends by a signal alone, since only who plays it knows how long it is."""

    interruptible: bool

    def ends(self, *, speaking: bool) -> float | None:  # one shape for all phases
        """Never by itself."""
        return None


class Choosing(Struct, frozen=True):
    """One of the choices is awaited."""

    silence_at: float
    "When the silence has lasted too long, had nothing been heard."
    keys: str = ""
    "Of a choice that has several, so far."
    held: str | None = None
    held_until: float = 0.0
    "When waiting for the end of the key that is held is over, or for the next key of a choice."
    quiet_since: float | None = None
    "When the last sound ended."

    def ends(self, *, speaking: bool) -> float | None:
        """At the end of the silence; a sound that may still become a choice is waited for."""
        if self.held is not None or self.keys:
            return self.held_until
        latest = self.silence_at + LONGEST_UTTERANCE
        if speaking:
            return latest
        if self.quiet_since is not None:
            return min(max(self.silence_at, self.quiet_since + GRACE), latest)
        return self.silence_at


class Collecting(Struct, frozen=True):
    """Keys are collected."""

    deadline: float
    "End of the first silence, or of the pause after a key."
    keys: str = ""
    held: str | None = None
    is_spoken: bool = False
    "Words count, too."
    quiet_since: float | None = None
    "When the last sound ended."

    def ends(self, *, speaking: bool) -> float | None:
        """At the end of the silence or pause; a sound that may still become an answer is waited for."""
        if self.is_spoken and not self.keys and self.held is None:
            return Choosing(self.deadline, quiet_since=self.quiet_since).ends(speaking=speaking)
        return self.deadline


class RecordingVoice(Struct, frozen=True):
    """The caller is recorded."""

    started: float
    silence_at: float
    "When it ends if nothing is said."
    ends_at: float
    "When it is as long as it may be."
    quiet_at: float | None = None
    "When the silence after the last sound will have lasted long enough; None: nothing was said so far."

    def ends(self, *, speaking: bool) -> float | None:
        """At its longest, or after a silence."""
        if speaking:
            return self.ends_at
        return min(self.ends_at, self.silence_at if self.quiet_at is None else self.quiet_at)


class Transferring(Struct, frozen=True):
    """The caller is being connected with somebody else."""

    given_up_at: float

    def ends(self, *, speaking: bool) -> float | None:
        """When nobody has answered for so long that nobody will."""
        return self.given_up_at


class Over(Struct, frozen=True):
    """The outcome was given; whatever happens now changes nothing."""

    def ends(self, *, speaking: bool) -> float | None:
        """Never: it has ended."""
        return None


Phase: TypeAlias = Playing | Choosing | Collecting | RecordingVoice | Transferring | Over


class Line(Struct, frozen=True):
    """A list of commands on its way."""

    todo: tuple[LineCommand, ...]
    "The first is the one that runs."
    phase: Phase
    speaking: bool = False
    "The caller is making a sound."
    choice_pause: float = CHOICE_PAUSE
    typed: str = ""
    "Keys pressed while nothing listened: a question that keeps them takes them for its answer (protocol 25)."

    @property
    def deadline(self) -> float | None:
        """When to `apply` a `Tick` if nothing happens before, in the seconds of `now`; None: never."""
        return self.phase.ends(speaking=self.speaking)

    @property
    def over(self) -> bool:
        """Whether the outcome was given."""
        return isinstance(self.phase, Over)


class LineStep(Struct, frozen=True):
    """Where the line stands now, and what is to be done because of the last signal, in order."""

    line: Line
    effects: tuple[Effect, ...] = ()
