"""Phrases as what pocketsphinx reads: a JSGF grammar of exactly these, and a dictionary of exactly their words.

Words are numbered, so nothing that an author writes is ever grammar; and a dictionary of forty words loads in a
hundredth of the time of the whole one.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from ivr.speech.engines.sphinx.words import spoken

Ways = Callable[[str], tuple[str, ...]]
"Gives the phones of a word, in every way to say it."


class Grammar(Struct, frozen=True):
    """What can be understood."""

    jsgf: str
    dictionary: str
    phrases: dict[str, str]
    "What the decoder says, to the phrase as its author wrote it."


def grammar(phrases: Sequence[str], ways: Ways) -> Grammar | None:
    """Make a grammar of one of these phrases, said alone; None: none of them can be said."""
    numbers: dict[str, str] = {}
    sayings: dict[str, str] = {}
    for phrase in phrases:
        words = [numbers.setdefault(word, f"w{len(numbers)}") for word in spoken(phrase)]
        if words:
            sayings.setdefault(" ".join(words), phrase)
    if not sayings:
        return None
    lines = [
        f"{number}({index}) {phones}\n" if index > 1 else f"{number} {phones}\n"
        for word, number in numbers.items()
        for index, phones in enumerate(ways(word), 1)
    ]
    jsgf = f"#JSGF V1.0;\ngrammar phrases;\npublic <phrase> = {' | '.join(sayings)};\n"
    return Grammar(jsgf, "".join(lines), sayings)
