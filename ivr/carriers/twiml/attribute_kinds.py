"""What the value of an attribute may be; each kind says what is wrong with a text, or that nothing is."""

import re
from collections.abc import Callable, Set
from typing import TypeAlias
from urllib.parse import urlsplit

Kind: TypeAlias = Callable[[str], str]
"Returns what is expected instead of the text; empty: the text is right."

_WHOLE = re.compile(r"[0-9]{1,9}")


def anything(_: str) -> str:
    """Take any text."""
    return ""


def whole(least: int, most: int) -> Kind:
    """Take a whole number within bounds."""

    def check(text: str) -> str:
        right = _WHOLE.fullmatch(text) is not None and least <= int(text) <= most
        return "" if right else f"a whole number from {least} to {most}"

    return check


def one_of(words: str) -> Kind:
    """Take one of some words, letter by letter; in `words` there are spaces between them."""
    known = frozenset(words.split())

    def check(text: str) -> str:
        return "" if text in known else f"one of {_few(known)}"

    return check


def some_of(words: str) -> Kind:
    """Take one or several of some words, with spaces between."""
    known = frozenset(words.split())

    def check(text: str) -> str:
        named = text.split()
        right = named and len(set(named)) == len(named) and known.issuperset(named)
        return "" if right else f"one or several of {_few(known)}, with spaces between"

    return check


def one_of_these(names: Callable[[], Set[str]], what: str) -> Kind:
    """Take one of many names, which are looked up when the first is asked for."""

    def check(text: str) -> str:
        return "" if text in names() else what

    return check


def keys(most: int) -> Kind:
    """Take some keys of a telephone, or none."""

    def check(text: str) -> str:
        right = len(text) <= most and set(text) <= set("0123456789*#")
        return "" if right else ("one key of 0-9, *, #, or nothing" if most == 1 else "keys of 0-9, *, #")

    return check


def address(text: str) -> str:
    """Take an absolute http address, or one that is relative to the document's."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "a web address"
    absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
    relative = not parts.scheme and not any(one.isspace() for one in text)
    return "" if absolute or relative else "a web address"


def seconds_or_auto(text: str) -> str:
    """Take `auto`, or a whole number of seconds."""
    return "" if text == "auto" or not whole(1, 3600)(text) else "auto, or a whole number of seconds"


flag = one_of("true false")
method = one_of("GET POST")


def _few(words: Set[str]) -> str:
    shown = sorted(words)
    return ", ".join(shown[:8]) + (f" … ({len(shown)} in all)" if len(shown) > 8 else "")
