"""How the words of a phrase sound: from what an author writes to the phones that the speech model knows.

A phrase becomes words (`spoken`), a word its phones: from the model's dictionary of 134,000 words, as a compound of two
of them, or by rule. Nothing here loads pocketsphinx, so that flows can be checked without it.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SIGNS = {"&": " and ", "+": " plus ", "%": " percent ", "@": " at "}
_TOKEN = re.compile(r"(?:[a-z]\.)+[a-z]?\b\.?|[a-z']+|[0-9]+")


def spoken(phrase: str) -> tuple[str, ...]:
    """Return the words of a phrase in small letters a to z and apostrophes; letters read one by one end in a dot.

    `Flight 42, 9 a.m.` is `flight forty two nine a. m.`. Empty: it cannot be pronounced.
    """
    plain = "".join(_SIGNS.get(sign, sign) for sign in _without_accents(phrase).lower().replace("’", "'"))
    words: list[str] = []
    for token in _TOKEN.findall(plain):
        if token[0].isdigit():
            words += _number(token)
        elif "." in token:
            words += [f"{letter}." for letter in token if letter != "."]
        elif word := token.strip("'"):
            words.append(word)
    return tuple(words)


def unpronounceable(phrase: str) -> str:
    """Return the letters and pictures of a phrase that become no sound, each once; the rest is understood."""
    plain = _without_accents(phrase).lower()
    unheard = (sign for sign in plain if not sign.isascii() and (sign.isalnum() or unicodedata.category(sign) == "So"))
    return "".join(dict.fromkeys(unheard))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def _number(digits: str) -> list[str]:
    """Read a number up to 99 as one, and anything longer, or with a zero in front, digit by digit."""
    value = int(digits)
    if len(digits) > 2 or value < 10:
        return [_DIGITS[int(digit)] for digit in digits]
    if value < 20:
        return [_TEENS[value - 10]]
    tens, ones = divmod(value, 10)
    return [_TENS[tens - 2], *([_DIGITS[ones]] if ones else [])]


# --- from a word to its phones ----------------------------------------------------------------------------------------

_SHORTEST_PART = 3
"Letters of a part of a compound: shorter ones are found in every word."
_MOST_WAYS = 5
"Ways to say a word that are looked up."


class Dictionary:
    """The text of a dictionary in the CMU's form: a word and its phones a line, further ways as `word(2)`."""

    def __init__(self, text: bytes) -> None:
        self._text = b"\n" + text
        self.pronunciations = cache(self.pronunciations)  # type: ignore[method-assign]  # a menu's words come with every call

    @classmethod
    def read(cls, file: Path) -> "Dictionary":
        """Load a dictionary, 3 MB as it is: a table of it would take ten times as much, and a second."""
        return cls(file.read_bytes())

    def pronunciations(self, word: str) -> tuple[str, ...]:
        """Return the phones of a word, in every way that is known; of an unknown word, by rule."""
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


# --- by rule, letter by letter ----------------------------------------------------------------------------------------

# A flow listens for "Contoso" or "Zendaro", and the dictionary of the speech model knows neither. Each rule is a
# regular expression at one place of the word, and its phones in ARPAbet; the first that fits wins. The rules get about
# four of five phones of common words right, which is enough to tell a name from the other choices (docs/speech.md).
# One line a letter or letter group: expression, then phones. `V` is a vowel letter, `C` a consonant letter.
_RULES = """
    a(?=r[^aeiouyr]|r$)      AA
    ar(?=e$|es$|i)           EH R
    air|are$                 EH R
    augh|aught               AO
    au|aw                    AO
    ai|ay|ae                 EY
    a(?=C[^aeiouylr]*le$)    EY
    alk                      AO K
    al(?=l)                  AO
    al(?=[dtmk])             AO L
    a(?=tion|sion|cious)     EY
    age$                     IH JH
    able$                    AH B AH L
    a(?=Ce$|Ces$|Ced$|Ci(?!c)|sty|nge|ste) EY
    (?<=w)a(?=[tnsd])        AA
    a$                       AH
    ^a(?=CV)                 AH
    a                        AE
    bb?                      B
    b$                       B
    sch(?=[mnltw])           SH
    tch                      CH
    ^ch(?=r)|ch(?=[lrnm])    K
    ch                       CH
    ck|cc(?![eiy])|cq        K
    c(?=ia|io|eo)            SH
    c(?=[eiy])               S
    c                        K
    dge?(?=[eiy]|$)          JH
    dd?                      D
    eigh                     EY
    ear(?=[nlt])             ER
    ear|eer|ere$             IH R
    ea(?=[dt]h|lth|sur)      EH
    ee|ea|ei|ie(?=[cflvdp])  IY
    eu|ew                    UW
    ey$|ie$|ies$             IY
    er(?=C|$)                ER
    er(?=V)                  EH R
    (?<=[td])ed$             IH D
    (?:(?<=[cfkpsx])|(?<=[sc]h))ed$ T
    ed$                      D
    (?:(?<=[szx])|(?<=[sc]h)|(?<=[cg]))es$ IH Z
    es$                      Z
    (?<=[a-z][a-z])e$        -
    e$                       IY
    e(?=Ce$|CV)              EH
    e(?=ment$|less$|ful$|ly$) -
    e                        EH
    ff?                      F
    ^gh                      G
    gh(?=t|$|C)              -
    gh                       G
    ^gn|gn$                  N
    gg                       G
    g(?=[eiy])               JH
    g                        G
    ^h|(?<=V)h(?=V)|(?<=C)h  HH
    h                        -
    igh                      AY
    ing                      IH NG
    ier$                     IY ER
    io(?=n|u)                IY AH
    ir(?=C|$)                ER
    ia|io                    IY OW
    ie                       IY
    i(?=nd$|ld$|gn|Ce$|Ces$|Ced$|cle$) AY
    i$                       IY
    i                        IH
    j                        JH
    ^kn                      N
    kk?                      K
    (?<=C)le$                AH L
    ll?                      L
    mb$                      M
    mm?                      M
    ng(?=[lrwae])            NG G
    ng|n(?=[kx])             NG
    nn?                      N
    ough(?=t)                AO
    ough                     AH F
    ould                     UH D
    ous$                     AH S
    ou|ow(?=n|C|er|el)       AW
    ow|oa|oe$                OW
    oo(?=k|d$|t$)            UH
    oo                       UW
    oy|oi                    OY
    or(?=C|$|e$|V)           AO R
    (?<=[tsc]i)on            AH N
    on$                      AH N
    o(?=ld|lt|st$|Ce$|Ces$|Ced$|$|[^aeiouyr][iaou]) OW
    o                        AA
    ph                       F
    ^ps                      S
    pp?                      P
    qu                       K W
    q                        K
    rh|rr|r                  R
    s(?=ure$|sion|sian)      SH
    (?<=V)sion               ZH AH N
    sh                       SH
    (?<=V)s(?=V|m$)          Z
    (?<=[bdglmnrvw])s$       Z
    ss|s                     S
    (?<!s)tion               SH AH N
    tial                     SH AH L
    tu(?=re|al)              CH
    th                       TH
    tt|t                     T
    ur(?=C|$)                ER
    ^u(?=CV)                 Y UW
    ui|ue                    UW
    u(?=Ce$|CV|$|Ces$|Ced$)  UW
    u                        AH
    vv?                      V
    ^wr                      R
    ^wh                      W
    w                        W
    ^x                       Z
    xx?                      K S
    ^y|(?<=V)y(?=V)          Y
    (?<=^C)y$|(?<=^CC)y$     AY
    yr(?=C)                  ER
    y(?=Ce$)                 AY
    y$|(?<=C)y(?=[aeiou])    IY
    y                        IH
    zz?                      Z
"""


_PAIRS = [(written, sounds) for written, *sounds in map(str.split, _RULES.strip().splitlines())]
_SOUNDS = [[sound for sound in sounds if sound != "-"] for _, sounds in _PAIRS]
_WRITTEN = re.compile(
    "|".join(f"({written})" for written, _ in _PAIRS).replace("V", "[aeiouy]").replace("C", "[bcdfghjklmnpqrstvwxz]")
)


def pronounced(word: str) -> str:
    """Return the phones of a word of the letters a to z."""
    found = _WRITTEN.finditer(word)
    return " ".join(sound for rule in found for sound in _SOUNDS[(rule.lastindex or 1) - 1])
