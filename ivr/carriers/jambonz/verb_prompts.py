"""What `say` and `play` let a caller hear, as segments of a prompt; and how often."""

import html
import math
import re
from collections.abc import Iterator

from ivr.carriers.jambonz.verbs import Play, Say, Synthesizer
from ivr.engine.commands import Audio, Gender, Segment, Silence, Text

LANGUAGE = "en-US"
"Of a text whose verb names none, or the application's own (`default`)."
_SILENCE = "silence_stream://"
_BREAK = re.compile(r'<break\b[^>]*\btime\s*=\s*"(\d{1,6}(?:\.\d{1,6})?)(ms|s)"[^>]*>')
_TAG = re.compile(r"<[^>]*>")


def said(verb: Say) -> tuple[Segment, ...]:
    """Return what a `say` speaks. Several texts are spoken one after the other, as the feature server 0.9.8 does."""
    texts = (verb.text,) if isinstance(verb.text, str) else verb.text
    return tuple(segment for text in texts for segment in _text(text, verb.synthesizer))


def played(verb: Play) -> tuple[Segment, ...]:
    """Return the files that a `play` plays, in order."""
    return tuple(Audio(url=url) for url in ((verb.url,) if isinstance(verb.url, str) else verb.url))


def times(loop: float | str) -> float:
    """Return how often a prompt is heard; infinity: until it is interrupted.

    0 counts as 1 in the feature server, although its documentation has it mean for ever.
    """
    if loop == "forever":
        return math.inf
    try:
        number = float(loop)
    except ValueError:
        return 1
    return max(number, 1)


def _text(text: str, voice: Synthesizer | None) -> Iterator[Segment]:
    if text.startswith(_SILENCE):
        milliseconds = text.removeprefix(_SILENCE).split(",")[0]
        yield Silence(min(int(milliseconds), 3_600_000) if milliseconds.isascii() and milliseconds.isdigit() else 0)
        return
    gender: Gender = "male" if voice and voice.gender == "MALE" else "female"
    language = voice.language if voice and voice.language and voice.language != "default" else LANGUAGE
    if not text.lstrip().startswith("<speak"):
        yield Text(text, gender, language)
        return
    pieces = _BREAK.split(text)  # text, number, unit, text, …
    for index in range(0, len(pieces), 3):
        if index:
            number, unit = float(pieces[index - 2]), pieces[index - 1]
            yield Silence(round(number * (1 if unit == "ms" else 1000)))
        if words := " ".join(html.unescape(_TAG.sub(" ", pieces[index])).split()):
            yield Text(words, gender, language)
