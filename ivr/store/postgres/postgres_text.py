"""What a text of the database can hold: UTF-8 without the character of number 0; an index takes only so much of it."""

from hashlib import blake2b
from typing import Final

LONGEST: Final = 512
"Characters of a text by which calls are found: 2,048 bytes at most, and an index takes 2,700."
_KEPT: Final = 448
"Characters of a longer one, which is told apart by a digest behind them."


def can_stand(text: str) -> bool:
    """Return whether a text can stand in the database; what cannot is not there, and need not be looked for."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def standing(text: str) -> str:
    """Return what stands for a text in a column by which calls are found: the text itself, if it can stand there.

    Who is calling may be a stranger's choice, and what has no place in a column must not keep a turn from being saved.
    """
    if not can_stand(text):
        text = text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()  # as a copy of a store has it
    if len(text) <= LONGEST:
        return text
    return f"{text[:_KEPT]}…{blake2b(text.encode(), digest_size=16).hexdigest()}"
