"""What a text tells a caller to press: "press 1 or 4", "press 1 for sales and 4 for support". English.

A number is a key only where it is named as one. "Press 1 within 5 seconds", "press 1 for line 4" and "enter 4 digits"
name the key 1, the key 1, and none: after the first key of a sentence, only words that go on with keys make one.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from ivr.flowfile.model_base import PUT_IN

FIGURES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_KEY_WORDS = {
    **{word: str(number) for number, word in enumerate(FIGURES)},
    **{str(number): str(number) for number in range(10)},
    **dict.fromkeys(("star", "asterisk", "*"), "*"),
    **dict.fromkeys(("pound", "hash", "#"), "#"),
}
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d(?:[\w.,:%°-]*\w)?%?|\S")
VERBS = frozenset({"press", "dial", "push", "hit"})
"What one does with a key, whatever follows."
SOFT_VERBS = frozenset({"enter", "key", "type", "select", "choose", "touch", "tap", "use", "pick"})
"What one does with a key if that is all of it: `enter 1 or 2`, and not `enter 4 digits`."
_BEFORE_KEY = frozenset({"the", "key", "keys", "number", "digit", "button", "option", "either", "in", "on", "just"})
MARKS = frozenset("\"'“”‘’«»()")
_AFTER_KEY = frozenset({"key", "sign", "button", "symbol"})
VALUE = "\ufffc"
"Stands for a value that is put in, whatever it is."
_DOWN = frozenset({"down", "up"})
"`5 for very good, down to 1 for very bad`."
SENTENCE_ENDS = frozenset(".!?;:")
_GOES_ON = frozenset(
    {
        *("for", "to", "if", "when", "now", "at", "please", "or", "and", "then", "again", "instead", "within", "after"),
        *("on", "in", "as", "any", "anytime", "before", "during", "but", "otherwise", "through", "on", "twice", "once"),
    }
)
"What can follow a key that is named after another one; `press 1 and 2 agents` names no second key."
_JOINS = frozenset({",", "/", "or", "and", "then", "&", ";"})
_USES = frozenset({"for", "to", "if", "when"})
_LABELS = frozenset({"-", "–", "—", ":"})
_RANGES = frozenset({"to", "through", "thru", "till", "until", "-", "–"})
NEGATIONS = frozenset({"not", "never", "cannot", "no", "without", "don't", "don’t", "can't", "can’t"})
_COUNTED = frozenset(
    {
        *("second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months"),
        *("year", "years", "time", "times", "tries", "attempts", "digit", "digits", "numbers", "keys", "buttons"),
        *("characters", "letters", "options", "choices", "percent", "dollars", "dollar", "euros", "euro", "cents"),
        *("am", "pm", "a.m", "p.m", "o'clock", "of", "more", "stars", "people", "items", "or more", "moment"),
    }
)
"What makes a number of the figure before it."
_DATA = frozenset(
    {
        *("line", "room", "extension", "flat", "floor", "gate", "department", "track", "platform", "zone", "desk"),
        *("terminal", "level", "house", "bus", "tram", "route", "flight", "size", "page", "building", "unit", "number"),
        *("the", "a", "at", "in", "by", "within", "after", "about", "than", "of", "under", "over", "channel", "part"),
        *(
            "window",
            "counter",
            "lane",
            "class",
            "chapter",
            "version",
            "season",
            "episode",
            "question",
            "item",
            "apartment",
        ),
    }
)
"What makes data of the figure after it: `for line 4`."


class Token(Struct, frozen=True):
    """A word, a figure or a sign of a text."""

    text: str
    start: int

    @property
    def word(self) -> str:
        """It in small letters."""
        return self.text.lower()

    @property
    def end(self) -> int:
        """Where it ends, not included."""
        return self.start + len(self.text)


class Named(Struct, frozen=True):
    """A key or a word that a text tells a caller to press or to say."""

    what: str
    "The key; or the words as they are heard."
    start: int
    "In the text, like `end`."
    end: int


Reading: TypeAlias = Generator[Named, None, int]
"Gives what is named, and returns the place after it."


def tokens(text: str) -> Sequence[Token]:
    """Divide a text; a value that is put in is one sign that means nothing."""
    plain = PUT_IN.sub(lambda found: VALUE + " " * (len(found.group()) - 1), text)
    return [Token(found.group(), found.start()) for found in _TOKEN.finditer(plain)]


def keys_named(text: str) -> Iterator[Named]:
    """Go through the keys that a text tells a caller to press, in their order."""
    reader = _Keys([token for token in tokens(text) if token.text not in MARKS])
    place = 0
    while place < len(reader.tokens):
        place = yield from reader.instruction(place)


class _Key(Struct, frozen=True):
    """A key that a text names."""

    key: str
    first: int
    "The token where it stands; `number sign` are two."
    last: int
    after: int
    "The token after it; `key` and `button` belong to it."


_NEAR = 50
"Words that are looked at around one; more of them are no sentence, and a text is gone through in good time."


class _Keys:
    """Reads the keys of one text."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.tokens = found

    def word(self, place: int) -> str:
        """Return the word at a place; a stop before the beginning and after the end."""
        return self.tokens[place].word if 0 <= place < len(self.tokens) else "."

    def instruction(self, place: int) -> Reading:
        """Read one sentence's keys from a verb on, if there is one here; return the place where to go on."""
        verb = self.word(place)
        if verb not in VERBS | SOFT_VERBS or self.word(place - 1) in NEGATIONS:
            return place + 1
        first = self._skipped(place + 1)
        if self.word(first) == "any" or (self.word(first) == "a" and self.word(first + 1) in _BEFORE_KEY):
            return (yield from self._range_of_any(first))
        key = self._key(first)
        if key is None or (verb in SOFT_VERBS and not self._goes_on(key)):
            return place + 1
        yield self._named(key, place)
        return (yield from self._rest_of_sentence(place, (yield from self._list(key))))

    def _named(self, key: _Key, first: int | None = None) -> Named:
        start = self.tokens[key.first if first is None else first].start
        return Named(key.key, start, self.tokens[key.last].end)

    def _skipped(self, place: int) -> int:
        """Pass over what may stand before a key; `number sign` is one."""
        for _ in range(_NEAR):
            if not (self.word(place) in _BEFORE_KEY and not self._is_sign(place)) and not self._is_number_sign(place):
                break
            place += 1
        return place

    def _after(self, words: frozenset[str], place: int) -> int:
        """Pass over words."""
        return next((at for at in range(place, place + _NEAR) if self.word(at) not in words), place + _NEAR)

    def _is_number_sign(self, place: int) -> bool:
        """Return whether `#` is no key, but stands before one: `press #1`."""
        after = self.tokens[place + 1] if 0 <= place < len(self.tokens) - 1 else None
        return self.word(place) == "#" and after is not None and after.text.isdigit() and self._touch(place)

    def _touch(self, place: int) -> bool:
        return self.tokens[place].end == self.tokens[place + 1].start

    def _is_sign(self, place: int) -> bool:
        return (self.word(place), self.word(place + 1)) == ("number", "sign")

    def _key(self, place: int) -> _Key | None:
        """Read the key that is named here; None: none is, or it is a number of something."""
        if self._is_sign(place):
            return _Key("#", place, place + 1, place + 2)
        text = self.tokens[place].text if place < len(self.tokens) else ""
        key = text if text in {"A", "B", "C", "D"} else _KEY_WORDS.get(text.lower())
        after = place + 1
        if key is None or self.word(after) in _COUNTED or (key == "A" and self.word(after) == "key"):
            return None
        if self.word(after) in _AFTER_KEY:
            after += 1
        if key.isdigit() and self.word(after)[0].isdigit():  # dial 1 800 …
            return None
        return _Key(key, place, place, after)

    def _goes_on(self, key: _Key) -> bool:
        """Return whether a key can end here: what follows makes no number of it."""
        word = self.word(key.after)
        return word in _GOES_ON or not (word[0].isalnum() or word == VALUE)

    def _list(self, key: _Key) -> Reading:
        """Read `, 2 or 3` and `to 5` after a key; return the place after the last one."""
        while True:
            is_range = self.word(key.after) in _RANGES
            place = key.after + is_range
            place = self._after(_JOINS, place)
            item = self._key(self._skipped(place)) if place > key.after else None
            if item is None or not self._goes_on(item):
                return key.after
            if is_range:
                yield from self._between(key, item)
            yield self._named(item)
            key = item

    def _between(self, first: _Key, last: _Key) -> Iterator[Named]:
        """Go through the keys between two, as far as they have an order."""
        if first.key.isdigit() and last.key.isdigit():
            low, high = sorted((int(first.key), int(last.key)))
            for key in range(low + 1, high):
                yield self._named(_Key(str(key), first.first, last.last, last.after))

    def _range_of_any(self, place: int) -> Reading:
        """Read `any key from 1 to 5`."""
        while self.word(place) in {"a", "any", "key", "number", "digit", "button", "from", "between"}:
            place += 1
        first = self._key(place) if self.word(place - 1) in {"from", "between"} else None
        last = self._key(first.after + 1) if first and self.word(first.after) in _RANGES | {"and"} else None
        if first is None or last is None:
            return place
        yield self._named(first)
        yield from self._between(first, last)
        yield self._named(last)
        return last.after

    def _rest_of_sentence(self, verb: int, place: int) -> Reading:
        """Read what goes without another verb: `… and 4 for support`, `…, for support 4`."""
        is_parallel = any(self.word(before) in {"for", "to"} for before in self._sentence_before(verb))
        last = place = place + (self.word(place) in _LABELS)
        while self.word(place) not in SENTENCE_ENDS - {";"} and self.word(place) not in VERBS:
            found = None
            if self.word(place) in _JOINS | _DOWN and (place == last or not self._is_number(place - 1)):
                found = self._key_with_its_use(place) or (self._use_with_its_key(place) if is_parallel else None)
            if found is None:
                place += 1
                continue
            yield self._named(found)
            place = last = yield from self._list(found)
        return place

    def _sentence_before(self, place: int) -> Iterator[int]:
        for before in range(place - 1, place - 1 - _NEAR, -1):
            if self.word(before) in SENTENCE_ENDS:
                return
            yield before

    def _is_number(self, place: int) -> bool:
        """Return whether a number stands here, as in `flights between 8 and 9 to Vienna`."""
        return self.word(place)[0].isdigit() or self.word(place) in FIGURES

    def _key_with_its_use(self, place: int) -> _Key | None:
        """Read `and 4 for support`."""
        place = self._after(_JOINS | _DOWN | {"to", "then"}, place)
        key = self._key(self._skipped(place))
        return key if key and (self.word(key.after) in _USES or self._is_labelled(key)) else None

    def _is_labelled(self, key: _Key) -> bool:
        """Return whether a label follows, as in `1: sales, 2: support`."""
        return self.word(key.after) in _LABELS and self.word(key.after + 1).isalpha()

    def _use_with_its_key(self, place: int) -> _Key | None:
        """Read `, for support 4`, in a sentence that began with `for sales press 1`."""
        place = self._after(_JOINS, place)
        if self.word(place) not in {"for", "to"}:
            return None
        for start in range(place + 2, place + 8):
            if self.word(start) in VERBS | SENTENCE_ENDS:
                return None
            key = self._key(start)
            is_last = key is not None and self.word(key.after) in {*SENTENCE_ENDS, ",", "or", "and"}
            if key and is_last and self.word(start - 1) not in _DATA:
                return key
        return None
