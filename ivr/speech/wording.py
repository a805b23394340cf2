"""How a text is spoken: `sayAs`, emphasis and sentences, in words or as SSML for the voice (protocol 5.4, 7).

A text that does not look like what it is said to be is spoken as it stands; so is a date, a time or an ordinal in
another language than English, whose voices know better.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from xml.sax.saxutils import escape

from msgspec.structs import replace

from ivr.engine.commands import Text
from ivr.engine.expressions.forms.english import MONTHS, nth
from ivr.speech.languages import without_region

LONGEST = 400
"Characters that are spoken in one go."
PART = 200
"Characters of whole sentences that are rendered together, where a text is divided: some 13 s."

_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_NUMBERS = re.compile(r"\d+")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")
_XML_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def spoken(text: Text) -> Iterator[str]:
    """Return the SSML of a text, sentence by sentence: the first can be heard while the next is made."""
    for sentence in _sentences(in_words(text)):
        ssml = escape(speakable(sentence))
        yield f"<speak>{f'<emphasis>{ssml}</emphasis>' if text.emphasize else ssml}</speak>"


def speakable(text: str) -> str:
    """Return a text without what no XML can hold."""
    return _XML_CONTROLS.sub(" ", text)


def in_words(text: Text) -> str:
    """Return what is said, for a voice that reads plain text."""
    return _said(text.value, text.say_as, english=without_region(text.language) == "en")


def divided(text: Text) -> Iterator[Text]:
    """Return a text in parts of whole sentences: each can be made by itself, before it is due, and be kept."""
    if text.say_as is not None or len(text.value) <= PART:
        yield text
        return
    part = ""
    for sentence in _sentences(text.value):
        if part and len(part) + 1 + len(sentence) > PART:
            yield replace(text, value=part)
            part = ""
        part = f"{part} {sentence}" if part else sentence
    if part:
        yield replace(text, value=part)


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(text):
        rest = sentence.strip()
        while rest:
            space = rest.rfind(" ", 1, LONGEST) if len(rest) > LONGEST else len(rest)
            end = space if space > 0 else LONGEST
            yield rest[:end]
            rest = rest[end:].lstrip()


def _said(text: str, say_as: str | None, *, english: bool) -> str:
    if order := DATES.get(say_as or ""):
        return (_date(text, order) if english else None) or text
    say = _SAY.get(say_as or "") or (_SAY_IN_ENGLISH.get(say_as or "") if english else None)
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


DATES: Mapping[str, str] = {
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
"The orders of dates, as SSML writes them."
_SAY: Mapping[str, Callable[[str], str]] = {"letters": _letters, "telephone": _telephone}
_SAY_IN_ENGLISH: Mapping[str, Callable[[str], str]] = {
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
