"""Read the member `ivr` of a message: what the line tells of itself (protocol 22).

It is for people to look at and no more, so nothing in it refuses a message. What is not as it has to be is left out: a
text is cut and cleaned, a number that is out of its range is none, a member that is not known is not looked at.
"""

from typing import Any, Final

MAX_TEXT: Final = 120
"Characters of a text that are kept."

_TEXTS = ("kind", "trunk", "transport", "codec", "called", "diverted", "ended")
_FLAGS = ("encrypted", "withheld", "transfer", "questions")
_NUMBERS = {"loss": 100, "jitter": 60_000}
_WHOLE = {"packets": range(2**40), "status": range(100, 700)}  # packets: at most a century of sound


def read_line(value: Any) -> dict[str, str | bool | int | float] | None:
    """Return the members of `LineFacts` that are told; None: none are."""
    if not isinstance(value, dict):
        return None
    told: dict[str, str | bool | int | float] = {}
    for name in _TEXTS:
        if isinstance(value.get(name), str) and (text := _plain(value[name])):
            told[name] = text
    for name in _FLAGS:
        if isinstance(value.get(name), bool):
            told[name] = value[name]
    for name, most in _NUMBERS.items():
        if type(value.get(name)) in (int, float) and 0 <= value[name] <= most:
            told[name] = round(float(value[name]), 2)
    for name, allowed in _WHOLE.items():
        if type(value.get(name)) is int and value[name] in allowed:
            told[name] = value[name]
    return told or None


def _plain(text: str) -> str:
    """Return a text that cannot leave its line, move a cursor or turn the writing round."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:MAX_TEXT]).strip()
