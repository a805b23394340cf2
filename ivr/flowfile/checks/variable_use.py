"""Checks of what becomes of variables: what is stored and never used, what is private (LANGUAGE C10, C12)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.naming import is_name, is_of_user, without_user
from ivr.engine.scope import SETTABLE
from ivr.flowfile.actions import PRIVATE_FIELDS
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, once
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.source import Mark, Path
from ivr.flowfile.texts import Use, compiled, in_single_braces, reads, root, uses
from ivr.flowfile.variables import intos, origins, private, variables

BARE_NAME = Check(
    "bare-name",
    "warning",
    "The name of a variable is stored as a text.",
    group="Values",
    bad="""
variables: {amount: 12, total: {type: text, default: ""}}
states:
  start:
    say: "{{ amount }} euros."
    set: {total: amount}
    next: say_total
  say_total: {say: "{{ total }}", next: bye}
""",
    good="""
variables: {amount: 12, total: {type: integer, default: "0"}}
states:
  start:
    say: "{{ amount }} euros."
    set: {total: "{{ amount }}"}
    next: say_total
  say_total: {say: "{{ total }}", next: bye}
""",
)

UNUSED = Check(
    "unused",
    "warning",
    "A value is stored and never used, or a calendar is never read.",
    group="Values",
    bad="""
start:
  digits: {prompt: Key your number., into: number}
  next: bye
""",
    good="""
start:
  digits: {prompt: Key your number., into: number}
  next: thanks
thanks: {say: "Your number is {{ number | digits }}.", next: bye}
""",
)

NEVER_SET = Check(
    "never-set",
    "warning",
    "A variable is read but never set.",
    group="Values",
    bad="""
variables: {nickname: {type: text, default: none}}
states:
  start: {say: "Hello {{ nickname or 'stranger' }}.", next: bye}
""",
    good="""
variables: {nickname: {type: text, default: friend}}
states:
  start: {say: "Hello {{ nickname }}.", next: bye}
""",
)

SENSITIVE = Check(
    "sensitive",
    "error",
    "A private value would be spoken or logged.",
    group="Values",
    bad="""
start:
  digits: {prompt: Key your PIN., into: pin, sensitive: true}
  next: thanks
thanks: {say: "You keyed {{ pin }}.", next: bye}
""",
    good="""
start:
  digits: {prompt: Key your PIN., into: pin, sensitive: true}
  next: judge
judge: {decide: [{guard: pin == '1234', target: thanks}, bye]}
thanks: {say: That is right., next: bye}
""",
)

CHOICE_SPOKEN = Check(
    "choice-spoken",
    "warning",
    "The name of a choice is spoken.",
    group="Dialogue",
    bad="""
start:
  menu:
    prompt: For sales press 1.
    choices: {sales: {dtmf: "1"}}
    into: department
  next: confirm
confirm: {say: "You chose {{ department }}.", next: bye}
""",
    good="""
start:
  menu:
    prompt: For sales press 1.
    choices: {sales: {dtmf: "1"}}
    into: department
  next: confirm
confirm: {say: {guard: department == 'sales', text: You chose our sales team.}, next: bye}
""",
)


@BARE_NAME.message
def _text_stored(variable: str, text: str) -> Text:
    return f'This stores the text "{text}" in "{variable}".', f'Did you mean "{{{{ {text} }}}}"?'


@UNUSED.message
def _never_used(variable: str) -> Text:
    return f'"{variable}" is stored and never used.', "Use it, or delete it."


@UNUSED.message
def _never_asked(calendar: str) -> Text:
    return (
        f'No expression reads the calendar "{calendar}".',
        f"Write calendar.{calendar}.open in a guard, or delete it.",
    )


@NEVER_SET.message
def _read_but_not_set(variable: str) -> Text:
    return f'"{variable}" is read but never set.', "Set it, or delete it."


@SENSITIVE.message
def _spoken() -> Text:
    return "A private value would be spoken.", ONLY_GUARDS


@SENSITIVE.message
def _sent() -> Text:
    return "A private value would be sent.", ONLY_GUARDS


@SENSITIVE.message
def _given_away(variable: str, flow: str) -> Text:
    return "A private value would be stored in a variable that is not.", f'Declare "{variable}" sensitive in "{flow}".'


@SENSITIVE.message
def _sent_to_service() -> Text:
    return "A private value would be sent where it may be logged.", "Only guards, json and form may read it."


@SENSITIVE.message
def _logged(variable: str) -> Text:
    return f'A private value would be stored in "{variable}", which is logged.', ONLY_GUARDS


@CHOICE_SPOKEN.message
def _name_of_choice(variable: str) -> Text:
    return f'"{variable}" holds the name of a choice, which is not meant to be spoken.', "Use parts with guards."


ONLY_GUARDS = "Only guards may read it."
_WORD = re.compile(r"\w+")
_SHOWN = frozenset({"text", "sent", "expression"})
"""What somebody hears or gets."""


@BARE_NAME.finder
def bare_name(document: Document) -> Iterator[Finding]:
    """Find texts that were probably meant as the variable of that name."""
    known = variables(document)
    for use in uses(document):
        if use.role == "value" and use.text in known and use.variable in known and use.text != use.variable:
            if use.text in known[use.variable].values:
                continue
            yield document.finding(_text_stored(use.variable, use.text), use.path)


@UNUSED.finder
def unused(document: Document) -> Iterator[Finding]:
    """Find what is stored and never used. A recording is of use to people even if the flow never reads it."""
    read = _read_anywhere(document)
    stored = {use.variable for use in uses(document) if use.role == "value"} | {
        into.variable for into in intos(document)
    }
    answers = {into.variable: into.path for into in reversed(intos(document))}
    for name, variable in variables(document).items():
        path = _place(document, name, answers)
        if path is None or not document.is_sound(*path) or not document.is_own(*path):
            continue
        # What is kept of the caller may be for other flows.
        is_used = name in read or (is_of_user(name) and (name in stored or without_user(name) in read))
        if not is_used and variable.type.name != "recording" and is_name(without_user(name)):
            yield document.finding(_never_used(name), path, key=path[0] == "variables")
    asked = _calendars_read(document)
    for name in document.model.calendars:
        is_own = document.is_own("calendars", name)
        if name not in asked and is_own and document.is_sound("calendars", name) and is_name(name):
            yield document.finding(_never_asked(name), ("calendars", name), key=True)


def _calendars_read(document: Document) -> frozenset[str]:
    """Return the calendars that are read, or may be in what cannot be read."""
    read = set(document.hidden_words)
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        words = _WORD.findall(use.text) if isinstance(what, ExpressionError) else _second_names(what.names)
        read.update(words)
    return frozenset(read)


def _second_names(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        first, *rest = path.split(".")
        yield from rest[:1] if first == "calendar" else ()


@NEVER_SET.finder
def never_set(document: Document) -> Iterator[Finding]:
    """Find variables that are read and never have a value."""
    stored = {use.variable for use in uses(document) if use.role == "value"}
    stored |= {into.variable for into in intos(document)}
    stored |= document.hidden_words
    read = _read_anywhere(document)
    for name, variable in variables(document).items():
        is_set = name in stored or document.may_be_given(name)
        if name in read and not is_set and variable.has_default and variable.default is None:
            yield document.finding(_read_but_not_set(name), ("variables", name), key=True)


@once
def _read_anywhere(document: Document) -> frozenset[str]:
    """Return all variables that are read, or may be in what cannot be read."""
    read = set(document.hidden_words).union(*(state.requires for _, state in document.states()))
    for use in uses(document):
        read |= reads(use)
        if isinstance(compiled(use.text, bare=use.is_bare), ExpressionError):
            read.update(_WORD.findall(use.text))
        # What stands in single braces is not read, and was meant to be: the check `single-braces` says so.
        read.update(*(one.names for one in in_single_braces(use)))
    return frozenset(read)


def _place(document: Document, name: str, answers: Mapping[str, Path]) -> Path | None:
    if name in document.model.variables:
        return ("variables", name)
    path = answers.get(name)
    return path if path and document.source.has(path) else None


@SENSITIVE.finder
def sensitive(document: Document) -> Iterator[Finding]:
    """Find private values that would be heard or seen (C12)."""
    marked = private(document)
    for use in uses(document):
        is_logged = use.role == "value" and use.variable in SETTABLE
        takes_private = use.read is not None and use.read.takes_private
        found = origins(document, use) & marked if (use.role in _SHOWN and not takes_private) or is_logged else None
        if found:
            problem = _logged(use.variable) if is_logged else _told(use)
            yield document.source.found(problem, _mark(document, use, found))


def _told(use: Use) -> Problem:
    if use.said_at:
        return _spoken()
    return _sent() if use.read is None or use.read.takes is None else _sent_to_service()


@SENSITIVE.finder
def given_away(document: Document) -> Iterator[Finding]:
    """Find private values that an invoked flow is given in variables that are not."""
    marked = private(document)
    for use in uses(document):
        invoke = document.model.states[use.state].invoke if use.state is not None and use.role == "given" else None
        kept = invoke.invoked.variables.get(str(use.path[-1])) if invoke and invoke.invoked else None
        if invoke and kept and not kept.sensitive and (found := origins(document, use) & marked):
            yield document.source.found(_given_away(kept.name, invoke.flow), _mark(document, use, found))


@CHOICE_SPOKEN.finder
def choice_spoken(document: Document) -> Iterator[Finding]:
    """Find the name of a choice in what is spoken: it is meant for the author, not for the caller."""
    names = {into.variable for into in intos(document) if into.asked.word == "menu"}
    names -= {use.variable for use in uses(document) if use.role == "value"}
    names -= {into.variable for into in intos(document) if into.asked.word != "menu" or into.choice is not None}
    for use in uses(document) if names else ():
        found = reads(use) & names
        if use.role == "text" and found:
            yield document.source.found(_name_of_choice(min(found)), _mark(document, use, found))


def _mark(document: Document, use: Use, names: "frozenset[str] | set[str]") -> Mark:
    """Find the expression that reads one of these names."""
    what = compiled(use.text, bare=use.is_bare)
    expressions = what.expressions if isinstance(what, Template) else [what] if isinstance(what, Expression) else []
    wanted = names | PRIVATE_FIELDS
    node = next(one.node for one in expressions if wanted.intersection(map(root, one.names)))
    return document.source.within(use.path, node.start, node.end - node.start)
