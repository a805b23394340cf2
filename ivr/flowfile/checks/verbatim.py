"""Checks of texts that are taken as they are written: `{{ }}` where none is read, phrases (LANGUAGE C1, C5)."""

import unicodedata
from collections.abc import Iterator

from ivr.engine.utterance import as_heard
from ivr.flowfile.assets import is_address, written
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS, GIVING_WAY
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.source import Path
from ivr.flowfile.spoken_forms import placed_forms
from ivr.flowfile.texts import in_single_braces, uses
from ivr.flowfile.variables import variables

UNREAD_BRACES = Check(
    "unread-braces",
    "warning",
    "An expression is written where none is evaluated.",
    group="Values",
    bad="""
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, "{{ call.to }}"]}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, contoso]}}
  next: bye
""",
)

UNSAYABLE = Check(
    "unsayable",
    "warning",
    "A spoken form or a phrase cannot be spoken in the language of the flow.",
    group="Values",
    bad="""
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, "?"]}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, question]}}
  next: bye
""",
)

SINGLE_BRACES = Check(
    "single-braces",
    "warning",
    "An expression in single braces is spoken as written.",
    group="Dialogue",
    bad="""
start: {say: "It is { now | time }.", next: bye}
""",
    good="""
start: {say: "It is {{ now | time }}.", next: bye}
""",
)


@UNREAD_BRACES.message
def _not_evaluated(why: str) -> Text:
    advice = "Write out what is meant; for several cases, use several states or parts with guards."
    return f"No expression is evaluated here: {why}.", advice


@UNSAYABLE.message
def _cannot_be_spoken(form: str, why: str) -> Text:
    return f'"{form}" cannot be spoken: {why}.', "Write the words."


@SINGLE_BRACES.message
def _spoken_as_written(expression: str) -> Text:
    return "Single braces are spoken as written.", f"Write {{{{ {expression} }}}}."


_LATIN = frozenset(
    {
        *("af", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id", "is"),
        *("it", "lt", "lv", "ms", "mt", "nb", "nl", "nn", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "sw", "tr"),
        "vi",
    }
)
"Languages that are written in Latin letters."


def spoken_forms(document: Document) -> Iterator[tuple[Path, str, str]]:
    """Go through everything that is listened for as words, spoken forms of choices and phrases: each with its language.

    What is for all languages has the first of the flow.
    """
    language = document.model.language
    for name, state in document.states():
        for choice, one in state.menu.choices.items() if state.menu else ():
            if one.foreach:
                continue  # its forms are texts, one for each item
            for path, form, key in placed_forms(one.speech, ("states", name, "menu", "choices", choice, "speech")):
                yield path, form, key or language
        for number, phrase in enumerate((state.record.phrases or ()) if state.record else ()):
            yield ("states", name, "record", "phrases", number), phrase, language


@UNREAD_BRACES.finder
def unread_braces(document: Document) -> Iterator[Finding]:
    """Find expressions where none is evaluated: what stands there is recognized, fetched or stored as written."""
    for path, text, what in _as_written(document):
        found = PUT_IN.search(text)
        if found:
            yield document.finding_within(_not_evaluated(what), path, *found.span())


def _as_written(document: Document) -> Iterator[tuple[Path, str, str]]:
    """Go through the texts that are taken as they are written, each with what becomes of it."""
    for path, form, _ in spoken_forms(document):
        yield path, form, "the caller would have to say the braces"
    yield from _notices(document)
    for part in written(document):
        if is_address(part.audio):
            yield (*part.path, "audio"), part.audio, "the address is fetched as written"
    for name, variable in document.model.variables.items():
        here: Path = ("variables", name)
        if variable.default is not None:
            at = (*here, "default") if document.source.has((*here, "default")) else here
            yield at, variable.default, "the variable starts with this exact text"
        for number, value in enumerate(variable.values or ()):
            yield (*here, "values", number), value, "the value is this exact text"
    if document.model.description:
        yield ("description",), document.model.description, "it is shown as written"
    for name, state in document.states():
        if state.description:
            yield ("states", name, "description"), state.description, "it is shown as written"


def _notices(document: Document) -> Iterator[tuple[Path, str, str]]:
    """Go through what is said of the closed days of calendars."""
    for calendar, hours in document.model.calendars.items():
        for day, notice in hours.closed.items():
            for language, text in notice.items():
                path = ("calendars", calendar, "closed", day, *filter(None, [language]))
                yield path, text, "a notice is spoken as it is written"


@UNSAYABLE.finder
def unsayable(document: Document) -> Iterator[Finding]:
    """Find spoken forms and phrases that cannot be spoken in the flow's language."""
    for path, form, language in spoken_forms(document):
        if PUT_IN.search(form):
            continue
        if why := unsayable_because(form, language):
            yield document.finding(_cannot_be_spoken(form, why), path)


def unsayable_because(form: str, language: str) -> str:
    """Return why a form cannot be said in a language; empty: it can."""
    letters = [sign for sign in as_heard(form) if sign.isalnum()]
    if not letters:
        return "it has no letters and no digits"
    if language.partition("-")[0].lower() in _LATIN and not any(map(_is_latin, letters)):
        return f"it is not in the alphabet of {language}"
    return ""


def _is_latin(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("LATIN") or sign.isdigit()


@SINGLE_BRACES.finder
def single_braces(document: Document) -> Iterator[Finding]:
    """Find `{ birthday | date }`, where it reads as an expression of this flow: other braces may be meant."""
    known = {*variables(document), *FACTS, *GIVING_WAY, *EVENT_FIELDS}
    for use in uses(document):
        for one in in_single_braces(use):
            if one.is_filtered or one.names & known:
                yield document.finding_within(_spoken_as_written(one.inside), use.path, one.start, one.end)
