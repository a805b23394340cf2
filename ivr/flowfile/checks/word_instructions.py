"""What a text tells a caller to say or to wait for: "say support", "after the beep". English."""

import re
from collections.abc import Iterator, Sequence

from ivr.engine.utterance import as_heard
from ivr.flowfile.checks.key_instructions import (
    FIGURES,
    NEGATIONS,
    SENTENCE_ENDS,
    SOFT_VERBS,
    VALUE,
    VERBS,
    Named,
    Token,
    tokens,
)

_NOBODY_ASKED = frozenset(
    {*NEGATIONS, "to", "we", "i", "they", "people", "would", "he", "she", "who", "it", "callers", "did"}
)
"Before `say`: then it does not tell the caller to say something."
_MAY = frozenset({"can", "could", "may", "might", "must", "will", "shall", "should", "do", "always", "often", "also"})
_BEFORE_WORD = frozenset({"either", "just", "simply", "please", "only"})
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}
_DESCRIBED = frozenset(
    {
        *("the", "a", "an", "your", "my", "our", "his", "her", "their", "its", "this", "that", "these", "those", "it"),
        *("which", "what", "where", "when", "who", "whom", "how", "why", "whether", "if", "any", "anything", "more"),
        *("something", "nothing", "everything", "so", "as", "hello", "hi", "goodbye", "thanks", "thank", "sorry", "us"),
        *("me", "you", "each", "every", "both", "all", "clearly", "slowly", "loudly", "again", "digits", "numbers"),
        *("letters", "them", "name", "names", "words", "someone", "and", "in", "only", "are", "is", "aloud", "out"),
        *("some", "few", "much", "many", "not", "here", "there", "congratulations", "happy", "welcome", "from", "with"),
    }
)
"What `say` is followed by where it is no word to be said: `say your name`."
_STOPS = frozenset(
    {
        *(
            "or",
            "and",
            "to",
            "for",
            "if",
            "when",
            "now",
            "please",
            "at",
            "after",
            "then",
            "followed",
            "clearly",
            "into",
        ),
        *("in", "on", "instead", "within", "before", "while", "again", "because", "but", "until", "once", "anytime"),
        *(*VERBS, *SOFT_VERBS, VALUE),
    }
)
_DOES = frozenset(
    {
        *(*VERBS, *SOFT_VERBS, "wait", "hold", "stay", "hang", "call", "remain", "visit", "simply", "just", "please"),
        *("leave", "ask", "tell", "if", "to", "for", "we", "you", "i", "it", "speak", "say", "listen", "go", "send"),
        *("write", "record", "let", "someone", "one", "your", "the", "a", "our", "an", "keep", "do", "stop", "end"),
    }
)
"What begins something else to do: `say sales or wait`."
LONGEST = 3
"Words of an answer that a prompt writes out; more of them describe one."


def words_named(text: str, forms: frozenset[str]) -> Iterator[Named]:
    """Go through the words that a text tells a caller to say; `forms` are those that are listened for, as heard."""
    found = tokens(text)
    for place, token in enumerate(found):
        if token.word == "say" and _is_asked(found, place):
            yield from _Words(text, found, forms).listed(place + 1)
        elif token.word in {"answer", "reply"} and _is_asked(found, place):  # and not: answer four short questions
            yield from (named for named in _Words(text, found, forms).listed(place + 1) if named.what in {"yes", "no"})


def number_words(words: str) -> str:
    """Return words with their figures as digits: `one` and `1` sound the same."""
    return " ".join(str(FIGURES.index(word)) if word in FIGURES else word for word in words.split())


def _is_asked(found: Sequence[Token], place: int) -> bool:
    before = found[place - 1].word if place else "."
    if before in _MAY:
        before = found[place - 2].word if place > 1 else "."
    return before not in _NOBODY_ASKED and not before.endswith(("n't", "n’t"))


class _Words:
    """Reads the words after one `say`."""

    def __init__(self, text: str, found: Sequence[Token], forms: frozenset[str]) -> None:
        self.text = text
        self.tokens = found
        self.forms = forms

    def word(self, place: int) -> str:
        """Return the word at a place; a stop after the end."""
        return self.tokens[place].word if place < len(self.tokens) else "."

    def listed(self, place: int) -> Iterator[Named]:
        """Read `sales, support or service`."""
        while self.word(place) in _BEFORE_WORD:
            place += 1
        if self.word(place) == "the" and self.word(place + 1) in {"word", "words"}:
            place += 2
        is_first, joined = True, ""
        while (item := self._item(place)) is not None:
            named, is_known, after = item
            is_listed = joined == "or" or (joined == "," and self._leads_to_or(after))
            if not (is_first or is_known or (is_listed and self.word(place) not in _DOES)):
                return
            yield named
            is_first, place, joined = False, self._past_its_use(after), ""
            while self.word(place) in {",", "or", "and"}:
                joined = self.word(place) if joined != "or" else joined
                place += 1
            if not joined:
                return

    def _past_its_use(self, place: int) -> int:
        """Pass over `for shoes` in `say shoes for shoes or coats for coats`, where another one like it follows."""
        use = self.word(place)
        if use not in {"for", "to"}:
            return place
        rest = [self.word(later) for later in range(place, min(place + 12, len(self.tokens)))]
        join = rest.index("or") if "or" in rest else len(rest)
        is_like_it = use in rest[join + 2 : join + 2 + LONGEST] and not SENTENCE_ENDS.intersection(rest[:join])
        return place + join if is_like_it else place

    def _leads_to_or(self, place: int) -> bool:
        return self.word(place) in {"or", ","}

    def _item(self, place: int) -> tuple[Named, bool, int] | None:
        """Read one answer: what is listened for, what stands in quotes, or a few words up to a stop."""
        if self.word(place) in _QUOTES:
            return self._quoted(place)
        for length in range(min(8, len(self.tokens) - place), 0, -1):
            named = self._named(place, place + length)
            if named.what in self.forms and self.word(place + length - 1) not in SENTENCE_ENDS | {","}:
                return named, True, place + length
        after = place
        while self.word(after) not in _STOPS and self.word(after)[0].isalnum():
            after += 1
        if not place < after <= place + LONGEST or self.word(place) in _DESCRIBED:
            return None
        return self._named(place, after), False, after

    def _quoted(self, place: int) -> tuple[Named, bool, int] | None:
        mark = _QUOTES[self.word(place)]
        end = next((later for later in range(place + 1, len(self.tokens)) if self.word(later) == mark), None)
        if end is None or end == place + 1 or any(self.word(inside) == VALUE for inside in range(place + 1, end)):
            return None
        return self._named(place + 1, end), True, end + 1

    def _named(self, start: int, end: int) -> Named:
        begin, stop = self.tokens[start].start, self.tokens[end - 1].end
        return Named(number_words(as_heard(self.text[begin:stop])), begin, stop)


_BEEP = re.compile(
    r"\b(?:after|at|following|hear|on|upon|for)\s+(?:the|a|this|that|our|another)?\s*"
    r"(?:(?:short|long|loud|next)\s+)?(?P<beep>beep|bleep|tone|signal)\b",
    re.IGNORECASE,
)


def beeps_named(text: str) -> Iterator[Named]:
    """Go through the beeps that a text tells a caller to wait for."""
    for found in _BEEP.finditer(text):
        yield Named(found["beep"].lower(), found.start(), found.end())
