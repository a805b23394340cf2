"""What somebody has written, against what was asked: an event of the engine.

Whoever writes ends the answer by sending it, so there are no end keys and no pauses between keys.
"""

import re
from typing import Final

from ivr.channels.gathered import MAX_WORDS, takes_keys, takes_words, terminators
from ivr.channels.in_writing.offered import is_meant
from ivr.channels.in_writing.words import plain
from ivr.engine.commands import Recognize
from ivr.engine.events import PHONE_KEYS, ChoiceMade, Event, InputInvalid, KeysPressed, SpeechHeard
from ivr.engine.offers import by_keys, by_words

_BETWEEN_DIGITS: Final = re.compile(r"[\s().\-/]+")
"What people put between the digits of a number, to read it more easily."


def answer(question: Recognize, text: str) -> Event:
    """Return what a message answers."""
    words = plain(text, MAX_WORDS)
    if not words:
        return InputInvalid(question.op)  # a picture, say
    keys = _keys(question, words) if takes_keys(question) else ""
    if question.digits is not None:
        return _digits(question, keys, words)
    name = by_keys(question.choices, keys) if keys else None
    if name is not None:
        return ChoiceMade(question.op, name, "keys")
    return _chosen(question, words)


def _keys(question: Recognize, words: str) -> str:
    """Return the keys that were written, without those that would end them on a telephone; "": words were."""
    keys = _BETWEEN_DIGITS.sub("", words).upper()
    if not keys or not PHONE_KEYS.issuperset(keys):
        return ""
    if any(choice.key == keys for choice in question.choices):
        return keys
    return keys.rstrip(terminators(question)) or keys


def _digits(question: Recognize, keys: str, words: str) -> Event:
    if keys:
        too_many = question.digits is not None and len(keys) > question.digits.maximum
        return InputInvalid(question.op) if too_many else KeysPressed(question.op, keys, "terminator")
    return SpeechHeard(question.op, words) if question.free is not None else InputInvalid(question.op)


def _chosen(question: Recognize, words: str) -> Event:
    """Return which choice was written: by a phrase, letter by letter or as it sounds, or by the words on its button."""
    op = question.op
    for choice in question.choices:  # `Yes` and `yes` may both be offered
        if words in choice.speech:
            return ChoiceMade(op, choice.name, "speech")
    name = by_words(question.choices, words) or next(
        (choice.name for choice in question.choices if is_meant(choice, words)), None
    )
    if name is not None:
        return ChoiceMade(op, name, "speech")
    return SpeechHeard(op, words) if takes_words(question) else InputInvalid(op)
