"""What a line can do: read by the turn, by `ivr check`, and by what compares lines (`ivr.trace.line_differences`)."""

from typing import Literal

from msgspec import Struct

from ivr.engine.commands import RecordingFormat


class Capabilities(Struct, frozen=True):
    """What a line can do; read by the turn and by `ivr check`."""

    push: bool
    "It can speak without being asked."
    recording: Literal["with the event", "later", "stream", "none"]
    reply_within: float
    "Seconds in which the platform wants its reply."
    reject: bool
    terminators: int
    "How many different keys can end an input at once."
    speech: bool
    languages: frozenset[str] | None
    "What it speaks: language tags, or their first part (`en`) for all of a language; None: any."
    understands: frozenset[str] | None = None
    "In which languages it understands spoken choices, as far as it speaks them; None: any."
    transfer: bool = True
    "It may offer to connect a caller with somebody else."
    barge_in_by_kind: bool = True
    "It can tell keys from words that interrupt a prompt."
    type_ahead: bool = True
    "It keeps keys that are pressed before a question."
    free_speech: bool = True
    "It understands values that are said, not only choices."
    long_keys: bool = True
    "Choices of several keys can be spoken, too; where it cannot do that, they are keys alone."
    separate_first_timeout: bool = True
    "How long a caller may be silent, and how long between two keys, are two times; else the longer counts for both."
    passes_over_words: bool = True
    "Words that are no choice change nothing, as if nothing had been said; else they count as a wrong answer."
    later_terminators: bool = False
    "More keys can be named to end an input than end it at once: the others count, too, after the pause between keys."
    record_terminators: int = 5
    "How many different keys can end a recording."
    separate_record_silence: bool = True
    "Silence before a recording's first word and after its last are two times; else the longer counts for both."
    lone_terminator: bool = True
    "It tells an end key without any digits from silence."
    whole_prompt_interruptible: bool = True
    "All of a question's prompt can be interrupted; else its last part alone."
    whole_seconds: bool = False
    "It knows no times but whole seconds; others are rounded up."
    recording_formats: frozenset[RecordingFormat] = frozenset({"wma", "wav", "mp3"})
    "In which a recording comes; one that is wanted in another comes as `wav`."
    tells_silence: bool = True
    "It tells a recording in which nothing was said from one of silence."
    min_record_silence: float = 0.0
    "The shortest silence by which it can end a recording, in seconds."
    rejection: Literal["declined", "busy", "announcement"] = "declined"
    "What a caller gets who is rejected: a declined call, the busy tone, or an announcement of the carrier."
    whisper: bool = True
    "Whoever answers a transfer is told of the caller."
    any_transfer_failure: bool = True
    "It tells apart all reasons for which a transfer fails."
    tells_place_left: bool = True
    "It tells during which of several commands the caller left; else that counts as during the last of them."
    tells_language: bool = True
    "It tells the caller's language."
    writes: bool = False
    "All is written and read: a text goes out at once, and whoever is asked for a recording writes what is to be said."

    def speaks(self, language: str) -> bool:
        """Return whether it speaks the language of a tag."""
        return _among(self.languages, language)

    def hears(self, language: str) -> bool:
        """Return whether it understands choices in the language of a tag."""
        return self.speech and _among(self.understands, language)


def _among(languages: frozenset[str] | None, tag: str) -> bool:
    """Return whether a language is one of these, with its region or as a whole."""
    wanted = tag.lower()
    parts = wanted.split("-")
    named = {"-".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return languages is None or any(language.lower() in named for language in languages)
