"""Numbers in German words. They are written as one word; who reads them may leave spaces in it."""

from collections.abc import Iterator

_SMALL = (
    *("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    *("dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"),
)
_TENS = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
_OTHERS = {1: ("ein", "eine", "einen"), 2: ("zwo",)}
_ORDINALS = {1: ("erst",), 2: ("zweit", "zwot"), 3: ("dritt",), 7: ("siebt", "siebent"), 8: ("acht",)}
_ENDINGS = ("er", "e", "en", "es", "em")
SCALES = {"tausend": 1_000, "million": 1_000_000, "millionen": 1_000_000}


def cardinals(number: int) -> Iterator[str]:
    """Go through the ways to say a number from 0 to 999, and from 1100 to 1999 by its hundreds."""
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        yield from _below_hundred(rest)
    elif hundreds != 10:
        for before in _hundreds(hundreds):
            yield from (before + last for last in (_below_hundred(rest) if rest else ("",)))
            yield from (f"{before}und{last}" for last in (_below_hundred(rest) if rest else ()))


def ordinals(number: int) -> Iterator[str]:
    """Go through the ways to say a place in a row, from 1 to 999: first that of a man who is asked who he is."""
    hundreds, rest = divmod(number, 100)
    for before in _hundreds(hundreds) if hundreds else ("",):
        for ending in _ENDINGS:
            yield from (f"{before}{stem}{ending}" for stem in _stems(rest))


def _hundreds(count: int) -> Iterator[str]:
    if count == 1:
        yield "hundert"
    yield from (f"{one}hundert" for one in (("ein",) if count == 1 else _below_hundred(count)))


def _stems(number: int) -> Iterator[str]:
    if number in _ORDINALS:
        yield from _ORDINALS[number]
    elif number == 0:
        yield "st"
    else:
        ending = "t" if number < len(_SMALL) else "st"
        yield from (words + ending for words in _below_hundred(number))


def _below_hundred(number: int) -> Iterator[str]:
    if number < len(_SMALL):
        yield _SMALL[number]
        yield from _OTHERS.get(number, ())
        return
    tens, ones = divmod(number, 10)
    if not ones:
        yield _TENS[tens]
        return
    for one in ("ein",) if ones == 1 else (_SMALL[ones], *_OTHERS.get(ones, ())):
        yield f"{one}und{_TENS[tens]}"
