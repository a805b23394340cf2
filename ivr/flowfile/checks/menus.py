"""Checks of menus: keys and spoken forms of choices, and what the prompt says about them (LANGUAGE C5)."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from ivr.engine.language_choice import among, first_part
from ivr.engine.offers import is_same_beginning
from ivr.engine.utterance import as_heard
from ivr.flowfile.actions.consent import Consent
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.checks.announcements import Announcement, announcement
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.choices import Choice, Keyed, yes_and_no
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.source import Path
from ivr.flowfile.spoken_forms import placed_forms

DUPLICATE_DTMF = Check(
    "duplicate-dtmf",
    "error",
    "Two choices have the same key.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For sales press 1. For service press 1.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "1"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
)

DUPLICATE_SPEECH = Check(
    "duplicate-speech",
    "both",
    "Two choices have the same spoken form, or forms that sound the same.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1", speech: [help]}, service: {dtmf: "2", speech: [Help]}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1", speech: [sales]}, service: {dtmf: "2", speech: [help]}}
  next: bye
""",
)

NO_KEY = Check(
    "no-key",
    "error",
    "A choice has no key and no spoken form.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For sales press 1. For service hold the line.
    choices: {sales: {dtmf: "1"}, service: {}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
)

SILENT_KEY = Check(
    "silent-key",
    "warning",
    "A choice is not mentioned in any prompt, or the keys are mentioned out of order.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For sales press 1.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
)

SPEECH_ONLY = Check(
    "speech-only",
    "warning",
    "A choice has a spoken form, but no key.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: Say sales or service.
    choices: {sales: {speech: [sales]}, service: {speech: [service], dtmf: "2"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: Say sales or press 1. Say service or press 2.
    choices: {sales: {speech: [sales], dtmf: "1"}, service: {speech: [service], dtmf: "2"}}
  next: bye
""",
)

LONG_MENU = Check(
    "long-menu",
    "warning",
    "A menu has more choices than callers remember, or its first choice comes late.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: Press 1 for red. Press 2 for green. Press 3 for blue. Press 4 for gold. Press 5 for grey. Press 6 for pink.
    choices:
      {red: {dtmf: "1"}, green: {dtmf: "2"}, blue: {dtmf: "3"}, gold: {dtmf: "4"}, grey: {dtmf: "5"}, pink: {dtmf: "6"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: Press 1 for red. Press 2 for green. Press 3 for blue.
    choices: {red: {dtmf: "1"}, green: {dtmf: "2"}, blue: {dtmf: "3"}}
  next: bye
""",
)


@DUPLICATE_DTMF.message
def _key_used(key: str, choice: str, free: str | None) -> Text:
    return f'The key {key} is already used by "{choice}".', f"The key {free} is free." if free else ""


@DUPLICATE_DTMF.message
def _key_begins(keys: str, key: str, choice: str) -> Text:
    message = f'"{keys}" begins with {key}, which is the key of "{choice}".'
    return message, 'Choose other keys, or add "terminators" to the menu.'


@DUPLICATE_DTMF.message
def _key_ends(keys: str, inside: str) -> Text:
    return f'"{keys}" contains {inside}, which ends the input here.', "Choose other keys, or another terminator."


@DUPLICATE_SPEECH.error
def _form_used(form: str, choice: str) -> Text:
    return f'"{form}" is already used by "{choice}".', "Each spoken form must be different."


@DUPLICATE_SPEECH.warning
def _form_sounds_alike(form: str, choice: str, other: str) -> Text:
    # What looks different was never refused, and a line that matches letter by letter may distinguish it.
    return f'"{form}" sounds like "{other}", which is used by "{choice}".', "Each spoken form must sound different."


@NO_KEY.message
def _cannot_be_chosen(choice: str) -> Text:
    return f'"{choice}" cannot be chosen: it has no key and no spoken form.', 'Add "dtmf" or "speech".'


@SILENT_KEY.message
def _not_mentioned(choice: str, language: str | None) -> Text:
    among = f" in {language}" if language else ""
    return f'No prompt mentions "{choice}"{among}.', "Mention its key or its spoken form."


@SILENT_KEY.message
def _out_of_order(key: str, before: str) -> Text:
    return f"The prompt mentions the key {key} after {before}.", "Callers expect the keys in order."


@SPEECH_ONLY.message
def _only_spoken(choice: str) -> Text:
    return f'"{choice}" can only be spoken.', "Add a key as well."


@LONG_MENU.message
def _many_choices(count: int) -> Text:
    return f"The menu has {count} choices; callers remember {MAX_CHOICES}.", "Divide it into several menus."


@LONG_MENU.message
def _late_choice(seconds: str) -> Text:
    return f"The first choice is heard after about {seconds} seconds.", "Move what comes before it into another state."


MAX_CHOICES = 5
WORDS_A_SECOND = {"en": 2.5, "de": 2.2, "fr": 2.8, "es": 2.7}
"How fast people speak, and the line's voice, by language; any other as English."
LATE = 10.0
"Seconds after which a caller should have heard the first choice."


def menus(document: Document) -> Iterator[tuple[Menu, Path]]:
    """Go through all menus, each with its place."""
    for name, state in document.states():
        if state.menu:
            yield state.menu, ("states", name, "menu")


class Keys(Struct, frozen=True):
    """Choices that are offered together, by what messages call them, with their places."""

    choices: tuple[tuple[str, Keyed, Path], ...]
    terminators: str = ""

    @property
    def free(self) -> str | None:
        """A key that none of them has."""
        used = {choice.dtmf[0] for _, choice, _ in self.choices if choice.dtmf}
        return next((key for key in "1234567890" if key not in used), None)


def offered_together(document: Document) -> Iterator[Keys]:
    """Go through what is offered together: the choices of each menu, both answers to `confirm`, all commands."""
    for menu, path in menus(document):
        named = [(name, choice, (*path, "choices", name)) for name, choice in menu.choices.items()]
        more = [
            (f"more of {name}", one.more, (*path, "choices", name, "more"))
            for name, one in menu.choices.items()
            if one.more
        ]
        yield Keys((*named, *more), menu.terminators)
    for name, state in document.states():
        for action, asked in state.questions():
            if isinstance(asked, Consent):
                here = ("states", name, action)
                yield Keys(tuple((word, answer, (*here, word)) for word, answer in asked.answers.items()))
            path = ("states", name, action, "confirm")
            both = zip(("yes", "no"), yes_and_no(asked), strict=False)
            yield Keys(tuple((word, answer, (*path, word)) for word, answer in both))
    yield Keys(tuple((name, command, ("commands", name)) for name, command in document.model.commands.items()))


@DUPLICATE_DTMF.finder
def duplicate_dtmf(document: Document) -> Iterator[Finding]:
    """Find two choices on one key, and keys of which the line cannot tell when they end."""
    for together in offered_together(document):
        seen: dict[str, str] = {}
        for name, choice, path in together.choices:
            if choice.dtmf:
                problem = _key_problem(choice.dtmf, seen, together)
                if problem:
                    yield document.finding(problem, (*path, "dtmf"))
                seen.setdefault(choice.dtmf, name)


def _key_problem(keys: str, seen: Mapping[str, str], together: Keys) -> Problem | None:
    if keys in seen:
        return _key_used(keys, seen[keys], together.free)
    inside = next((key for key in keys if key in together.terminators), None)
    if inside:
        return _key_ends(keys, inside)
    for key, name in seen.items() if not together.terminators else ():
        if is_same_beginning(keys, key):
            return _key_begins(*((keys, key, name) if keys.startswith(key) else (key, keys, name)))
    return None


@DUPLICATE_SPEECH.finder
def duplicate_speech(document: Document) -> Iterator[Finding]:
    """Find spoken forms of two choices, or twice of one, that are the same or sound the same."""
    for together in offered_together(document):
        for language in document.model.all_languages:
            yield from _same_speech(document, together, language)


def _same_speech(document: Document, together: Keys, language: str) -> Iterator[Finding]:
    first: dict[str, tuple[str, str]] = {}
    for name, choice, path in together.choices:
        for place, words, key in placed_forms(choice.speech, (*path, "speech")):
            if key is not None and among(language, [key]) is None:
                continue
            said = as_heard(words) or words
            if said in first:
                yield document.finding(_duplicate(words, *first[said]), place)
            first.setdefault(said, (name, words))


def _duplicate(words: str, choice: str, other: str) -> Problem:
    if " ".join(words.casefold().split()) == " ".join(other.casefold().split()):
        return _form_used(words, choice)
    return _form_sounds_alike(words, choice, other)


@NO_KEY.finder
def no_key(document: Document) -> Iterator[Finding]:
    """Find choices that cannot be chosen."""
    for together in offered_together(document):
        for name, choice, path in together.choices:
            is_list = isinstance(choice, Choice) and choice.foreach is not None
            if choice.dtmf is None and not choice.speech and not is_list and document.is_sound(*path):
                yield document.finding(_cannot_be_chosen(name), path, key=True)


@SILENT_KEY.finder
def silent_key(document: Document) -> Iterator[Finding]:
    """Find choices that no prompt mentions, and prompts that mention the keys out of order."""
    for menu, path in menus(document):
        for language in document.model.all_languages:
            spoken = announcement(document, menu, path, language)
            if not spoken.complete or not spoken.text or not document.is_sound(*path):
                continue
            for name in menu.choices:
                if not spoken.mentions(name, menu.choices[name]):
                    problem = _not_mentioned(name, language if document.model.languages else None)
                    yield document.finding(problem, (*path, "choices", name), key=True)
            yield from _order(document, menu, spoken)


def _order(document: Document, menu: Menu, spoken: Announcement) -> Iterator[Finding]:
    used = {choice.dtmf for choice in menu.choices.values()}
    named = [mention for mention in spoken.keys if mention.key in used and mention.key in "123456789"]
    for before, after in pairwise(named):
        if after.key < before.key:
            problem, end = _out_of_order(after.key, before.key), after.offset + len(after.words)
            yield document.finding_within(problem, after.path, after.offset, end)
            return


@SPEECH_ONLY.finder
def speech_only(document: Document) -> Iterator[Finding]:
    """Find choices without a key, which a noisy line makes impossible."""
    for together in offered_together(document):
        for name, choice, path in together.choices:
            is_list = isinstance(choice, Choice) and choice.foreach is not None
            if choice.speech and choice.dtmf is None and not is_list and document.is_sound(*path):
                yield document.finding(_only_spoken(name), path, key=True)


@LONG_MENU.finder
def long_menu(document: Document) -> Iterator[Finding]:
    """Find menus with more choices than callers remember, or whose first choice comes late."""
    for menu, path in menus(document):
        count = sum((choice.page or 1) if choice.foreach else 1 for choice in menu.choices.values())
        if count > MAX_CHOICES:
            yield document.finding(_many_choices(count), (*path, "choices"), key=True)
        late = max(_first_choice(document, menu, path, language) for language in document.model.all_languages)
        if late > LATE:
            yield document.finding(_late_choice(f"{late:.0f}"), (*path, "prompt"), key=True)


def _first_choice(document: Document, menu: Menu, path: Path, language: str) -> float:
    """Return after how many seconds a caller hears the first choice; 0: no prompt has one."""
    words = announcement(document, menu, path, language).first_after or 0
    return words / WORDS_A_SECOND.get(first_part(language), WORDS_A_SECOND["en"])
