"""The choices of a question as buttons: what stands on each, and what is written for whoever presses it."""

import re

from ivr.engine.commands import Choice
from ivr.engine.offers import by_words

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_.]+")


def title(choice: Choice) -> str:
    """Return what stands on the button: the first phrase that chooses it, else its name."""
    words = choice.speech[0] if choice.speech else " ".join(_HUMP.sub(" ", choice.name).split()).lower()
    return words[:1].upper() + words[1:]


def written(choice: Choice) -> str:
    """Return what a press of the button writes: the choice's key, else a phrase that chooses it, else its name."""
    return choice.key or (choice.speech[0] if choice.speech else choice.name)


def is_answer(choice: Choice, words: str) -> bool:
    """Return whether words choose this, be it by its key, by a phrase or by its name."""
    return words == choice.key or by_words((choice,), words) is not None or is_meant(choice, words)


def is_meant(choice: Choice, words: str) -> bool:
    """Return whether somebody has written the name of a choice, as it is or as it stands on the button."""
    return words.casefold() in {choice.name.casefold(), title(choice).casefold()}
