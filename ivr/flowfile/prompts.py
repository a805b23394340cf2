"""Every prompt of a flow file, and where it stands."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from ivr.flowfile.document import Document, Handler
from ivr.flowfile.model import AnyPart, Asking, Matching, Menu, Record, State
from ivr.flowfile.source import Path

Moment: TypeAlias = Literal["entry", "prompt", "choice", "way"]
"""When an expression is read. `entry`: `set` of a state; `prompt`: when the state speaks; `choice`: the same, and `key`
is known; `transition`: in a transition, where the event's fields are known."""


class Spoken(Struct, frozen=True):
    """One prompt."""

    parts: Sequence[AnyPart]
    path: Path
    moment: Moment = "prompt"
    guard: str | None = None
    "Set: all of it is there only while this is true."


def all_prompts(document: Document) -> Iterator[Spoken]:
    """Go through all prompts of a flow."""
    for name, state in document.states():
        yield from of_action(name, state)
    for handler in document.all_handlers():
        yield from of_handler(handler)
    yield from of_defaults(document)


def of_defaults(document: Document) -> Iterator[Spoken]:
    """Go through the texts of states that have none of their own."""
    yield from _each(document.model.defaults.no_input, ("defaults", "noInput"))
    yield from _each(document.model.defaults.no_match, ("defaults", "noMatch"))


def of_handler(handler: Handler) -> Iterator[Spoken]:
    """Go through what the branches of a handler say."""
    for number, branch in enumerate(handler.branches):
        yield from _some(branch.say, (*handler.path, number, "say"), "way")


def of_action(name: str, state: State) -> Iterator[Spoken]:
    """Go through what the action of a state says."""
    here: Path = ("states", name)
    yield from _some(state.say, (*here, "say"))
    for action, asking in state.questions():
        yield from _question(asking, (*here, action))


def _question(asking: Asking, here: Path) -> Iterator[Spoken]:
    yield from _some(asking.prompt, (*here, "prompt"))
    yield from _some(asking.reprompt, (*here, "reprompt"))
    yield from _each(asking.no_input, (*here, "noInput"))
    if isinstance(asking, Matching):
        yield from _each(asking.no_match, (*here, "noMatch"))
    if isinstance(asking, Record):
        yield from _some(asking.hold_prompt, (*here, "holdPrompt"))
    if isinstance(asking, Menu):
        for name, choice in asking.choices.items():
            if choice.prompt:
                yield Spoken(choice.prompt, (*here, "choices", name, "prompt"), "choice", choice.guard)


def _some(prompt: Sequence[AnyPart] | None, path: Path, moment: Moment = "prompt") -> Iterator[Spoken]:
    if prompt:
        yield Spoken(prompt, path, moment)


def _each(several: Sequence[Sequence[AnyPart]] | None, path: Path) -> Iterator[Spoken]:
    for number, prompt in enumerate(several or ()):
        yield Spoken(prompt, (*path, number))
