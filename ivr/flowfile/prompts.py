"""Every prompt of a flow file, and where it stands."""

from collections.abc import Iterator

from ivr.flowfile.document import Document, Handler
from ivr.flowfile.model import State
from ivr.flowfile.model_parts import Spoken, each_spoken, spoken


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
