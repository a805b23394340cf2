"""Make the wire's prompts of what is to be heard (protocol 5.4): never blank, never too long, never none at all."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import get_args

from ivr.channels.skype import wire
from ivr.channels.skype.rules import MAX_TEXT
from ivr.engine.commands import Audio, Recorded, Segment, Silence, Spoken, Text, as_spoken
from ivr.spoken_text import divided, speakable

_SAY_AS: Mapping[str, wire.SayAs] = {word: word for word in get_args(wire.SayAs) if word != "unknown"}
_NEXT_TO_NOTHING = wire.Prompt(silence_length_in_milliseconds=1)


def prompts(segments: Sequence[Segment], *, media_base: str) -> tuple[wire.Prompt, ...]:
    """Return the prompts for segments, one at least. `media_base`: the address under which assets are served."""
    heard = tuple(prompt for segment in as_spoken(segments) for prompt in _of(segment, media_base))
    return heard or (_NEXT_TO_NOTHING,)


@lru_cache(maxsize=1024)  # most of what callers hear is what the caller before them heard
def _of(segment: Spoken, media_base: str) -> tuple[wire.Prompt, ...]:
    match segment:
        case Text():
            return tuple(
                wire.Prompt(
                    value=piece,
                    voice=segment.voice,
                    culture=culture(segment.language),
                    emphasize=segment.emphasize or None,
                    say_as=_SAY_AS.get(segment.say_as or ""),
                )
                for piece in divided(speakable(segment.value), MAX_TEXT)
            )
        case Audio():
            return (wire.Prompt(file_uri=segment.url or f"{media_base}/{segment.asset}"),)
        case Recorded():  # it has no address here (`SkypeChannel.speak` gives it one)
            return ()
        case Silence():
            return (wire.Prompt(silence_length_in_milliseconds=segment.milliseconds),)


def culture(language: str) -> str | None:
    """Return the language to be written; None: it is the one that a platform speaks where nothing is said."""
    return None if language.lower() == wire.LANGUAGE.lower() else language
