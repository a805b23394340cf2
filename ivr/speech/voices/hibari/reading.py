"""Texts as hibari reads them well: sentence by sentence, with words for the signs and numbers that it misreads.

The rules are for the release of `voice_package`: each of them is there because that release reads the text wrong, loses
a part of it, or stops. What it reads right stays as it is: grouped numbers, percent, units, titles, months, fractions.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from ivr.engine.commands import Text
from ivr.engine.expressions.forms.english import WEEKDAYS
from ivr.speech.voices.hibari.written_numbers import with_numbers
from ivr.speech.wording import in_words, speakable

LONGEST = 300
"Characters of a sentence that are spoken in one go: some 20 s."
LONGEST_WORD = 40
"Characters without a space. The time that hibari thinks about them grows with their third power: minutes for 400."

LETTER_A = "[A](/ˈA/)"
"The letter, with its sound in hibari's own notation: alone, an A is read as in `a caller`."

_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_REPEATED = re.compile(r"([^\w\s.])\1+")
_SPECIAL_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)
_DAYS = {day[:3]: day for day in WEEKDAYS}
_DAY = rf"({'|'.join(_DAYS)})(?:[a-z]{{0,6}}day|s|rs|urs)?\.?"
_TITLE = r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Mt|Rev|Hon|Gen|Capt|Lt|Sgt|[Nn]o|[A-Z])\.$"
_TOP_DOMAINS = "com|org|net|edu|gov|info|biz|io|app|dev|eu|uk|ca|au|de|ch|fr|es|nl|ie|nz"
_SPOKEN_SIGNS = {".": " dot ", "@": " at ", "-": " dash ", "_": " underscore ", "/": " slash ", "+": " plus "}

_ADDRESS = re.compile(
    r"(?<![\w@.])(?:"
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    r"|(?:https?://|www\.)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?:/[\w./-]{0,100}\w)?"
    rf"|[\w-]{{2,63}}(?:\.[\w-]{{1,63}}){{0,8}}\.(?:{_TOP_DOMAINS})(?:/[\w./-]{{0,100}}\w)?"
    r")(?![\w@])"
)
_ROW = re.compile(r"(?<![\w'])[A-Z0-9](?:,? [A-Z0-9])+(?![\w'-])")
_END = re.compile(r"(?<=[.!?…])([\"”’)\]]*)\s+(?=[^\sa-z])")
_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")


def sentences(text: Text) -> Iterator[str]:
    """Return a text sentence by sentence, so that the first can be heard while the next is made.

    A sentence has at most `LONGEST` characters, and something in it that can be spoken.
    """
    for sentence in _whole_sentences(readable(text)):
        for piece in _short(_LONG_WORD.sub(r"\1 ", sentence)):
            if any(char.isalnum() for char in piece):
                yield piece


def readable(text: Text) -> str:
    """Return an English text as hibari reads it right."""
    words = _clean(in_words(text))
    if text.say_as == "letters":
        words = words.upper()
    words = with_numbers(_REPEATED.sub(r"\1", _ADDRESS.sub(_address, words)), text)
    for rule, replacement in _RULES:
        words = rule.sub(replacement, words)
    return " ".join(words.split())


def has_foreign_letters(text: str) -> bool:
    """Return whether a text has letters that hibari does not know: it would leave them out."""
    return any(char.isalpha() and not _is_latin(char) for char in text)


def _is_latin(letter: str) -> bool:
    base = unicodedata.normalize("NFKD", letter.translate(_SPECIAL_LETTERS))
    return base[0].isascii()


def _clean(text: str) -> str:
    """Return a text without markup, pictures and marks that say nothing, and with its digits as 0 to 9."""
    text = unicodedata.normalize("NFC", speakable(text)).translate(_SPECIAL_LETTERS)
    text = " ".join("".join(map(_plain, _MARKUP.sub(" ", text))).split())
    # hibari's own notation for how a word sounds is not for authors: other voices would read it aloud.
    return text.replace("](", "] (")


def _plain(char: str) -> str:
    if char.isascii():
        return char
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind == "Zs" or (kind in {"So", "Cf", "Mn", "Me", "Co", "Cn", "Sk"} and char not in "°©"):
        return " " if kind in {"Zs", "So"} else ""
    return {"−": "-", "‐": "-", "‑": "-"}.get(char, char)


def _address(match: re.Match[str]) -> str:
    address = re.sub(r"^https?://", "", match[0])
    address = re.sub(r"^www\.", "W W W.", address)
    return "".join(_SPOKEN_SIGNS.get(char, char) for char in address)


def _row(match: re.Match[str]) -> str:
    """Return a row of letters and digits with its As as letters; the A of `A 4 digit code` is an article."""
    row, rest = match[0], match.string[match.end() :]
    members = row.replace(",", "").split()
    if len(members) == 2 and any(member.isdigit() for member in members) and rest[:1] not in {"", ".", ",", "?", "!"}:
        return row
    return re.sub(r"\bA\b", LETTER_A, row)


def _day_range(match: re.Match[str]) -> str:
    return f"{_DAYS[match[1]]} to {_DAYS[match[2]]}"


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\be\.\s?g\.,?", re.IGNORECASE), "for example,"),
    (re.compile(r"\bi\.\s?e\.,?", re.IGNORECASE), "that is,"),
    (re.compile(r"\b[Ee]xt\.? (?=\d)"), "extension "),
    (re.compile(rf"\b{_DAY}\s?[-–—]\s?{_DAY}(?!\w)"), _day_range),
    # Keys: alone, `*` is left out and `#` is a hashtag.
    (re.compile(r"(?<!\S)\*(?=\d|[\s.,;:!?)]|$)|(?<=\d)\*(?!\w)"), " star "),
    (re.compile(r"(?<!\S)#(?=[\s.,;:!?)]|$)|(?<=\d)#(?!\w)"), " pound "),
    (re.compile(r" +(?=[.,;:!?])"), ""),
    (_ROW, _row),
    # Inside a sentence an article is small; where all is in capitals, nobody knows.
    (re.compile(r"(?<=[a-z0-9,] )A(?![\w'.]|\]\()|(?<=[a-z0-9,] )A(?=\.(?:\s|$))"), LETTER_A),
)


def _whole_sentences(text: str) -> Iterator[str]:
    begin = 0
    for end in _END.finditer(text):
        if not re.search(_TITLE, text[begin : end.end(1)]):
            yield text[begin : end.end(1)]
            begin = end.end()
    yield text[begin:]


def _short(sentence: str) -> Iterator[str]:
    rest = sentence.strip()
    while len(rest) > LONGEST:
        # No word is longer than a sentence, so there is a space.
        end = next(at for mark in (", ", "; ", ": ", " ") if (at := rest.rfind(mark, LONGEST // 2, LONGEST)) > 0)
        yield rest[: end + 1].strip()
        rest = rest[end + 1 :].lstrip()
    yield rest
