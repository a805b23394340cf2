"""The check `language`: every text is there in every language of the flow, and in no other (LANGUAGE C2, C9)."""

from collections.abc import Collection, Iterator, Sequence

from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.language_choice import among, first_part
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.menus import offered_together
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.model_parts import ByLanguagePart, WordedPart
from ivr.flowfile.prompts import Placed, all_prompts, parts_of
from ivr.flowfile.source import Mapping, Path
from ivr.flowfile.texts import compiled, uses

LANGUAGE = Check(
    "language",
    "error",
    "A text is missing in a language of the flow, or is in one that the flow does not have.",
    group="Dialogue",
    bad="""
languages: [en-US, de-DE]
states:
  start: {say: {en: Good morning.}, next: bye}
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
""",
    good="""
languages: [en-US, de-DE]
states:
  start: {say: {en: Good morning., de: Guten Tag.}, next: bye}
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
""",
)


@LANGUAGE.message
def _missing_in(languages: Sequence[str]) -> Text:
    keys = " and ".join(f'"{first_part(language)}"' for language in languages)
    return f"There is no text in {' and '.join(languages)}.", f"Add {keys}."


@LANGUAGE.message
def _missing_beside(languages: Sequence[str], spoken: str) -> Text:
    advice = f"For one text that all callers hear, write {{text: …, language: {spoken}}}."
    return f"There is no text in {' and '.join(languages)}.", advice


@LANGUAGE.message
def _in_one_only(languages: Sequence[str]) -> Text:
    keys = ", ".join(f"{first_part(language)}: …" for language in languages)
    advice = f'Write {{{keys}}}, or say with "language: {languages[0]}" that all callers hear it in this one.'
    return "This text is not written in each language of the flow.", advice


@LANGUAGE.message
def _heard_in_one_only(languages: Sequence[str]) -> Text:
    keys = ", ".join(f"{first_part(language)}: […]" for language in languages)
    return "These spoken forms are not written in each language of the flow.", f"Write {{{keys}}}."


@LANGUAGE.message
def _not_declared(key: str, languages: Sequence[str]) -> Text:
    return f'"{key}" is not a language of this flow.', f"Its languages are {', '.join(languages)}."


@LANGUAGE.message
def _unclear(key: str, languages: Sequence[str]) -> Text:
    return f'"{key}" may be {" or ".join(languages)}.', "Write the whole tag."


@LANGUAGE.message
def _written_twice(language: str, other: str) -> Text:
    return f'The text in {language} is already written under "{other}".', "Delete one of them."


@LANGUAGE.message
def _declared_twice(language: str) -> Text:
    return f'"{language}" is written twice.', "Delete one of them."


@LANGUAGE.message
def _one_and_several() -> Text:
    return 'A flow has "language" or "languages", not both.', 'Delete "language"; the first of "languages" is spoken.'


def meant(key: str, languages: Sequence[str]) -> Sequence[str]:
    """Return the languages that a key can mean: the same tag, else those that begin with it; empty: none."""
    same = [language for language in languages if language.lower() == key.lower()]
    return same or [language for language in languages if first_part(language) == key.lower()]


@LANGUAGE.finder
def declared(document: Document) -> Iterator[Finding]:
    """Find languages that are declared in two ways."""
    languages = document.model.languages or []
    if languages and document.source.has(("language",)):
        yield document.finding(_one_and_several(), ("language",), key=True)
    for number, language in enumerate(languages):
        if language.lower() in [before.lower() for before in languages[:number]]:
            yield document.finding(_declared_twice(language), ("languages", number))


def _are_known(document: Document) -> bool:
    """Return whether it is certain which languages the flow has."""
    return document.is_sound("languages") and document.is_sound("language")


@LANGUAGE.finder
def completeness(document: Document) -> Iterator[Finding]:
    """Find texts that are not there in each language of the flow."""
    if not _are_known(document):
        return
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(placed.part, ByLanguagePart):
                yield from _of_part(document, placed.part, placed.path)
            elif document.model.languages and _is_in_one_only(placed):
                yield document.finding(_in_one_only(document.model.languages), (*placed.path, "text"))


def _of_part(document: Document, part: ByLanguagePart, path: Path) -> Iterator[Finding]:
    if part.language is not None and among(part.language, document.model.all_languages) is None:
        yield document.finding(_not_declared(part.language, document.model.all_languages), (*path, "language"))
    yield from of_keys(document, part.prompts, path, part.language)


def of_keys(document: Document, keys: Collection[str], path: Path, spoken: str | None = None) -> Iterator[Finding]:
    """Compare the keys of what is written by language with the languages of the flow.

    `spoken` is the one in which all of it is spoken.
    """
    languages = document.model.all_languages
    written: dict[str, str] = {}
    for key in keys:
        found = meant(key, languages)
        if not found:
            if document.is_own(*path, key):  # other flows may have more languages
                yield document.finding(_not_declared(key, languages), (*path, key), key=True)
        elif len(found) > 1:
            yield document.finding(_unclear(key, found), (*path, key), key=True)
        elif found[0] in written:
            yield document.finding(_written_twice(found[0], written[found[0]]), (*path, key), key=True)
        written.update(dict.fromkeys(found, key))
    node = document.source.find(path).value  # in it stands what was cut out, too
    cut = [key for key in (node.entries if isinstance(node, Mapping) else ()) if key not in keys]
    written.update((language, key) for key in cut for language in meant(key, languages))
    missing = [language for language in languages if language not in written]
    if missing and document.is_sound(*path):
        problem = _missing_in(missing) if spoken is None else _missing_beside(missing, spoken)
        yield document.finding(problem, path, key=True)


def _is_in_one_only(placed: Placed) -> bool:
    """Return whether a part has words, and the same ones for callers of all languages."""
    part = placed.part
    if placed.spoken_in is not None or not isinstance(part, WordedPart):
        return False
    return _has_words(part.text or "")


def _has_words(text: str) -> bool:
    """Return whether a text has words of its own; a value is put into those of the call's language."""
    return any(map(str.isalpha, PUT_IN.sub("", text)))


@LANGUAGE.finder
def spoken_forms(document: Document) -> Iterator[Finding]:
    """Find spoken forms that are not there in each language of the flow."""
    if not _are_known(document):
        return
    for together in offered_together(document):
        for _, choice, path in together.choices:
            place = (*path, "speech")
            if isinstance(choice.speech, dict):
                yield from of_keys(document, choice.speech, place)
            elif document.model.languages and _has_words(" ".join(choice.speech or ())):
                yield document.finding(_heard_in_one_only(document.model.all_languages), place)


@LANGUAGE.finder
def notices(document: Document) -> Iterator[Finding]:
    """Find reasons of closed days that are not there in each language of the flow."""
    for name, calendar in document.model.calendars.items():
        is_told = document.model.languages and _reads(document, f"calendar.{name}.notice")
        for day, notice in calendar.closed.items() if _are_known(document) else ():
            path = ("calendars", name, "closed", day)
            if "" not in notice:
                yield from of_keys(document, notice, path)
            elif is_told:
                yield document.finding(_in_one_only(document.model.all_languages), path)


def _reads(document: Document, path: str) -> bool:
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        if not isinstance(what, ExpressionError) and path in what.names:
            return True
    return False


@LANGUAGE.finder
def set_language(document: Document) -> Iterator[Finding]:
    """Find a language that a call changes to, and that the flow does not have."""
    languages = document.model.languages
    for use in uses(document):
        if not languages or use.role != "value" or use.variable != "language":
            continue
        template = compiled(use.text, bare=False)
        if isinstance(template, Template) and template.literal and among(use.text, languages) is None:
            yield document.finding(_not_declared(use.text, languages), use.path)
