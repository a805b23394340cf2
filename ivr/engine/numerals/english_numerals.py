"""Numbers in English words."""

from collections.abc import Iterator

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
SCALES = {"thousand": 1_000, "million": 1_000_000}


def cardinals(number: int) -> Iterator[str]:
    """Go through the ways to say a number from 0 to 999."""
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        yield _below_hundred(rest)
        yield from ("oh", "o", "nought") if rest == 0 else ()
        return
    for one in (_SMALL[hundreds], "a") if hundreds == 1 else (_SMALL[hundreds],):
        for last in (f"and {_below_hundred(rest)}", _below_hundred(rest)) if rest else ("",):
            yield f"{one} hundred {last}"
    yield from ("hundred",) if number == 100 else ()


def ordinals(number: int) -> Iterator[str]:
    """Go through the ways to say a place in a row, from 1 to 999."""
    for words in cardinals(number):
        before, _, last = words.rstrip().rpartition(" ")
        stem = f"{last.removesuffix('y')}ie" if last.endswith("y") else last
        yield f"{before} {_ORDINALS.get(last, f'{stem}th')}"


def _below_hundred(number: int) -> str:
    if number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]} {_SMALL[ones]}" if ones else _TENS[tens]
