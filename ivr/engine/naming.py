"""What a name is (LANGUAGE C1): a letter of any alphabet, then letters, digits and `_`, in one written form.

One word has several written forms in Unicode: `é` is one character, or an `e` and an accent (macOS writes the latter).
Names are compared letter by letter everywhere, so each is brought into the composed form (NFC) where it is read.
"""

from collections.abc import Sequence
from typing import Final
from unicodedata import normalize

USER: Final = "user"
"Variables called `user.NAME` are kept of the caller, and outlive the call (LANGUAGE C10)."
_OF_USER: Final = f"{USER}."


def normal(text: str) -> str:
    """Return a text in the form in which names are compared."""
    return text if text.isascii() else normalize("NFC", text)


def is_name(word: str) -> bool:
    """Return whether a word can name something that an expression reads.

    Unicode's own rule for identifiers, without an underscore in front: it knows the marks that many alphabets put after
    a letter, which are no letters themselves.
    """
    return word.isidentifier() and word[0].isalpha()


def is_of_user(variable: str) -> bool:
    """Return whether a variable is kept of the caller: it belongs to no call and no flow, and is called `user.NAME`."""
    return variable.startswith(_OF_USER)


def without_user(variable: str) -> str:
    """Return the name of a variable without what all have in common that are kept of the caller."""
    return variable.removeprefix(_OF_USER)


def parted(path: str) -> tuple[str, Sequence[str]]:
    """Return the name that a dotted path begins with, and the fields that follow; `user.NAME` is one name."""
    root, *fields = path.split(".")
    if root == USER and fields:
        return f"{root}.{fields[0]}", fields[1:]
    return root, fields
