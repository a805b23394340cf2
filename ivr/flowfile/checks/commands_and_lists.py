"""Checks of the flow's commands, and of choices that stand for the items of a list (LANGUAGE C5)."""

from collections.abc import Iterator
from math import inf

from ivr.engine import flow
from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression
from ivr.engine.expressions.types import Type
from ivr.engine.naming import is_name
from ivr.engine.offers import ITEM_KEYS
from ivr.engine.variables import Misfit, fit_keys
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.checks.menus import menus
from ivr.flowfile.checks.names import FACTS
from ivr.flowfile.choices import Choice, Command, is_free
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.source import Path
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.variables import variables

COMMAND = Check(
    "command",
    "warning",
    "A command of the flow cannot be used in a state, or in none.",
    group="Dialogue",
    bad="""
commands: {operator: {dtmf: "0", speech: [operator]}}
on: {exhausted: bye, error: bye, operator: bye}
states:
  start:
    menu:
      prompt: For sales press 1. For news press 0.
      choices: {sales: {dtmf: "1"}, news: {dtmf: "0"}}
    next: second
  second: {menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}}, next: bye}
""",
    good="""
commands: {operator: {dtmf: "0", speech: [operator]}}
on: {exhausted: bye, error: bye, operator: bye}
states:
  start:
    menu:
      prompt: For sales press 1. For news press 2.
      choices: {sales: {dtmf: "1"}, news: {dtmf: "2"}}
    next: second
  second: {menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}}, next: bye}
""",
)

FOREACH = Check(
    "foreach",
    "both",
    "A list of choices has what a single choice has, or the other way round, or not all of its items can be chosen.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For rooms press 1. For suites press 2.
    choices: {rooms: {dtmf: "1", page: 3}, suites: {dtmf: "2"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: For rooms press 1. For suites press 2.
    choices: {rooms: {dtmf: "1"}, suites: {dtmf: "2"}}
  next: bye
""",
)


def _unusable(command: str, why: str) -> Text:
    return f'The command "{command}" cannot be used here: {why}.', "Choose another key for it."


@COMMAND.message
def _place_taken(command: str, choice: str) -> Text:
    return _unusable(command, f'"{choice}" has its key, its name or its words')


@COMMAND.message
def _may_be_answer(command: str, keys: str) -> Text:
    return _unusable(command, f"{keys} may be an answer")


@COMMAND.message
def _ends_input(command: str, keys: str) -> Text:
    return _unusable(command, f"{keys} ends the input")


@COMMAND.message
def _too_long(command: str, keys: str, most: int) -> Text:
    return _unusable(command, f'{keys} has more keys than "maxDigits" ({most})')


@COMMAND.message
def _never_used(command: str) -> Text:
    return f'The command "{command}" cannot be used in any state.', "Delete it."


@FOREACH.error
def _own_key(key: str) -> Text:
    return f'A choice with "foreach" has no "{key}" of its own.', "Its items get the keys that are free."


@FOREACH.error
def _second_list() -> Text:
    return "A menu can have only one list.", "Make a menu of its own for the other one."


@FOREACH.error
def _only_for_lists(key: str) -> Text:
    return f'"{key}" is possible only with "foreach".', "Delete it."


@FOREACH.error
def _not_readable(name: str) -> Text:
    return f'"{name}" cannot be the name of an item in an expression.', "Choose a name of letters, digits and _."


@FOREACH.error
def _no_key_free() -> Text:
    return "No key is free for the items.", f"Leave some of the keys {ITEM_KEYS[0]} to {ITEM_KEYS[-1]} to them."


@FOREACH.error
def _not_a_list(type_: Type) -> Text:
    return f"This is not a list, but {type_}.", "Name a variable or a field with a type such as [text]."


@FOREACH.error
def _page_too_long(page: int, free: int) -> Text:
    return f"{page} items cannot be offered at a time: {free} keys are free.", f"Write at most {free}."


@FOREACH.warning
def _rest_unreachable(count: int) -> Text:
    return f"Items after the first {count} cannot be chosen.", 'Add "more".'


@COMMAND.finder
def command(document: Document) -> Iterator[Finding]:
    """Find commands that cannot be used: in a state, or in any."""
    commands = document.model.commands
    used: set[str] = set()
    for name, state in document.states():
        used.update(state.understood)
        for action, asked in state.questions():
            if getattr(asked, "commands", False) and document.is_sound("states", name, action):
                for word, one in commands.items():
                    yield from _of_state(document, name, state, word, one)
    for word in commands:
        if word not in used and not document.damaged:
            yield document.finding(_never_used(word), ("commands", word), key=True)


def _of_state(document: Document, name: str, state: State, word: str, one: Command) -> Iterator[Finding]:
    if state.menu and word not in state.understood:
        path: Path = ("states", name, "menu", "choices")
        taken = next((choice for choice in state.menu.choices if _takes(state.menu, choice, word, one)), None)
        if taken is not None:
            yield document.finding(_place_taken(word, taken), (*path, taken), key=True)
        else:
            yield document.finding(_ends_input(word, str(one.dtmf)), (*path[:-1], "terminators"), key=True)
    digits = state.keyed
    if digits is None or one.dtmf is None:
        return
    path = ("states", name, state.keyed_word)
    if not set(one.dtmf).isdisjoint(digits.terminators):
        yield document.finding(_ends_input(word, one.dtmf), path, key=True)
    elif len(one.dtmf) > digits.max_digits:
        yield document.finding(_too_long(word, one.dtmf, digits.max_digits), path, key=True)
    elif digits.min_digits <= len(one.dtmf) and _is_answer(one.dtmf, variables(document).get(digits.into or "")):
        yield document.finding(_may_be_answer(word, one.dtmf), path, key=True)


def _takes(menu: Menu, choice: str, word: str, one: Command) -> bool:
    return not is_free(word, one, [(choice, menu.choices[choice])])


def _is_answer(keys: str, variable: flow.Variable | None) -> bool:
    if variable is None:
        return True
    try:
        fit_keys(keys, variable)
    except Misfit:
        return False
    return True


@FOREACH.finder
def lists(document: Document) -> Iterator[Finding]:
    """Find lists of choices that are written as single ones, and items that cannot be chosen."""
    for menu, path in menus(document):
        seen = False
        for name, choice in menu.choices.items():
            here = (*path, "choices", name)
            if choice.foreach is None:
                for key in ("page", "more", "into"):
                    if getattr(choice, key) is not None:
                        yield document.finding(_only_for_lists(key), (*here, key), key=True)
                continue
            if seen:
                yield document.finding(_second_list(), here, key=True)
            seen = True
            yield from _of_list(document, menu, name, choice, here)


def _of_list(document: Document, menu: Menu, name: str, choice: Choice, here: Path) -> Iterator[Finding]:
    if choice.dtmf is not None:
        yield document.finding(_own_key("dtmf"), (*here, "dtmf"), key=True)
    if not is_name(name) or name in FACTS or name == "choice":
        yield document.finding(_not_readable(name), here, key=True)
    free = len(menu.free_keys(document.model.commands))
    if not free:
        yield document.finding(_no_key_free(), here, key=True)
    elif choice.page is not None and choice.page > free:
        yield document.finding(_page_too_long(choice.page, free), (*here, "page"))
    elif choice.more is None and document.is_sound(*here) and _longest(choice) > (choice.page or free):
        yield document.finding(_rest_unreachable(choice.page or free), (*here, "foreach"))
    yield from _type_of(document, (*here, "foreach"))


def _longest(choice: Choice) -> float:
    """Return how many items a list has at most, as far as it says."""
    what = compiled(str(choice.foreach), bare=True)
    node = what.node if isinstance(what, Expression) else None
    count = node.count if isinstance(node, tree.OpenDays) else None
    return count.value if isinstance(count, tree.Constant) and isinstance(count.value, int) else inf


def _type_of(document: Document, path: Path) -> Iterator[Finding]:
    for use in uses(document):
        what = compiled(use.text, bare=True) if use.path == path else None
        if isinstance(what, Expression):
            type_, errors = infer(what, known_of(document).scene(use).env)
            if not errors and type_.name not in {"list", "any", "none"}:
                yield document.finding(_not_a_list(type_), path)
