"""What a question tells of its answers: which keys and words, in which order, and how late."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ivr.flowfile.checks.instructions import keys_named
from ivr.flowfile.model import AnyPart, Asking, Choice, Menu, SilencePart
from ivr.flowfile.source import Path
from ivr.flowfile.texts import PUT_IN


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
