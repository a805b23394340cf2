"""Checks of what becomes of variables: what is stored and never used, what is private (LANGUAGE C10, C12)."""

import re
from collections.abc import Iterator, Mapping

from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.naming import is_name
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document, once
from ivr.flowfile.finding import Finding
from ivr.flowfile.source import Mark, Path
from ivr.flowfile.texts import Use, compiled, in_single_braces, reads, root, uses
from ivr.flowfile.variables import ANSWERS, SETTABLE, intos, origins, private, variables

BARE_NAME = Check(
    "bare-name",
    "warning",
    "A word is stored that is the name of a variable.",
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
    "Something is kept and never used.",
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
    "A variable is read that nothing ever sets.",
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
    "A private value would be heard or logged.",
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


_WORD = re.compile(r"\w+")


@BARE_NAME.finder
def bare_name(document: Document) -> Iterator[Finding]:
    """Find words that were probably meant as the variable of that name."""
    known = variables(document)
    for use in uses(document):
        if use.role == "value" and use.text in known and use.variable in known and use.text != use.variable:
            if use.text in known[use.variable].values:
                continue
            message = f'This sets "{use.variable}" to the word "{use.text}".'
            yield document.warning("bare-name", use.path, message, f'Did you mean "{{{{ {use.text} }}}}"?')


@UNUSED.finder
def unused(document: Document) -> Iterator[Finding]:
    """Find what is kept and never used. Recordings are for people: they are of use without the flow reading them."""
    read = _read_anywhere(document)
    answers = {into.variable: into.path for into in reversed(intos(document))}
    for name, variable in variables(document).items():
        path = _place(document, name, answers)
        if path is None or not document.is_sound(*path):
            continue
        if name not in read and variable.type.name != "recording" and is_name(name):
            message = f'"{name}" is kept and never used.'
            yield document.warning("unused", path, message, "Use it, or delete it.", key=path[0] == "variables")


@NEVER_SET.finder
def never_set(document: Document) -> Iterator[Finding]:
    """Find variables that are read and have never anything but `none`."""
    stored = {use.variable for use in uses(document) if use.role == "value"}
    stored |= {into.variable for into in intos(document)}
    stored |= document.hidden_words
    read = _read_anywhere(document)
    for name, variable in variables(document).items():
        if name in read and name not in stored and variable.has_default and variable.default is None:
            message = f'"{name}" is read, and nothing ever sets it.'
            yield document.warning("never-set", ("variables", name), message, "Set it, or delete it.", key=True)


@once
def _read_anywhere(document: Document) -> frozenset[str]:
    """Return all variables that are read, or may be in what cannot be read."""
    read = set(document.hidden_words)
    for use in uses(document):
        read |= reads(use)
        if isinstance(compiled(use.text, bare=use.role == "guard"), ExpressionError):
            read.update(_WORD.findall(use.text))
        # What stands in single braces is not read, and was meant to be: the check `single-braces` tells.
        read.update(*(one.names for one in in_single_braces(use)))
    return frozenset(read)


def _place(document: Document, name: str, answers: Mapping[str, Path]) -> Path | None:
    if name in document.model.variables:
        return ("variables", name)
    path = answers.get(name)
    return path if path and document.source.has(path) else None


@SENSITIVE.finder
def sensitive(document: Document) -> Iterator[Finding]:
    """Find private values where somebody hears or sees them (C12)."""
    marked = private(document)
    for use in uses(document):
        is_logged = use.role == "value" and use.variable in SETTABLE
        found = origins(document, use) & marked if use.role == "text" or is_logged else None
        if found:
            words = f'stored in "{use.variable}", which is logged' if is_logged else "spoken"
            mark = _mark(document, use, found)
            message = f"A private value would be {words}."
            yield document.source.finding("sensitive", "error", mark, message, "Only guards may read it.")


@CHOICE_SPOKEN.finder
def choice_spoken(document: Document) -> Iterator[Finding]:
    """Find the name of a choice in what is spoken: it is the author's word, not the caller's."""
    names = {into.variable for into in intos(document) if into.action == "menu"}
    names -= {use.variable for use in uses(document) if use.role == "value"}
    names -= {into.variable for into in intos(document) if into.action != "menu"}
    for use in uses(document) if names else ():
        found = reads(use) & names
        if use.role == "text" and found:
            name = min(found)
            message = f'"{name}" holds the name of a choice, and names are not made to be spoken.'
            mark = _mark(document, use, found)
            yield document.source.finding("choice-spoken", "warning", mark, message, "Say it in parts with guards.")


def _mark(document: Document, use: Use, names: "frozenset[str] | set[str]") -> Mark:
    """Find the expression that reads one of these names."""
    template = compiled(use.text, bare=False)
    expressions = template.expressions if isinstance(template, Template) else ()
    wanted = names | frozenset().union(*ANSWERS.values())
    node = next(one.node for one in expressions if wanted.intersection(map(root, one.names)))
    return document.source.within(use.path, node.start, node.end - node.start)
