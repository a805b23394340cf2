"""Which of the phrases that are listened for was meant by what an engine wrote down; pure.

Engines that take phrases as hints write down what they hear: *I'd like sales, please.*
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from ivr.engine.utterance import as_heard
from ivr.speech.numerals import in_digits

NEAR = 0.75
"difflib's ratio from which words may be a phrase that was misheard."
SHORTEST = 5
"Characters of a phrase that may be misheard: `now` is no `no`."
LONGEST = 60
"Characters of words that are compared so; more is no phrase."


def said_phrase(words: str, phrases: Sequence[str]) -> str | None:
    """Return the phrase that was said; None: none of them, or it could be two.

    It is the one among the words (`phrase_among`), or else the only one that is near.
    """
    found = _all_among(words, phrases) or _near(words, phrases)
    return found[0] if len(found) == 1 else None


def phrase_among(words: str, phrases: Sequence[str]) -> str | None:
    """Return the phrase that the words are, or that is among them; None: none is, or more than one.

    Words are compared as typed words are (`ivr.engine.utterance`), or else with their numbers in digits. A longer
    phrase is taken for a shorter one within it.
    """
    found = _all_among(words, phrases)
    return found[0] if len(found) == 1 else None


def _all_among(words: str, phrases: Sequence[str]) -> list[str]:
    if words in phrases:
        return [words]
    return _among(words, phrases, as_heard) or _among(words, phrases, in_digits)


def _among(words: str, phrases: Sequence[str], sound_of: Callable[[str], str]) -> list[str]:
    """Return the phrase that the words are, or those that are among them and not within another one there."""
    by_sound = _by_sound(phrases, sound_of)
    heard = sound_of(words)
    if heard in by_sound:
        return [by_sound[heard]]
    inside = [sound for sound in by_sound if f" {sound} " in f" {heard} "]
    return [
        by_sound[sound]
        for sound in inside
        if not any(sound != other and f" {sound} " in f" {other} " for other in inside)
    ]


def _near(words: str, phrases: Sequence[str]) -> list[str]:
    by_sound = _by_sound(phrases, as_heard)
    heard = as_heard(words)
    if len(heard) > LONGEST:
        return []
    near = get_close_matches(heard, [sound for sound in by_sound if len(sound) >= SHORTEST], n=2, cutoff=NEAR)
    return [by_sound[sound] for sound in near]


def _by_sound(phrases: Sequence[str], sound_of: Callable[[str], str]) -> dict[str, str]:
    """Return the phrases by how they sound, without those that do not; the first of two that sound the same."""
    by_sound = {sound_of(phrase): phrase for phrase in reversed(phrases)}
    by_sound.pop("", None)
    return by_sound
