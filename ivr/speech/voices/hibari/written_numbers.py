"""Numbers as hibari reads them well: money, dates, times, telephone numbers, codes, and numbers without commas.

It reads `$12.5` as twelve dollars and five cents, loses a minus before the sign and a sign behind the amount, takes
3/4/2026 for March wherever the caller is, reads 1204 as a year and a telephone number as millions, and stops at 40
digits.
"""

import re
from collections.abc import Callable

from msgspec.structs import replace

from ivr.engine.commands import Text
from ivr.engine.expressions.forms.english import MONTHS
from ivr.speech.languages import with_region
from ivr.speech.wording import DATES, in_words

_Match = re.Match[str]

_MOST_DIGITS = 15
"Of a number that is read as one: 999 trillion. A longer one is read digit by digit."
_CODE = 7
"Digits from which a number without commas is no amount, but a number of a customer or a telephone."

_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_AMOUNT = rf"(?:{_GROUPED}|\d{{1,3}}(?:\.\d{{3}})+,\d\d|\d+(?:\.\d+|,\d\d?)?)(?![\d.,]*\d)"
_SIGNS = {"$": "$", "USD": "$", "€": "€", "EUR": "€", "£": "£", "GBP": "£"}
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
}
_SCALE = r"(?!\s?(?:hundred|thousand|million|billion|trillion|[kKmMbB]\b))"
_MONEY_AFTER = re.compile(rf"(?<![\w.,])(-\s?)?(USD|EUR|GBP|[$€£])\s?(-)?({_AMOUNT}){_SCALE}")
_MONEY_BEFORE = re.compile(rf"(?<![\w.,])(-)?({_AMOUNT})\s?(?:(€|£|(?:EUR|GBP|USD)\b)|(dollars|euros)\b)")

_SLASHES = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/])")
_DOTS = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.]\d)")
_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_DAY_AND_MONTH = re.compile(r"(?<![\d/])(0\d/\d{2}|\d{2}/0\d)(?![\d/])")
_MONTH = re.compile(r"(?<![\d/-])(?:(\d{1,2})/((?:19|20)\d{2})|((?:19|20)\d{2})-(\d{2}))(?![\d/-])")

_NOON = re.compile(r"(?<=\d)\s?([AaPp])(?:\.\s?[Mm]\.?|\s?[Mm]\b)(\s+[A-Z]|$)?")
_CLOCK = r"\d{1,2}:\d{2}(?:\s?[AP]M)?|\d{1,2}\s?[AP]M"
_CLOCK_RANGE = re.compile(rf"\b({_CLOCK})\s?[-–—]\s?(?={_CLOCK})")
_HOUR = re.compile(r"(?<![\d:])(1[3-9]|2[0-3]|00):00(?![\d:]|\s?[AP]M)")

_INTERNATIONAL = re.compile(r"(?<![\w+])\+\d(?:[\s().-]{0,2}\d){5,20}")
_TELEPHONE = re.compile(r"(?<![\w.,:/+-])\(?\d{1,5}\)?(?:[-\s]\s?\d{2,8}){1,5}(?![\w:/-]|[.,]\d)")
_IDENTIFIER = re.compile(
    r"(?<![\w.-])(?:[A-Z]{1,4}-?\d|\d+[A-Z]{1,4}-?\d)[A-Z0-9]{0,30}(?:-[A-Z0-9]{1,30}){0,8}(?![\w-])"
)
_LIST = re.compile(r"(?<![\d.,])\d+(?:,\d+)+(?![\d.])")
_NUMBER = re.compile(rf"(?<![\w.,:/-])-?(?:{_GROUPED}|\d+(?:\.\d+)?)(?![\w:/]|[.,-]\d)")
_BEFORE_A_YEAR = re.compile(rf"(?:\d|st|nd|rd|th), $|\b(?:in|since|year|{'|'.join(MONTHS)}) $")


def with_numbers(words: str, text: Text) -> str:
    """Return words with their numbers as hibari reads them right; `text` is what they are from."""
    for rule, change in _RULES:
        words = rule.sub(_with_text(change, text), words)
    return words


def _with_text(change: Callable[[_Match, Text], str], text: Text) -> Callable[[_Match], str]:
    return lambda match: change(match, text)


def _money_after(match: _Match, _text: Text) -> str:
    minus, sign, second, amount = match.groups()
    return _money(amount, _SIGNS[sign], minus=bool(minus or second))


def _money_before(match: _Match, _text: Text) -> str:
    minus, amount, sign, name = match.groups()
    if name and not re.search(r"[.,]\d\d$", amount):  # `2.5 dollars` is read right, and said as it was written
        return match[0]
    return _money(amount, _SIGNS[sign] if sign else {"dollars": "$", "euros": "€"}[name], minus=bool(minus))


def _money(amount: str, sign: str, *, minus: bool) -> str:
    whole, fraction = _whole_and_fraction(amount)
    one, many, cent, hundredths = _CURRENCIES[sign]
    below = "minus " if minus else ""
    if len(fraction) > 2 or len(whole) > _MOST_DIGITS:
        return f"{below}{_grouped(whole)}{f'.{fraction}' if fraction else ''} {many}"
    cents = int(fraction.ljust(2, "0"))
    main = f"{_grouped(whole)} {one if int(whole) == 1 else many}"
    rest = f"{cents} {cent if cents == 1 else hundredths}"
    return below + (main if cents == 0 else rest if int(whole) == 0 else f"{main} and {rest}")


def _whole_and_fraction(amount: str) -> tuple[str, str]:
    """Return the digits before and after the decimal sign of `1,204.50`, `1.204,50`, `12,5` or `12`."""
    at = max(amount.rfind("."), amount.rfind(","))
    if at < 0 or (amount[at] == "," and len(amount) - at > 3):
        return amount.replace(",", ""), ""
    return re.sub(r"\D", "", amount[:at]), amount[at + 1 :]


def _date(match: _Match, text: Text) -> str:
    """In the order of the country where the language is spoken."""
    order = "monthDayYear" if with_region(text.language).upper().endswith("-US") else "dayMonthYear"
    if len(match[3]) == 2:
        century = "20" if int(match[3]) < 70 else "19"
        return _in_words(f"{match[1]}/{match[2]}/{century}{match[3]}", order, text)
    return _in_words(match[0], order, text)


def _day_and_month(match: _Match, text: Text) -> str:
    order = "monthDay" if with_region(text.language).upper().endswith("-US") else "dayMonth"
    return _in_words(match[0], order, text)


def _in_words(date: str, order: str, text: Text) -> str:
    return in_words(replace(text, value=date, say_as=order))


def _noon(match: _Match, _text: Text) -> str:
    """Write the halves of a day as they are read right; a period stays if a sentence ends with it."""
    ends = "." if match[2] is not None and "." in match[0] else ""
    return f" {match[1].upper()}M{ends}{match[2] or ''}"


def _telephone(match: _Match, text: Text) -> str:
    number = match[0]
    digits = sum(char.isdigit() for char in number)
    is_marked = number.startswith(("0", "(")) or (len(re.split(r"[-\s]+", number)) > 2 and "-" in number)
    return _international(match, text) if digits >= _CODE and is_marked else number


def _international(match: _Match, text: Text) -> str:
    return in_words(replace(text, value=match[0], say_as="telephone")).replace("plus", "plus ")


def _identifier(match: _Match, _text: Text) -> str:
    return ", ".join(" ".join(group) for group in match[0].split("-"))


def _list(match: _Match, _text: Text) -> str:
    return match[0] if re.fullmatch(_GROUPED, match[0]) else match[0].replace(",", ", ")


def _number(match: _Match, text: Text) -> str:
    minus, number = ("-", match[0][1:]) if match[0].startswith("-") else ("", match[0])
    whole, dot, fraction = number.replace(",", "").partition(".")
    if text.say_as == "cardinal" or "," in number or dot:
        return f"{minus}{_grouped(whole)}{dot}{fraction}"
    if len(whole) >= _CODE or (len(whole) > 1 and whole.startswith("0")):
        return ("minus " if minus else "") + " ".join(whole)
    is_year = len(whole) == 4 and ("1900" <= whole < "2100" or _is_year(match, text))
    return number if is_year and not minus else f"{minus}{_grouped(whole)}"


def _is_year(match: _Match, text: Text) -> bool:
    before = match.string[max(0, match.start() - 12) : match.start()]
    return text.say_as in DATES or _BEFORE_A_YEAR.search(before) is not None


def _grouped(digits: str) -> str:
    """Return a whole number as it is read as one number; one that is too long, digit by digit."""
    return f"{int(digits or '0'):,}" if len(digits) <= _MOST_DIGITS else " ".join(digits)


_RULES: tuple[tuple[re.Pattern[str], Callable[[_Match, Text], str]], ...] = (
    (_MONEY_AFTER, _money_after),
    (_MONEY_BEFORE, _money_before),
    (_SLASHES, _date),
    (_DOTS, lambda match, text: _in_words(match[0], "dayMonthYear", text)),
    (_ISO, lambda match, text: _in_words(match[0], "yearMonthDay", text)),
    (_DAY_AND_MONTH, _day_and_month),
    (_MONTH, lambda match, text: _in_words(match[0], "monthYear" if match[1] else "yearMonth", text)),
    (_NOON, _noon),
    (_CLOCK_RANGE, lambda match, _: f"{match[1]} to "),
    (_HOUR, lambda match, _: f"{int(match[1])} hundred"),
    (re.compile(r"\b24/7\b"), lambda *_: "24 7"),
    (_INTERNATIONAL, _international),
    (_TELEPHONE, _telephone),
    (_IDENTIFIER, _identifier),
    (_LIST, _list),
    (_NUMBER, _number),
)
