"""Checks of what is said once for each item of a list (LANGUAGE C9)."""

from collections.abc import Iterator

from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression
from ivr.engine.expressions.types import Type
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS
from ivr.flowfile.checks.valid_names import EXPRESSION_WORDS, NAME, name_findings
from ivr.flowfile.checks.variable_types import TYPE
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_parts import ForeachPart
from ivr.flowfile.prompts import all_prompts, parts_of
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.variables import variables


@TYPE.message
def _no_list(type_: Type) -> Text:
    return f'"foreach" needs a list, and this is {type_}.', "Name a variable with a type such as [text]."


@NAME.message
def _item_is_a_variable(word: str) -> Text:
    return f'"{word}" is a variable of the flow.', 'Give the item another name with "item".'


_OF_CHOICE = ("states", "<state>", "menu", "choices", "<choice>", "foreach")


@TYPE.finder
def lists(document: Document) -> Iterator[Finding]:
    """Find what is no list, in prompts; of choices, the check `foreach` does."""
    for use in uses(document):
        is_of_choice = use.path[2:4] == ("menu", "choices") and len(use.path) == len(_OF_CHOICE)
        if use.path[-1] != "foreach" or use.role != "expression" or is_of_choice:
            continue
        what = compiled(use.text, bare=True)
        type_, errors = infer(what, known_of(document).scene(use).env) if isinstance(what, Expression) else (None, ())
        if type_ is not None and not errors and type_.name not in {"list", "any"}:
            yield document.finding(_no_list(type_), use.path)


@NAME.finder
def item_names(document: Document) -> Iterator[Finding]:
    """Find names of items that mean something else already."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(part := placed.part, ForeachPart):
                path = (
                    (*placed.path, "item") if document.source.has((*placed.path, "item")) else (*placed.path, "foreach")
                )
                reserved = (*FACTS, *EVENT_FIELDS, *EXPRESSION_WORDS)
                yield from name_findings(document, path, part.item, reserved, key=False)
                if part.item in variables(document):
                    yield document.finding(_item_is_a_variable(part.item), path)
