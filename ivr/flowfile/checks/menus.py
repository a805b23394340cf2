"""Checks of menus: what stands for a choice, and what the prompt tells of it (LANGUAGE C5)."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from ivr.engine.utterance import as_heard
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.key_instructions import keys_named
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import AnyPart, Asking, Choice, Menu, SilencePart
from ivr.flowfile.source import Path
from ivr.flowfile.texts import PUT_IN

DUPLICATE_DTMF = Check(
    "duplicate-dtmf",
    "error",
    "Two choices have one key.",
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
    "A spoken form stands for two choices.",
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
    "A choice has neither key nor spoken form.",
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
    "No prompt tells of a choice, or the keys are named in another order.",
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
    "A choice has no key.",
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
    "A menu has more choices than callers remember, or its first one comes late.",
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


MAX_CHOICES = 5
WORDS_A_SECOND = 2.5
"How fast people speak, and the line's voice."
LATE = 10.0
"Seconds after which a caller should have heard the first choice."


class Mention(Struct, frozen=True):
    """A key that a prompt names."""

    key: str
    words: str
    path: Path
    "From the action: where the text stands."
    offset: int
    "In the text."
    after: int
    "Words of the whole question before it."


class Announcement(Struct, frozen=True):
    """What a question tells of its answers."""

    keys: tuple[Mention, ...]
    text: str
    "All of it, in lower case."
    complete: bool
    "False: some of it is an audio file without its text, or a value that is put in."
    own_prompts: frozenset[str]
    "Choices that have a prompt of their own."
    first_after: int | None
    "Words before the first choice is told; None: none is."

    def tells(self, name: str, choice: Choice) -> bool:
        """Return whether a caller learns of a choice."""
        if name in self.own_prompts or any(mention.key == choice.dtmf for mention in self.keys):
            return True
        words = [*(choice.speech or ()), name.replace("_", " ")]
        return any(re.search(rf"\b{re.escape(word.casefold())}\b", self.text) for word in words)


def announcement(asked: Asking) -> Announcement:
    """Read a question as a caller hears it: its prompt, then those of its choices."""
    keys: list[Mention] = []
    texts: list[str] = []
    own: set[str] = set()
    complete, first_own = True, None
    for name, prompt, path in _prompts(asked):
        if name is not None:
            own.add(name)
            first_own = first_own if first_own is not None else _words(texts)
        for number, part in enumerate(prompt):
            if isinstance(part, SilencePart):
                continue
            text = part.text or ""
            complete = complete and bool(text) and not (name is None and PUT_IN.search(text))
            keys += _mentions(text, (*path, number, "text"), _words(texts))
            texts.append(text)
    told = [mention.after for mention in keys] + ([first_own] if first_own is not None else [])
    said = " ".join(texts).casefold()
    return Announcement(tuple(keys), said, complete, frozenset(own), min(told, default=None))


def _prompts(asked: Asking) -> Iterator[tuple[str | None, Sequence[AnyPart], Path]]:
    yield None, asked.prompt or (), ("prompt",)
    for name, choice in asked.choices.items() if isinstance(asked, Menu) else ():
        if choice.prompt:
            yield name, choice.prompt, ("choices", name, "prompt")


def _mentions(text: str, path: Path, before: int) -> Iterator[Mention]:
    for named in keys_named(text):
        words = text[named.start : named.end]
        yield Mention(named.what, words, path, named.start, before + len(text[: named.start].split()))


def _words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)


def menus(document: Document) -> Iterator[tuple[Menu, Path]]:
    """Go through all menus, each with its place."""
    for name, state in document.states():
        if state.menu:
            yield state.menu, ("states", name, "menu")


@DUPLICATE_DTMF.finder
def duplicate_dtmf(document: Document) -> Iterator[Finding]:
    """Find two choices on one key."""
    for menu, path in menus(document):
        first: dict[str, str] = {}
        for name, choice in menu.choices.items():
            if choice.dtmf is None:
                continue
            if choice.dtmf in first:
                message = f'The key {choice.dtmf} belongs to "{first[choice.dtmf]}" already.'
                place = (*path, "choices", name, "dtmf")
                yield document.finding("duplicate-dtmf", place, message, _free_key(menu))
            first.setdefault(choice.dtmf, name)


def _free_key(menu: Menu) -> str:
    used = {choice.dtmf for choice in menu.choices.values()}
    free = next((key for key in "1234567890" if key not in used), None)
    return f"The key {free} is free." if free else ""


@DUPLICATE_SPEECH.finder
def duplicate_speech(document: Document) -> Iterator[Finding]:
    """Find words that stand for two choices, or for one twice, however they are written."""
    for menu, path in menus(document):
        first: dict[str, tuple[str, str]] = {}
        for name, choice in menu.choices.items():
            for number, words in enumerate(choice.speech or ()):
                said = as_heard(words) or words
                if said in first:
                    yield _duplicate(document, (*path, "choices", name, "speech", number), words, *first[said])
                first.setdefault(said, (name, words))


def _duplicate(document: Document, place: Path, words: str, choice: str, written: str) -> Finding:
    message = f'"{words}" stands for "{choice}" already.'
    same = " ".join(words.casefold().split()) == " ".join(written.casefold().split())
    # What looks different was never refused, and a line that matches letter by letter may tell it apart.
    advice = "Each spoken form needs its own words." if same else f'It sounds like "{written}" there.'
    return document.finding("duplicate-speech", place, message, advice, severity="error" if same else "warning")


@NO_KEY.finder
def no_key(document: Document) -> Iterator[Finding]:
    """Find choices that nobody can make."""
    for menu, path in menus(document):
        for name, choice in menu.choices.items():
            place = (*path, "choices", name)
            if choice.dtmf is None and not choice.speech and document.is_sound(*place):
                message = f'Nobody can choose "{name}": it has no key and no spoken form.'
                yield document.finding("no-key", place, message, 'Give it "dtmf" or "speech".', key=True)


@SILENT_KEY.finder
def silent_key(document: Document) -> Iterator[Finding]:
    """Find choices that no prompt tells of, and prompts that name the keys in another order."""
    for menu, path in menus(document):
        spoken = announcement(menu)
        if not spoken.complete or not spoken.text or not document.is_sound(*path):
            continue
        for name in menu.choices:
            if not spoken.tells(name, menu.choices[name]):
                message = f'No prompt tells of "{name}".'
                place = (*path, "choices", name)
                yield document.warning("silent-key", place, message, "Say its key or its word.", key=True)
        yield from _out_of_order(document, menu, path, spoken)


def _out_of_order(document: Document, menu: Menu, path: Path, spoken: Announcement) -> Iterator[Finding]:
    used = {choice.dtmf for choice in menu.choices.values()}
    named = [mention for mention in spoken.keys if mention.key in used and mention.key in "123456789"]
    for before, after in pairwise(named):
        if after.key < before.key:
            message = f"The prompt names the key {after.key} after {before.key}."
            mark = document.source.within((*path, *after.path), after.offset, len(after.words))
            advice = "Callers expect the order of the keys."
            yield document.source.finding("silent-key", "warning", mark, message, advice)
            return


@SPEECH_ONLY.finder
def speech_only(document: Document) -> Iterator[Finding]:
    """Find choices without a key, which a noisy line makes impossible."""
    for menu, path in menus(document):
        for name, choice in menu.choices.items():
            if choice.speech and choice.dtmf is None and document.is_sound(*path, "choices", name):
                message = f'"{name}" can only be spoken.'
                yield document.warning(
                    "speech-only", (*path, "choices", name), message, "Give it a key, too.", key=True
                )


@LONG_MENU.finder
def long_menu(document: Document) -> Iterator[Finding]:
    """Find menus that nobody can remember, or whose first choice comes late."""
    for menu, path in menus(document):
        if len(menu.choices) > MAX_CHOICES:
            message = f"The menu has {len(menu.choices)} choices; callers remember {MAX_CHOICES}."
            yield document.warning("long-menu", (*path, "choices"), message, "Divide it.", key=True)
        first = announcement(menu).first_after
        if first is not None and first / WORDS_A_SECOND > LATE:
            message = f"The first choice is heard after some {first / WORDS_A_SECOND:.0f} seconds."
            yield document.warning(
                "long-menu", (*path, "prompt"), message, "Say what comes before it in a state of its own.", key=True
            )
