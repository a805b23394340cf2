"""Written words as they sound: two texts that sound the same are one answer, however they are written.

The keyboard of a Mac writes `é` as two characters, a speech engine ends what it heard with a full stop, and an author
writes `Main menu`. None of that can be heard.
"""

import re
import unicodedata

_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ](?=\w)")
_SAID_BY_NAME = frozenset("#&@%*/§")
"Punctuation to Unicode, and words to a caller: `C#` is another answer than `C`."


def as_heard(text: str) -> str:
    """Return words without what cannot be heard: how Unicode spells them, case, punctuation, spacing."""
    same = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(map(_audible, _APOSTROPHES.sub("", same))).split())


def _audible(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Cf":  # a soft hyphen, a joiner: inside a word
        return ""
    return " " if category[0] in "PZC" and sign not in _SAID_BY_NAME else sign
