"""Every expression of a flow file: where it stands, and which names mean something there (LANGUAGE C7, C10)."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.expressions.compile import Expression, Template, compile_expression, compile_template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.tree import Filtered
from ivr.engine.naming import parted
from ivr.flowfile.card_parts import CardPart
from ivr.flowfile.card_pieces import card_texts
from ivr.flowfile.document import Document, Handler, once
from ivr.flowfile.model import State
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.model_parts import ForeachPart, Moment, Read, RecordingPart, Role, Spoken, WordedPart
from ivr.flowfile.prompts import Around, of_action, of_commands, of_defaults, parts_of
from ivr.flowfile.source import Path

_IN_SINGLE_BRACES = re.compile(r"(?<!{){([^{}]*)}(?!})")

REMEMBERED = 1 << 15
"Texts of which is remembered what they mean: those of the largest flow, which each check looks at in turn."


class Use(Struct, frozen=True):
    """One expression, or one text that may hold some."""

    path: Path
    text: str
    role: Role
    moment: Moment
    state: str | None
    "None: a handler of the flow."
    event: str = ""
    "The event of a transition, as its handler is called."
    variable: str = ""
    "What a value is stored in."
    guards: tuple[str, ...] = ()
    "Guards that have been found true when this is read."
    branch: Path = ()
    "The branch of a transition: the guards of those before it have been found false."
    sets: Mapping[str, str] = {}
    "What the transition has set before this is read."
    items: tuple[tuple[str, str], ...] = ()
    "By name: the lists of which it is read for each item, as expressions."
    said_at: Path = ()
    "Where the prompt stands in which it is heard, if it stands in one: `path` may lead to a prompt that is shared."
    read: Read | None = None
    "What an action says of it."

    @property
    def is_bare(self) -> bool:
        """Whether all of it is an expression, without braces."""
        return self.role in {"guard", "expression"}


@lru_cache(maxsize=REMEMBERED)
def compiled(text: str, *, bare: bool) -> Expression | Template | ExpressionError:
    """Compile a guard (`bare`) or a text, once; a mistake in it is given back."""
    try:
        return compile_expression(text) if bare else compile_template(text)
    except ExpressionError as error:
        return error


def reads(use: Use) -> frozenset[str]:
    """Return what a use reads, without fields; of what cannot be compiled, nothing."""
    what = compiled(use.text, bare=use.is_bare)
    return frozenset() if isinstance(what, ExpressionError) else frozenset(map(root, what.names))


class SingleBraces(Struct, frozen=True):
    """What reads as an expression, and stands in single braces: `{ birthday | date }`."""

    start: int
    "Where the brace stands in the text; `end` is the place after the other one."
    end: int
    inside: str
    names: frozenset[str]
    "What it would read, without fields; of what cannot be compiled, nothing."
    is_filtered: bool


def in_single_braces(use: Use) -> Iterator[SingleBraces]:
    """Go through the expressions in single braces of a text; the language sees no more in them than words."""
    plain = PUT_IN.sub(lambda found: " " * len(found.group()), use.text) if not use.is_bare else ""
    for found in _IN_SINGLE_BRACES.finditer(plain):
        if not (inside := found[1].strip()):
            continue
        what = compiled(inside, bare=True)
        if isinstance(what, ExpressionError):
            names, is_filtered = frozenset[str](), what.code == "filter"  # an unknown filter
        else:
            names = frozenset(map(root, what.names))
            is_filtered = isinstance(what, Expression) and isinstance(what.node, Filtered)
        yield SingleBraces(*found.span(), inside, names, is_filtered)


def root(path: str) -> str:
    """Return the name that a dotted path begins with."""
    return parted(path)[0]


@once
def uses(document: Document) -> tuple[Use, ...]:
    """List all expressions of a flow, in no particular order."""
    return tuple(_uses(document))


def _uses(document: Document) -> Iterator[Use]:
    for name, state in document.states():
        yield from of_state(document, name, state)
    for event, handler in document.shared.items():
        yield from of_handler(document, handler, None, event)
    for prompt in (*of_defaults(document), *of_commands(document)):
        yield from _prompt(document, prompt, None)


def of_state(document: Document, name: str, state: State) -> Iterator[Use]:
    """Go through the expressions of one state, those of its transitions included."""
    here = ("states", name)
    yield from _values(state.set, (*here, "set"), "entry", name)
    for prompt in of_action(name, state):
        yield from _prompt(document, prompt, name)
    for spec in state.actions:
        for read in spec.reads((*here, spec.word)):
            yield Use(read.path, read.text, read.role, read.moment, name, read=read)
    for event, handler in document.written(name):
        yield from of_handler(document, handler, name, event)


def of_handler(document: Document, handler: Handler, state: str | None, event: str) -> Iterator[Use]:
    """Go through the expressions of one handler."""
    for number, branch in enumerate(handler.branches):
        path = (*handler.path, number)
        held = (branch.guard,) if branch.guard else ()
        if branch.guard:
            yield Use((*path, "guard"), branch.guard, "guard", "transition", state, event, branch=path)
        for use in _values(branch.set, (*path, "set"), "transition", state):
            yield replace(use, event=event, branch=path, guards=held)
        for use in _prompt(document, Spoken(branch.say or (), (*path, "say"), "transition"), state):
            yield replace(use, event=event, branch=path, guards=(*held, *use.guards), sets=branch.set)


def _values(written: Mapping[str, str], path: Path, moment: Moment, state: str | None) -> Iterator[Use]:
    for variable, text in written.items():
        yield Use((*path, variable), text, "value", moment, state, variable=variable)


def _prompt(document: Document, prompt: Spoken, state: str | None) -> Iterator[Use]:
    for placed in parts_of(document, prompt):
        part, here, around = placed.part, placed.path, placed.around

        def use(key: str, text: str, role: Role, *held: str, here: Path = here, around: Around = around) -> Use:
            guards = (*around.guards, *held)
            found = Use((*here, key), text, role, prompt.moment, state, guards=guards)
            return replace(found, items=around.items, said_at=prompt.path)

        held = (part.guard,) if part.guard else ()
        if part.guard:
            yield use("guard", part.guard, "guard")
        if isinstance(part, ForeachPart):
            yield use("foreach", part.foreach, "expression", *held)
        if isinstance(part, WordedPart) and part.text is not None:
            yield use("text", part.text, "text", *held)
        if isinstance(part, CardPart):
            for text in card_texts(part, here):
                role: Role = "guard" if text.is_bare and not text.is_list else "expression" if text.is_list else "text"
                found = use("", text.text, role, *held, *text.guards)
                yield replace(found, path=text.path, items=(*around.items, *text.items))
        if isinstance(part, RecordingPart):
            yield use("recording", part.recording, "expression", *held)
