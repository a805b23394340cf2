"""Which of the phrases that are listened for was meant by what an engine wrote down; pure.

Engines that take phrases as hints write down what they hear: *I'd like sales, please.*
"""

from collections.abc import Sequence
from difflib import get_close_matches

from ivr.engine.utterance import as_heard

NEAR = 0.75
"difflib's ratio from which words may be a phrase that was misheard."
SHORTEST = 5
"Characters of a phrase that may be misheard: `now` is no `no`."
LONGEST = 60
"Characters of words that are compared so; more is no phrase."


def said_phrase(words: str, phrases: Sequence[str]) -> str | None:
    """Return the phrase that was said; None: none of them, or it could be two.

    It is the one that these words are, as typed words are compared (`ivr.engine.utterance`); or the only one among
    the words, where a longer one is taken for the shorter one within it; or the only one that is near.
    """
    if words in phrases:
        return words
    by_sound = {as_heard(phrase): phrase for phrase in reversed(phrases)}
    by_sound.pop("", None)
    heard = as_heard(words)
    if heard in by_sound:
        return by_sound[heard]
    inside = [sound for sound in by_sound if f" {sound} " in f" {heard} "]
    whole = [sound for sound in inside if not any(sound != other and f" {sound} " in f" {other} " for other in inside)]
    if not whole and len(heard) <= LONGEST:
        whole = get_close_matches(heard, [sound for sound in by_sound if len(sound) >= SHORTEST], n=2, cutoff=NEAR)
    return by_sound[whole[0]] if len(whole) == 1 else None
