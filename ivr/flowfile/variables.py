"""The variables of a flow: declared, or implied by `into`, with the marks of what is private (LANGUAGE C10, C12)."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine import flow
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression
from ivr.engine.expressions.convert import KEYED_DATE, Misfit, coerce
from ivr.engine.expressions.types import ANY, BOOLEAN, DECIMAL, INTEGER, TEXT, Type, optional
from ivr.engine.naming import is_of_user
from ivr.engine.scope import SETTABLE
from ivr.engine.values import Value
from ivr.flowfile import model
from ivr.flowfile.actions import PRIVATE_FIELDS
from ivr.flowfile.actions.base import KeepingSpec
from ivr.flowfile.actions.menu import Menu
from ivr.flowfile.document import Document, once
from ivr.flowfile.fields import DECIMAL_NUMBER, WHOLE_NUMBER
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path
from ivr.flowfile.texts import Use, compiled, reads, uses


class Into(Struct, frozen=True):
    """What keeps an answer: a variable that a state names in `into`, or an unnamed one."""

    variable: str
    state: str
    asked: KeepingSpec[Any]
    "The action whose answer it is."
    choice: str | None = None
    "The choice whose item is kept, of a list."

    @property
    def path(self) -> Path:
        """Where it is written."""
        inside = ("choices", self.choice) if self.choice is not None else ()
        return "states", self.state, self.asked.word, *inside, "into"

    def listed(self, document: Document) -> str:
        """Return the list of whose items one is kept, as it is written; empty: it is no item."""
        menu = document.model.states[self.state].menu
        return (menu and self.choice is not None and menu.choices[self.choice].foreach) or ""

    def stores_on(self, event: str) -> bool:
        """Return whether this event comes with an answer to be kept."""
        return event == self.choice if self.choice is not None else self.asked.stores_on(event)

    def keeps(self, type_: Type, item: Type = ANY) -> bool:
        """Return whether a variable of a type can keep the answer, or an item of that type."""
        if self.choice is None:
            return type_.name in self.asked.kept_as
        return "any" in {item.name, type_.name} or item.name == type_.name


def into_of(name: str, state: model.State) -> Into | None:
    """Return what keeps the answer of a state; None: it has none."""
    return next((Into(asked.kept_in(name), name, asked) for asked in state.keeping), None)


def intos_of(name: str, state: model.State) -> Iterator[Into]:
    """Go through all that a state keeps: its answer, and the item that is chosen from a list."""
    if into := into_of(name, state):
        yield into
    for spec in state.keeping:
        for choice, written in spec.written.choices.items() if isinstance(spec.written, Menu) else ():
            if written.foreach and written.into:
                yield Into(written.into, name, spec, choice)


@once
def intos(document: Document) -> tuple[Into, ...]:
    """List what keeps the answers of all states that have one."""
    return tuple(into for name, state in document.states() for into in intos_of(name, state))


def item_type(foreach: str, env: Mapping[str, Type]) -> Type:
    """Return the type of the items of a list; of what is no list, or not known, any."""
    what = compiled(foreach, bare=True)
    type_ = infer(what, env)[0] if isinstance(what, Expression) else ANY
    return type_.item if type_.name == "list" and type_.item is not None else ANY


@once
def variables(document: Document) -> Mapping[str, flow.Variable]:
    """Return all variables by name. A default or a limit that does not fit is left out: the check `type` tells it."""
    implied = _implied(document)
    known = {
        name: _declared(document, name, written, implied.get(name, TEXT))
        for name, written in document.model.variables.items()
    }
    for name, type_ in implied.items():
        known.setdefault(name, flow.Variable(name, type_))
    marked = private(document)
    return {name: replace(variable, sensitive=name in marked) for name, variable in known.items()}


def _implied(document: Document) -> Mapping[str, Type]:
    """Return the types of the variables that nothing but `into` declares (C10)."""
    kept = intos(document)[::-1]
    answers = {into.variable: into.asked.answer_type for into in kept if into.choice is None}
    known = answers | {name: written.type for name, written in document.model.variables.items() if written.type}
    listed = [into for into in kept if into.choice is not None and into.variable not in answers]
    items: Mapping[str, Type] = dict.fromkeys((into.variable for into in listed), ANY)
    before: Mapping[str, Type] = {}
    while items != before:  # the list may be in an item of another list; each round is a level deeper
        before = items
        items = {into.variable: item_type(into.listed(document), {**items, **known}) for into in listed}
    return {**items, **answers}


def _declared(document: Document, name: str, written: model.Variable, implied: Type) -> flow.Variable:
    type_ = _declared_type(document, name, written, implied)
    return flow.Variable(
        name,
        type_,
        default=fitting(written.default, type_),
        has_default=written.default is not None or is_of_user(name),
        minimum=fitting(written.min, type_),
        maximum=fitting(written.max, type_),
        values=tuple(written.values or ()),
        format=written.format or KEYED_DATE,
        sensitive=written.sensitive,
        keep=written.keep if is_of_user(name) else None,
    )


def _declared_type(document: Document, name: str, written: model.Variable, implied: Type) -> Type:
    """Return the type of a declared variable: as written, or that of its default (C10)."""
    is_plain = document.source.is_plain(("variables", name, "default"))
    is_none = is_plain and written.default is not None and is_nothing(written.default)
    is_none = is_none or (written.default is None and is_of_user(name))  # of most callers, nothing is known
    if written.type:
        return optional(written.type) if is_none else written.type
    if written.default is None:
        plain = TEXT if written.values else implied
        return optional(plain) if is_none else plain
    if not is_plain:
        return TEXT
    return optional(TEXT) if is_none else _type_of_plain(written.default)


def is_nothing(text: str) -> bool:
    """Return whether a plain default is no value: `none`, or what YAML and Python call so, which is then told."""
    return text.lower() in {"none", "null", "~"}


def _type_of_plain(text: str) -> Type:
    if text in {"true", "false"}:
        return BOOLEAN
    if WHOLE_NUMBER.fullmatch(text):
        return INTEGER
    return DECIMAL if DECIMAL_NUMBER.fullmatch(text) else TEXT


def fitting(text: str | None, type_: Type) -> Value:
    """Read a default or a limit as its variable's type; what does not fit is no value."""
    if text is None or (type_.optional and is_nothing(text)):
        return None
    try:
        return coerce(text, type_)
    except Misfit:
        return None


@once
def constants(document: Document) -> Mapping[str, Value]:
    """Return the variables that keep their default for the whole of a call, since nothing else is ever put into them.

    None, where something was cut out of the file that may put something into one.
    """
    if document.damaged:
        return {}
    changed = {into.variable for into in intos(document)}
    changed |= {use.variable for use in uses(document) if use.role == "value"}
    return {
        name: variable.default
        for name, variable in variables(document).items()
        if variable.default is not None and name not in changed and not document.may_be_given(name)
    }


@once
def private(document: Document) -> frozenset[str]:
    """Find the variables that hold something private: the mark follows the value through `into` and `set` (C12)."""
    marked = {into.variable for into in intos(document) if into.asked.is_sensitive}
    marked |= {name for name, written in document.model.variables.items() if written.sensitive}
    readers: dict[str, list[str]] = {}
    for use in uses(document):
        if use.role == "value" and use.variable not in SETTABLE:
            for origin in origins(document, use):
                readers.setdefault(origin, []).append(use.variable)
    return reached(marked, lambda variable: readers.get(variable, ()))


def origins(document: Document, use: Use) -> frozenset[str]:
    """Return the variables that a use reads; for a field of an event, the variable that keeps the answer."""
    names = reads(use)
    if use.moment not in {"transition", "confirm"}:
        return names
    # A handler of the flow stands for every state that leaves the event to it.
    if use.state is not None:
        asked: list[Into | None] = [into_of(use.state, document.model.states[use.state])]
    else:
        asked = [*intos(document)] if names & PRIVATE_FIELDS else []
    kept = {into.variable for into in asked if into and names & into.asked.private_fields}
    return names | kept
