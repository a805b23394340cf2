"""What is to be heard, as verbs: texts, files and pauses, neighbours of one kind together.

jambonz speaks by whatever vendor its application is set to, so a text is plain text: markup is read aloud by vendors
that do not know it. Some beginnings of a text are orders to the platform, and are taken away: what a caller or a web
service says may stand in a prompt.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeAlias

from msgspec import Struct

from ivr.channels.jambonz import wire
from ivr.engine.commands import Audio, Recorded, Segment, Silence, Spoken, Text, as_spoken

_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff<>{}]")
"Controls, halves of pairs, and what begins markup (`<speak>`) or options of the media server (`{loops=9}`)."
_ORDER = re.compile(r"(silence_stream|tone_stream|say|file|https?):", re.IGNORECASE)
"At the beginning of a text: the media server would play that instead."


class PromptWords(Struct, frozen=True):
    """A text to be spoken."""

    text: str
    synthesizer: wire.Synthesizer


class PromptFiles(Struct, frozen=True):
    """Files to be played, one after the other."""

    urls: tuple[str, ...]


class PromptPause(Struct, frozen=True):
    """Silence."""

    seconds: float


PromptPart: TypeAlias = PromptWords | PromptFiles | PromptPause
AddressOf: TypeAlias = Callable[[Audio | Recorded], str | None]
"Returns where a file can be fetched; None: nowhere, and it is left out."
SpeakerOf: TypeAlias = Callable[[Text], wire.Synthesizer]
"Returns who speaks a text."


def prompt_parts(segments: Sequence[Segment], address_of: AddressOf, speaker_of: SpeakerOf) -> tuple[PromptPart, ...]:
    """Return the parts of a prompt, in order."""
    heard = as_spoken(segments)
    parts = [part for segment in heard if (part := _part(segment, address_of, speaker_of)) is not None]
    merged: list[PromptPart] = []
    for _, group in groupby(parts, key=_together):
        merged.append(_merged(list(group)))
    return tuple(merged)


def verb(part: PromptPart) -> wire.AnyVerb:
    """Return the verb that plays a part to its end."""
    match part:
        case PromptWords(text=text, synthesizer=synthesizer):
            return wire.Say(text=text, synthesizer=synthesizer)
        case PromptFiles(urls=urls):
            return wire.Play(url=_one_or_more(urls))
        case PromptPause(seconds=seconds):
            return wire.Pause(length=seconds)


def nested(part: PromptWords | PromptFiles) -> wire.NestedSay | wire.NestedPlay:
    """Return what plays a part inside a `gather`, which stops it when the caller interrupts."""
    if isinstance(part, PromptWords):
        return wire.NestedSay(text=part.text, synthesizer=part.synthesizer)
    return wire.NestedPlay(url=_one_or_more(part.urls))


def speakable(text: str) -> str:
    """Return a text without what nobody can say, and without what the media server would take for an order."""
    plain = " ".join(_UNSPEAKABLE.sub(" ", text).split())
    while found := _ORDER.match(plain):
        plain = plain[found.end() :].lstrip(" /")
    return plain


def _part(segment: Spoken, address_of: AddressOf, speaker_of: SpeakerOf) -> PromptPart | None:
    match segment:
        case Text(value=value):
            words = speakable(value)
            return PromptWords(words, speaker_of(segment)) if words else None
        case Silence(milliseconds=milliseconds):
            return PromptPause(milliseconds / 1000) if milliseconds else None
        case Audio() | Recorded():
            address = address_of(segment)
            return None if address is None else PromptFiles((address,))


def _together(part: PromptPart) -> object:
    """Return what neighbours must have in common to be one part."""
    return part.synthesizer if isinstance(part, PromptWords) else type(part)


def _merged(parts: Sequence[PromptPart]) -> PromptPart:
    first = parts[0]
    match first:
        case PromptWords(synthesizer=synthesizer):
            return PromptWords(" ".join(part.text for part in parts if isinstance(part, PromptWords)), synthesizer)
        case PromptFiles():
            return PromptFiles(tuple(url for part in parts if isinstance(part, PromptFiles) for url in part.urls))
        case PromptPause():
            return PromptPause(round(sum(part.seconds for part in parts if isinstance(part, PromptPause)), 3))


def _one_or_more(urls: tuple[str, ...]) -> str | tuple[str, ...]:
    return urls[0] if len(urls) == 1 else urls
