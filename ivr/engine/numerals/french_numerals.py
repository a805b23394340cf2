"""Numbers in French words: those of France, and what Belgians and Swiss say for seventy, eighty and ninety."""

from collections.abc import Iterator

_SMALL = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"),
    *("quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
_OTHER_TENS = {70: ("septante",), 80: ("huitante", "octante"), 90: ("nonante",)}
SCALES = {"mille": 1_000, "mil": 1_000, "million": 1_000_000, "millions": 1_000_000}


def cardinals(number: int) -> Iterator[str]:
    """Go through the ways to say a number from 0 to 999, and from 1100 to 1999 by its hundreds."""
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        yield from _below_hundred(rest)
    elif hundreds != 10:
        for before in ("",) if hundreds == 1 else (f"{words} " for words in _below_hundred(hundreds)):
            if not rest:
                yield f"{before}cent" if hundreds == 1 else f"{before}cents"
                yield f"{before}cent"
            yield from (f"{before}cent {last}" for last in (_below_hundred(rest) if rest else ()))


def ordinals(number: int) -> Iterator[str]:
    """Go through the ways to say a place in a row, from 1 to 999."""
    if number == 1:
        yield from ("premier", "première")
    for words in cardinals(number):
        yield f"{_stem(words)}ième"
    if number == 2:
        yield from ("second", "seconde")


def _stem(words: str) -> str:
    if words.endswith("cinq"):
        return f"{words}u"
    if words.endswith("neuf"):
        return f"{words[:-1]}v"
    return words.removesuffix("s") if words.endswith(("vingts", "cents")) else words.removesuffix("e")


def _below_hundred(number: int) -> Iterator[str]:
    if number < len(_SMALL):
        yield _SMALL[number]
        yield from ("une",) if number == 1 else ()
        return
    tens, ones = divmod(number, 10)
    base = number - ones - 10 if tens in {7, 9} else number - ones
    yield from _joined(_TENS[base], number - base)
    for other in _OTHER_TENS.get(tens * 10, ()):
        yield from _joined(other, ones)


def _joined(tens: str, ones: int) -> Iterator[str]:
    """Join tens and ones: with `et` before one and eleven, but not after eighty."""
    if ones == 0:
        yield "quatre-vingts" if tens == "quatre-vingt" else tens
        yield tens
        return
    one = _SMALL[ones]
    if ones in {1, 11} and tens != "quatre-vingt":
        yield f"{tens} et {one}"
        yield from (f"{tens} et une",) if ones == 1 else ()
    yield f"{tens}-{one}"
    yield from (f"{tens}-une",) if ones == 1 else ()
