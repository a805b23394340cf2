"""What is to be heard, as the verbs of a document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ivr.channels.twiml import wire
from ivr.channels.twiml.voices import spoken_by
from ivr.engine.commands import Audio, Gender, Recorded, Segment, Silence, Spoken, Text, as_spoken
from ivr.spoken_text import divided, speakable

_MOST_TEXT = 3000
"Characters of one `Say`, or `Speak`, as they are written. More are several of them."
_LONGEST_BREAK = 10_000
"Milliseconds of one SSML break."
_LONGEST_ADDRESS = 4096
"Characters of a file's address; no file is to be had at a longer one."

_SAY_AS: Final[Mapping[str, tuple[wire.InterpretAs, wire.DateFormat | None]]] = {
    "telephone": ("telephone", None),
    "letters": ("characters", None),
    "cardinal": ("cardinal", None),
    "ordinal": ("ordinal", None),
    "time12": ("time", None),
    "time24": ("time", None),
    "yearMonthDay": ("date", "ymd"),
    "monthDayYear": ("date", "mdy"),
    "dayMonthYear": ("date", "dmy"),
    "yearMonth": ("date", "ym"),
    "monthYear": ("date", "my"),
    "monthDay": ("date", "md"),
    "dayMonth": ("date", "dm"),
    "day": ("date", "d"),
    "month": ("date", "m"),
    "year": ("date", "y"),
}
"Names have no word in SSML: a voice reads them as any text."


class Prompts:
    """Makes verbs of what is to be heard."""

    def __init__(self, *, media_base: str, recording: Callable[[str, float], str] | None) -> None:
        """Assets are fetched from `<media_base>/<sha256>.wav`, recordings of callers from what `recording` returns.

        `recording` takes a recording's name and the time; without it, none is played.
        """
        self._media_base = media_base.rstrip("/")
        self._recording = recording

    def verbs(self, segments: Sequence[Segment], *, now: float) -> tuple[wire.Audible, ...]:
        """Return what plays the segments, in order; nothing to be heard is no verb."""
        return tuple(verb for segment in as_spoken(segments) for verb in self._of(segment, now))

    def divided(self, segments: Sequence[Segment]) -> tuple[Spoken, ...]:
        """Return the same segments, each text that is several `Say` as so many texts."""
        return tuple(part for segment in as_spoken(segments) for part in self._parts(segment))

    def said(self, text: str, *, voice: Gender = "female", language: str = "en-US") -> tuple[wire.Say, ...]:
        """Return what says a text that is in no prompt."""
        return tuple(self._spoken(Text(text, voice, language)))

    def _of(self, segment: Spoken, now: float) -> Iterator[wire.Audible]:
        match segment:
            case Text():
                yield from self._spoken(segment)
            case Audio():
                address = segment.url or f"{self._media_base}/{segment.asset}.wav"
                if len(address) <= _LONGEST_ADDRESS:
                    yield wire.Play(address)
            case Recorded(media=media):
                if self._recording is not None and media:
                    yield wire.Play(self._recording(media, now))
            case Silence(milliseconds=milliseconds):
                yield from _silent(milliseconds)

    def _parts(self, segment: Spoken) -> Iterator[Spoken]:
        if isinstance(segment, Text):
            yield from (replace(segment, value=piece) for piece in self._pieces(segment))
        else:
            yield segment

    def _pieces(self, text: Text) -> Iterator[str]:
        return divided(speakable(text.value), _MOST_TEXT, size=_written_size)

    def _spoken(self, text: Text) -> Iterator[wire.Say]:
        spoken = spoken_by(text.language, text.voice)
        for piece in self._pieces(text):
            content = _in_its_manner(piece, text)
            yield wire.Say(content, spoken.voice, spoken.language) if spoken else wire.Say(content)


def _in_its_manner(piece: str, text: Text) -> str | wire.SayAs | wire.Emphasis:
    manner = _SAY_AS.get(text.say_as or "")
    content = piece if manner is None else wire.SayAs(piece, *manner)
    return wire.Emphasis(content) if text.emphasize else content


def _written_size(text: str) -> int:
    """Count a text as it is written: what is escaped is longer than it looks."""
    return len(text) + 5 * sum(text.count(sign) for sign in '&<>"')


def _silent(milliseconds: int) -> Iterator[wire.Audible]:
    """Be silent: `Pause` knows whole seconds alone, and does not pick up the phone where it is the first verb."""
    while milliseconds > 0:
        part = min(milliseconds, _LONGEST_BREAK)
        spoken = spoken_by("en-US", "female")
        yield wire.Say(wire.Break(f"{part}ms"), spoken.voice if spoken else None)
        milliseconds -= part
