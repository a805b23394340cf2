"""What callers can say instead of a key: the same forms in every language, or those of each (LANGUAGE C5)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import Discriminator, Field, Tag

from ivr.engine.language_choice import in_language
from ivr.flowfile.containers import OneOrMany
from ivr.flowfile.fields import LanguageTag, Text
from ivr.flowfile.source import Path

Forms: TypeAlias = Annotated[list[Text], OneOrMany(), Field(max_length=5)]


def _written_as(value: object) -> str:
    return "<languages>" if isinstance(value, Mapping) else "<forms>"


SpokenForms: TypeAlias = Annotated[
    Annotated[Forms, Tag("<forms>")] | Annotated[dict[Annotated[str, LanguageTag()], Forms], Tag("<languages>")],
    Discriminator(_written_as),
]
Written: TypeAlias = "list[str] | dict[str, list[str]] | None"


def forms_in(written: Written, language: str) -> Sequence[str]:
    """Return the forms that are listened for in a language."""
    return (in_language(written, language) if isinstance(written, dict) else written) or ()


def placed_forms(written: Written, path: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Go through all forms: the place, the form, and the key of its language; None: it is for all of them."""
    if isinstance(written, dict):
        for key, forms in written.items():
            yield from (((*path, key, number), form, key) for number, form in enumerate(forms))
    else:
        yield from (((*path, number), form, None) for number, form in enumerate(written or ()))


def every_form(written: Written) -> Iterator[str]:
    """Go through the forms of all languages."""
    return (form for _, form, _ in placed_forms(written, ()))
