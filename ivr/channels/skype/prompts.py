"""Make the wire's prompts of what is to be heard (protocol 5.4): never blank, never too long, never none at all."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import get_args

from ivr.channels.skype import wire
from ivr.channels.skype.rules import MAX_TEXT, units
from ivr.engine.commands import Audio, Recorded, Segment, Silence, Text

_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"Control characters, and halves of pairs, which JSON cannot hold."
_SENTENCE_END = re.compile(r"""[.!?…]['"”’)\]]*\s""")
_SAY_AS: Mapping[str, wire.SayAs] = {word: word for word in get_args(wire.SayAs) if word != "unknown"}
_NEXT_TO_NOTHING = wire.Prompt(silence_length_in_milliseconds=1)


def prompts(segments: Sequence[Segment], *, media_base: str) -> tuple[wire.Prompt, ...]:
    """Return the prompts for segments, one at least. `media_base`: the address under which assets are served."""
    heard = tuple(prompt for segment in segments for prompt in _of(segment, media_base))
    return heard or (_NEXT_TO_NOTHING,)


@lru_cache(maxsize=1024)  # most of what callers hear is what the caller before them heard
def _of(segment: Segment, media_base: str) -> tuple[wire.Prompt, ...]:
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
                for piece in divided(speakable(segment.value))
            )
        case Audio():
            return (wire.Prompt(file_uri=segment.url or f"{media_base}/{segment.asset}"),)
        case Recorded():  # it has no address here (`SkypeChannel.speak` gives it one)
            return ()
        case Silence():
            return (wire.Prompt(silence_length_in_milliseconds=segment.milliseconds),)


def speakable(text: str) -> str:
    """Return a text without what nobody can say and JSON cannot hold, white space folded."""
    return " ".join(_UNSPEAKABLE.sub(" ", text).split())


def culture(language: str) -> str | None:
    """Return the language to be written; None: it is the one that a platform speaks where nothing is said."""
    return None if language.lower() == wire.LANGUAGE.lower() else language


def divided(text: str, limit: int = MAX_TEXT) -> Iterator[str]:
    """Divide a text into pieces of `limit` UTF-16 units: at sentence ends, else at spaces, else hard."""
    while units(text[: limit + 1]) > limit:
        end = _end_of_piece(text, limit)
        yield text[:end]
        text = text[end:].lstrip()
    if text:
        yield text


def _end_of_piece(text: str, limit: int) -> int:
    # The decoder drops half a pair at the end.
    fits = len(text[:limit].encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore"))
    ends = [match.end() - 1 for match in _SENTENCE_END.finditer(text, 0, fits + 1)]
    if ends:
        return ends[-1]
    space = text.rfind(" ", 0, fits + 1)
    return space if space > 0 else fits
