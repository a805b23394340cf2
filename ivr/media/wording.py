"""How a text is spoken: `sayAs`, emphasis and sentences, as SSML for the voice (protocol 5.4, 7).

A text that does not look like what it is said to be is spoken as it stands.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from xml.sax.saxutils import escape

from ivr.engine.commands import Text
from ivr.engine.expressions.english import MONTHS, nth

LONGEST = 400
"Characters that are spoken in one go."

_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_NUMBERS = re.compile(r"\d+")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")
_XML_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def spoken(text: Text) -> Iterator[str]:
    """Return the SSML of a text, sentence by sentence: the first can be heard while the next is made."""
    words = _said(text.value, text.say_as)
    for sentence in _sentences(words):
        ssml = escape(_XML_CONTROLS.sub(" ", sentence))
        yield f"<speak>{f'<emphasis>{ssml}</emphasis>' if text.emphasize else ssml}</speak>"


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(text):
        rest = sentence.strip()
        while rest:
            space = rest.rfind(" ", 1, LONGEST) if len(rest) > LONGEST else len(rest)
            end = space if space > 0 else LONGEST
            yield rest[:end]
            rest = rest[end:].lstrip()


def _said(text: str, say_as: str | None) -> str:
    if say_as in _DATES:
        return _date(text, _DATES[say_as]) or text
    say = _SAY.get(say_as or "")
    return say(text) if say else text


def _letters(text: str) -> str:
    return ", ".join(letter for letter in text if not letter.isspace())


def _telephone(text: str) -> str:
    """Digit by digit, with a pause where the writer put one."""
    groups = re.split(r"[\s()./-]+", text)
    spaced = (" ".join(group) if group.strip("+").isdecimal() else group for group in groups if group)
    return ", ".join(spaced).replace("+", "plus")


def _ordinal(text: str) -> str:
    return _NUMBERS.sub(lambda match: nth(int(match[0])), text) if text.strip().isdecimal() else text


def _time12(text: str) -> str:
    match = _TIME.fullmatch(text.strip())
    if match is None or int(match[1]) > 23:
        return text
    hour, minute = int(match[1]), int(match[2])
    noon = "a m" if hour < 12 else "p m"
    return f"{(hour + 11) % 12 + 1} {_minutes(minute)}{noon}"


def _time24(text: str) -> str:
    match = _TIME.fullmatch(text.strip())
    return f"{int(match[1])} {_minutes(int(match[2])) or 'hundred'}".strip() if match else text


def _minutes(minute: int) -> str:
    return "" if minute == 0 else f"oh {minute} " if minute < 10 else f"{minute} "


_DATES: Mapping[str | None, str] = {
    "yearMonthDay": "ymd",
    "monthDayYear": "mdy",
    "dayMonthYear": "dmy",
    "yearMonth": "ym",
    "monthYear": "my",
    "monthDay": "md",
    "dayMonth": "dm",
    "day": "d",
    "month": "m",
    "year": "y",
}
_SAY: Mapping[str, Callable[[str], str]] = {
    "letters": _letters,
    "telephone": _telephone,
    "ordinal": _ordinal,
    "time12": _time12,
    "time24": _time24,
}
"Cardinals, names and phonetic names are what any voice makes of them."


def _date(text: str, order: str) -> str | None:
    numbers = _NUMBERS.findall(text)
    if len(numbers) != len(order):
        return None
    parts = dict(zip(order, map(int, numbers), strict=True))
    if not 1 <= parts.get("m", 1) <= 12 or not 1 <= parts.get("d", 1) <= 31:
        return None
    month = MONTHS[parts["m"] - 1] if "m" in parts else ""
    day = nth(parts["d"]) if "d" in parts else ""
    year = str(parts["y"]) if "y" in parts else ""
    return f"{f'{month} {day}'.strip()}{', ' if day and year else ' '}{year}".strip()
