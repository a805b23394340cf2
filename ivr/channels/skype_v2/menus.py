"""A question with choices as lines to read, since this platform has no buttons: `1 - Sales`.

What stands before a choice is its key. One that has none gets the lowest number that is no other's, so that every
choice can be written with a number.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

from ivr.channels.in_writing.offered import title
from ivr.channels.in_writing.words import plain
from ivr.engine.commands import Choice, Recognize

_LONGEST: Final = 16
"Characters of an answer that can be a number."


def lines(question: Recognize) -> Sequence[str]:
    """Return a line for each choice."""
    given = {choice.name: number for number, choice in _numbers(question).items()}
    return [f"{choice.key or given[choice.name]} - {title(choice)}" for choice in question.choices]


def numbered(question: Recognize, text: str) -> str | None:
    """Return the name of the choice without a key whose number was written; None: none was."""
    choice = _numbers(question).get(plain(text, _LONGEST).rstrip(".)"))
    return None if choice is None else choice.name


def _numbers(question: Recognize) -> Mapping[str, Choice]:
    """Return the choices that have no key, by number."""
    keys = {choice.key for choice in question.choices}
    free = (number for number in map(str, count(1)) if number not in keys)
    return dict(zip(free, (choice for choice in question.choices if choice.key is None), strict=False))
