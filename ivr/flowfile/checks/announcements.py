"""What a question says about its answers: the keys and spoken forms that its prompts name (LANGUAGE C5)."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ivr.flowfile.actions.base import Asking
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.checks.instruction_languages import can_read, keys_named_in
from ivr.flowfile.choices import Choice
from ivr.flowfile.document import Document
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.model_parts import Spoken, WordedPart
from ivr.flowfile.prompts import parts_of
from ivr.flowfile.source import Path
from ivr.flowfile.spoken_forms import forms_in

_WORD = re.compile(r"\S+")


class Mention(Struct, frozen=True):
    """A key that a prompt names."""

    key: str
    words: str
    path: Path
    "Of the text."
    offset: int
    "In the text."
    after: int
    "Words of the whole question before it."


class Announcement(Struct, frozen=True):
    """What a question says about its answers."""

    keys: tuple[Mention, ...]
    text: str
    "All of it, in lower case."
    complete: bool
    "False: some of it is an audio file without text, or an expression."
    own_prompts: frozenset[str]
    "Choices that have a prompt of their own."
    first_after: int | None
    "Words before the first choice is mentioned; None: none is."
    language: str

    def mentions(self, name: str, choice: Choice) -> bool:
        """Return whether a choice is mentioned."""
        if name in self.own_prompts or any(mention.key == choice.dtmf for mention in self.keys):
            return True
        words = [*forms_in(choice.speech, self.language), name.replace("_", " ")]
        if choice.dtmf and len(choice.dtmf) > 1:
            words += [choice.dtmf, " ".join(choice.dtmf)]
        return any(re.search(rf"\b{re.escape(word.casefold())}\b", self.text) for word in words)


def announcement(document: Document, asked: Asking, path: Path, language: str) -> Announcement:
    """Read a question as a caller hears it in a language: its prompt, then those of its choices."""
    keys: list[Mention] = []
    texts: list[str] = []
    own: set[str] = set()
    complete, first_own = True, None
    for name, prompt in _prompts(asked, path):
        if name is not None:
            own.add(name)
            first_own = first_own if first_own is not None else _words(texts)
        for placed in parts_of(document, prompt):
            part = placed.part
            if not isinstance(part, WordedPart) or not placed.is_heard_in(language):
                continue
            text = part.text or ""
            is_read = bool(text) and can_read(placed.spoken_in or language)
            complete = complete and is_read and not (name is None and PUT_IN.search(text))
            keys += _mentions(text, placed.spoken_in or language, (*placed.path, "text"), _words(texts))
            texts.append(text)
    named = [mention.after for mention in keys] + ([first_own] if first_own is not None else [])
    said = " ".join(texts).casefold()
    return Announcement(tuple(keys), said, complete, frozenset(own), min(named, default=None), language)


def _prompts(asked: Asking, path: Path) -> Iterator[tuple[str | None, Spoken]]:
    yield None, Spoken(asked.prompt or (), (*path, "prompt"))
    for name, choice in asked.choices.items() if isinstance(asked, Menu) else ():
        if choice.prompt:
            yield name, Spoken(choice.prompt, (*path, "choices", name, "prompt"))


def _mentions(text: str, language: str, path: Path, before: int) -> Iterator[Mention]:
    begins = [found.start() for found in _WORD.finditer(text)]
    for named in keys_named_in(text, language):
        words = text[named.start : named.end]
        yield Mention(named.what, words, path, named.start, before + bisect_left(begins, named.start))


def _words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)
