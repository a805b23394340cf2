"""Texts as hibari reads them well: sentence by sentence, and no word longer than it can take."""

import re
from collections.abc import Iterator

from ivr.speech.wording import speakable

LONGEST = 300
"Characters of a sentence that are spoken in one go: some 20 s."
LONGEST_WORD = 40
"Characters without a space. The time that hibari thinks about them grows with their third power: minutes for 400."

_END = re.compile(r"(?<=[.!?])\s+")
_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")


def sentences(words: str) -> Iterator[str]:
    """Return a text sentence by sentence, so that the first can be heard while the next is made."""
    for sentence in _END.split(_LONG_WORD.sub(r"\1 ", speakable(words))):
        rest = sentence.strip()
        while rest:
            space = rest.rfind(" ", 1, LONGEST) if len(rest) > LONGEST else len(rest)
            yield rest[:space]
            rest = rest[space:].lstrip()
