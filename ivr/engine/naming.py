"""What a name is (LANGUAGE C1): a letter of any alphabet, then letters, digits and `_`, in one written form.

One word has several written forms in Unicode: `é` is one character, or an `e` and an accent (macOS writes the latter).
Names are compared letter by letter everywhere, so each is brought into the composed form (NFC) where it is read.
"""

from unicodedata import normalize


def normal(text: str) -> str:
    """Return a text in the form in which names are compared."""
    return text if text.isascii() else normalize("NFC", text)


def is_name(word: str) -> bool:
    """Return whether a word can name something that an expression reads.

    Unicode's own rule for identifiers, without an underscore in front: it knows the marks that many alphabets put after
    a letter, which are no letters themselves.
    """
    return word.isidentifier() and word[0].isalpha()
