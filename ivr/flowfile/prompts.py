"""Every prompt of a flow file and every part of a prompt, each with its place."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ivr.engine.language_choice import among
from ivr.flowfile.document import Document, Handler
from ivr.flowfile.model import State
from ivr.flowfile.model_parts import AnyPart, ByLanguagePart, Spoken, each_spoken, spoken
from ivr.flowfile.source import Path


def all_prompts(document: Document) -> Iterator[Spoken]:
    """Go through all prompts of a flow."""
    for name, state in document.states():
        yield from of_action(name, state)
    for handler in document.all_handlers():
        yield from of_handler(handler)
    yield from of_defaults(document)


def of_defaults(document: Document) -> Iterator[Spoken]:
    """Go through the texts of states that have none of their own."""
    yield from each_spoken(document.model.defaults.no_input, ("defaults", "noInput"))
    yield from each_spoken(document.model.defaults.no_match, ("defaults", "noMatch"))


def of_handler(handler: Handler) -> Iterator[Spoken]:
    """Go through what the branches of a handler say."""
    for number, branch in enumerate(handler.branches):
        yield from spoken(branch.say, (*handler.path, number, "say"), "transition")


def of_action(name: str, state: State) -> Iterator[Spoken]:
    """Go through what the action of a state says."""
    for action in state.actions:
        yield from action.prompts(("states", name, action.word))


class Placed(Struct, frozen=True):
    """A part of a prompt, wherever in the prompt it stands."""

    part: AnyPart
    path: Path
    language: str | None = None
    "The one language of the flow in which it is heard; None: in all of them."
    guards: tuple[str, ...] = ()
    "The guards of what it stands in, which have been found true when its own is asked."

    @property
    def spoken_in(self) -> str | None:
        """The language of its words; None: that of the call."""
        return self.part.language or self.language

    def is_heard_in(self, language: str) -> bool:
        """Return whether a call in this language can hear it."""
        return self.language in (None, language)


def parts_of(document: Document, prompt: Spoken) -> Iterator[Placed]:
    """Go through the parts of a prompt; one that holds others comes before them."""
    return _parts(document, prompt.parts, prompt.path, None, (prompt.guard,) if prompt.guard else ())


def _parts(
    document: Document, parts: Sequence[AnyPart], path: Path, language: str | None, guards: tuple[str, ...]
) -> Iterator[Placed]:
    for number, part in enumerate(parts):
        here = (*path, number)
        yield Placed(part, here, language, guards)
        if isinstance(part, ByLanguagePart):
            held = (*guards, part.guard) if part.guard else guards
            for key, prompt in part.prompts.items():
                only = among(key, document.model.all_languages) or key
                yield from _parts(document, prompt, (*here, key), only, held)
