"""Every prompt of a flow file and every part of a prompt, each with its place."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.language_choice import among
from ivr.flowfile.document import Document, Handler
from ivr.flowfile.model import State
from ivr.flowfile.model_parts import (
    AnyPart,
    ByLanguagePart,
    CarouselPart,
    ForeachPart,
    RefPart,
    Spoken,
    each_spoken,
    spoken,
)
from ivr.flowfile.source import Path


def all_prompts(document: Document) -> Iterator[Spoken]:
    """Go through all prompts of a flow."""
    for name, state in document.states():
        yield from of_action(name, state)
    for handler in document.all_handlers():
        yield from of_handler(handler)
    yield from of_defaults(document)
    yield from of_commands(document)


def of_commands(document: Document) -> Iterator[Spoken]:
    """Go through what is said of the choices that are understood everywhere."""
    for name, command in document.model.commands.items():
        if command.prompt:
            yield Spoken(command.prompt, ("commands", name, "prompt"), "choice", None, {"key": command.dtmf})


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


class Around(Struct, frozen=True):
    """What parts of a prompt stand in."""

    path: Path
    language: str | None = None
    "The one language of the flow in which they are heard; None: in all of them."
    guards: tuple[str, ...] = ()
    "Guards that have been found true when their own are asked."
    speaks: str | None = None
    "The language in which they are said, whatever the call's is; None: in the call's."
    items: tuple[tuple[str, str], ...] = ()
    "By name: the lists of which they are said for each item, as expressions."
    through: tuple[str, ...] = ()
    "The prompts of the catalogue that led here."


class Placed(Struct, frozen=True):
    """A part of a prompt, wherever in the prompt it stands."""

    part: AnyPart
    path: Path
    around: Around

    @property
    def spoken_in(self) -> str | None:
        """The language of its words; None: that of the call."""
        return self.part.language or self.around.speaks or self.around.language

    def is_heard_in(self, language: str) -> bool:
        """Return whether a call in this language can hear it."""
        return self.around.language in (None, language)


def parts_of(document: Document, prompt: Spoken) -> Iterator[Placed]:
    """Go through the parts of a prompt; one that holds others, or refers to them, comes before them."""
    return _parts(document, prompt.parts, Around(prompt.path, guards=(prompt.guard,) if prompt.guard else ()))


def _parts(document: Document, parts: Sequence[AnyPart], around: Around) -> Iterator[Placed]:
    for number, part in enumerate(parts):
        here = (*around.path, number)
        yield Placed(part, here, around)
        held = (*around.guards, part.guard) if part.guard else around.guards
        inside = replace(around, guards=held, speaks=part.language or around.speaks)
        match part:
            case ByLanguagePart():
                for key, prompt in part.prompts.items():
                    only = among(key, document.model.all_languages) or key
                    yield from _parts(document, prompt, replace(inside, path=(*here, key), language=only))
            case ForeachPart():
                items = (*around.items, (part.item, part.foreach))
                yield from _parts(document, part.text, replace(inside, path=(*here, "text"), items=items))
            case CarouselPart():
                yield from _parts(document, part.carousel, replace(inside, path=(*here, "carousel")))
            case RefPart(ref=name) if name not in around.through:
                inside = replace(inside, path=("prompts", name), through=(*around.through, name))
                yield from _parts(document, referred(document, part), inside)


def referred(document: Document, part: RefPart) -> Sequence[AnyPart]:
    """Return the prompt of the catalogue that a part refers to, in the part's manner; none of that name is empty."""
    manner = {"voice": part.voice, "emphasize": part.emphasize, "say_as": part.say_as}
    return [one.in_the_manner_of(manner) for one in document.model.prompts.get(part.ref, ())]
