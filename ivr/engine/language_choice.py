"""Which of a flow's languages is meant: to a flow in `en-US` and `de-DE`, `en-GB` is the first (LANGUAGE C2)."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def among(tag: str, languages: Sequence[str]) -> str | None:
    """Return the language that a tag means: the same one, else the first that begins alike; None: none of them."""
    wanted = tag.lower()
    same = next((language for language in languages if language.lower() == wanted), None)
    return same or next((language for language in languages if first_part(language) == first_part(wanted)), None)


def in_language(by_language: Mapping[str, T], language: str) -> T | None:
    """Return what there is in a language; what stands under an empty one is for all others. None: there is nothing."""
    key = among(language, tuple(by_language))
    return by_language.get("" if key is None else key)


def first_part(tag: str) -> str:
    """Return the language of a tag without its country or script: `de` of `de-AT`."""
    return tag.partition("-")[0].lower()
