"""How words sound: the 134,000 of the model's dictionary, compounds of two of them, and the rest by rule."""

from functools import cache
from pathlib import Path

from ivr.speech.engines.sphinx.letters import pronounced

_SHORTEST_PART = 3
"Letters of a part of a compound: shorter ones are found in every word."
_MOST_WAYS = 5
"Ways to say a word that are looked up."


class Dictionary:
    """The text of a dictionary in the CMU's form: a word and its phones a line, further ways as `word(2)`."""

    def __init__(self, text: bytes) -> None:
        self._text = b"\n" + text
        self.ways = cache(self.ways)  # type: ignore[method-assign]  # a menu's words come with every call

    @classmethod
    def read(cls, file: Path) -> "Dictionary":
        """Load a dictionary, 3 MB as it is: a table of it would take ten times as much, and a second."""
        return cls(file.read_bytes())

    def ways(self, word: str) -> tuple[str, ...]:
        """Return the phones of a word, in every way that is known; of a word that nobody knows, by rule."""
        if known := self._listed(word):
            return known
        letters = "".join(letter for letter in word if letter.isalpha())
        return self._listed(letters) or self._compound(letters) or (pronounced(letters),)

    def _listed(self, word: str) -> tuple[str, ...]:
        keys = [word, *(f"{word}({number})" for number in range(2, _MOST_WAYS + 1))]
        return tuple(phones for key in keys if (phones := self._line(key)))

    def _line(self, key: str) -> str:
        place = self._text.find(f"\n{key} ".encode())
        if place < 0:
            return ""
        start = place + len(key) + 2
        return self._text[start : self._text.find(b"\n", start)].decode("ascii").strip()

    def _compound(self, word: str) -> tuple[str, ...]:
        """Split `callcenter` in two, the longest first part first."""
        for place in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            first, second = self._listed(word[:place]), self._listed(word[place:])
            if first and second:
                return (f"{first[0]} {second[0]}",)
        return ()
