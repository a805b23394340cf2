"""What the keys and words are that a platform has gathered, for platforms that hand them over as they came.

The platform ends the input: by a key, by a pause, by a full count. What the input means is found here, against the
question that was asked, which the channel keeps in its notes (`as_note`). Rules that are not a platform's own:

- Keys that are a choice's, and words that are, letter by letter or as they sound, choose it.
- Keys that are no choice's are a wrong answer. So are words that are no choice's: the engine is given them and asks
  again. A recogniser that listens for the choices alone would not hear them, and wait on in silence.
- Where a platform can end an input by one key only, the others come as part of the input, and end it here.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Recognize
from ivr.engine.events import (
    PHONE_KEYS,
    ChoiceMade,
    Event,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationFailed,
    SpeechHeard,
)
from ivr.engine.offers import by_keys, by_words

MAX_WORDS: Final = 500
"Characters of what a caller said that are kept; what is longer is no answer."

_QUESTION = msgspec.json.Decoder(Recognize)


class Gathered(Struct, frozen=True):
    """What came in; neither keys nor words, nor a terminator: silence."""

    keys: str = ""
    "As pressed, the terminator left out as far as the platform does that."
    terminated: bool = False
    "The platform tells that a terminator ended the input, be it the only key."
    words: str = ""
    confidence: float | None = None


def as_note(question: Recognize) -> str:
    """Return a question as it can be kept in a leg until its answer comes; what was spoken is left out."""
    return msgspec.json.encode(replace(question, prompt=())).decode()


def of_note(note: str) -> Recognize:
    """Return the question of a note; raise msgspec.DecodeError for what `as_note` has not written."""
    return _QUESTION.decode(note)


def event_of(question: Recognize, gathered: Gathered) -> Event:
    """Return what the caller did."""
    if gathered.keys or gathered.terminated:
        return _keyed(question, gathered)
    if words := _plain(gathered.words):
        return _said(question, words, gathered.confidence)
    return InputTimedOut(question.op)


# --- what a platform is told of a question ---


def takes_keys(question: Recognize) -> bool:
    """Return whether keys are an answer."""
    return question.digits is not None or any(choice.key for choice in question.choices)


def takes_words(question: Recognize) -> bool:
    """Return whether words are an answer."""
    return question.free is not None or any(choice.speech for choice in question.choices)


def most_keys(question: Recognize) -> int:
    """Return how many keys an answer has at most; 0: keys are none."""
    if question.digits is not None:
        return question.digits.maximum
    return max((len(choice.key or "") for choice in question.choices), default=0)


def terminators(question: Recognize) -> str:
    """Return the keys that end the input."""
    if question.digits is not None:
        return question.digits.terminators
    return question.terminators if question.inter_digit is not None else ""


def between_keys(question: Recognize) -> float | None:
    """Return the seconds that may pass between two keys; None: one key is a whole answer."""
    return question.digits.inter_digit if question.digits is not None else question.inter_digit


def phrases(question: Recognize) -> Sequence[str]:
    """Return what a recogniser can expect, each once; none: anything may be said."""
    return tuple(dict.fromkeys(form for choice in question.choices for form in choice.speech))


# --- what the input means ---


def _keyed(question: Recognize, gathered: Gathered) -> Event:
    op, keys = question.op, gathered.keys.upper()
    if not PHONE_KEYS.issuperset(keys):
        return OperationFailed(op, "system", "the platform told of keys that no telephone has")
    keys, ended = _ended(question, keys, terminated=gathered.terminated)
    if question.digits is not None:
        return KeysPressed(op, keys, ended)
    name = by_keys(question.choices, keys)
    return InputInvalid(op) if name is None else ChoiceMade(op, name, "keys")


def _ended(
    question: Recognize, keys: str, *, terminated: bool
) -> tuple[str, Literal["terminator", "silence", "count"]]:
    """Return the keys before the end of the input, and what that was."""
    own, most = terminators(question), most_keys(question)
    for place, key in enumerate(keys[: most + 1]):
        if key in own:
            return keys[:place], "terminator"
    if terminated:
        return keys[:most], "terminator"
    return keys[:most], "count" if len(keys) >= most else "silence"


def _said(question: Recognize, words: str, confidence: float | None) -> Event:
    for choice in question.choices:  # `Yes` and `yes` may both be offered
        if words in choice.speech:
            return ChoiceMade(question.op, choice.name, "speech")
    name = by_words(question.choices, words)
    if name is not None:
        return ChoiceMade(question.op, name, "speech")
    sure = confidence is not None and 0 <= confidence <= 1
    return SpeechHeard(question.op, words, confidence if sure else None)


def _plain(words: str) -> str:
    """Return words on one line, without what cannot be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words[:MAX_WORDS]).split())
