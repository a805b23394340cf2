"""Checks of variables: what is declared, what is kept and never used, what is private (LANGUAGE C10, C12)."""

import re
from collections.abc import Iterator, Mapping

from ivr.engine import flow
from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.convert import Misfit, coerce
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.types import Type
from ivr.engine.naming import is_name
from ivr.engine.variables import fit
from ivr.flowfile.checks.fitting import EXAMPLES, what_fits
from ivr.flowfile.document import Document, once
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import Digits, Variable
from ivr.flowfile.source import Mark, Path
from ivr.flowfile.texts import Use, compiled, in_single_braces, reads, root, uses
from ivr.flowfile.variables import ANSWERS, SETTABLE, intos, is_nothing, origins, private, variables
from ivr.flowfile.zones import never_summer, zone_data, zone_meant

_WORD = re.compile(r"\w+")
KEYABLE = frozenset({"text", "integer", "decimal", "date", "time"})
ORDERED = frozenset({"integer", "decimal", "date", "time"})
KEYS_NEEDED = {"date": 8, "time": 4}


def time_zone(document: Document) -> Iterator[Finding]:
    """Find a time zone that there is not, and one that is not what it is called."""
    zone = document.model.time_zone
    if zone is not None and zone_data(zone) is None:
        message = f'There is no time zone "{zone}".'
        advice = zone_meant(zone) or "Write one such as Europe/Vienna."
        yield document.finding("value", ("timeZone",), message, advice)
    elif zone is not None and (sentence := never_summer(zone)):
        yield document.warning("time-zone", ("timeZone",), sentence)


def declared(document: Document) -> Iterator[Finding]:
    """Find defaults and limits that do not fit their variable."""
    known = variables(document)
    for name, written in document.model.variables.items():
        path, variable = ("variables", name), known[name]
        yield from _limits(document, path, written, variable.type)
        default = written.default
        if default is None or (variable.type.optional and is_nothing(default)):
            continue
        try:
            fit(default, variable)
        except Misfit:
            message = f'"{default}" does not fit "{name}".'
            yield document.finding("type", (*path, "default"), message, what_fits(variable))


def _limits(document: Document, path: Path, written: Variable, type_: Type) -> Iterator[Finding]:
    for key, limit in (("min", written.min), ("max", written.max)):
        if limit is None:
            continue
        if type_.name not in ORDERED:
            message = f'"{key}" means nothing for {type_}.'
            yield document.finding(
                "type", (*path, key), message, "Integer, decimal, date and time have limits.", key=True
            )
            continue
        try:
            coerce(limit, type_)
        except Misfit:
            message, advice = f'"{limit}" is no {type_}.', f"Write it such as {EXAMPLES[type_.name]}."
            yield document.finding("type", (*path, key), message, advice)
    if written.values and type_.name != "text":
        message = f'"values" are texts, and this is of type {type_}.'
        yield document.finding("type", (*path, "values"), message, 'Use "min" and "max".', key=True)
    if written.format and type_.name != "date":
        message = f'"format" means nothing for {type_}.'
        yield document.finding("type", (*path, "format"), message, "It says how a date is keyed.", key=True)


def kept(document: Document) -> Iterator[Finding]:
    """Find answers that their variable cannot take, or that nobody can give."""
    known = variables(document)
    for into in intos(document):
        variable = known[into.variable]
        wanted = {"menu": {"text"}, "digits": KEYABLE, "record": {"recording"}}[into.action]
        if not document.source.has(into.path):
            continue
        if variable.type.name not in wanted:
            what = {"menu": "the name of a choice", "digits": "keys", "record": "a recording"}[into.action]
            message = f'"{into.variable}" is of type {variable.type}, and this is {what}.'
            yield document.finding("type", into.path, message, "Keep it in another variable.")
        digits = document.model.states[into.state].digits
        if digits and (message := too_few_keys(digits, variable)):
            yield document.finding("type", into.path, message, 'Correct "minDigits" and "maxDigits".')


def too_few_keys(digits: Digits, variable: flow.Variable) -> str:
    """Return why no keys that are taken are enough; empty: some are."""
    least, most = digits.min_digits, digits.max_digits
    needed = KEYS_NEEDED.get(variable.type.name)
    if needed and not least <= needed <= most:
        return f"A {variable.type.name} is keyed with {needed} keys, and {least} to {most} are taken."
    if isinstance(variable.minimum, int) and variable.type.name == "integer" and variable.minimum >= 10**most:
        return f"With {most} keys nobody can key {variable.minimum} or more."
    return ""


def digits_range(document: Document) -> Iterator[Finding]:
    """Find a `maxDigits` under `minDigits` (C4)."""
    for name, state in document.states():
        digits = state.digits
        if digits and digits.max_digits < digits.min_digits:
            message = f'"maxDigits" is less than "minDigits", which is {digits.min_digits}.'
            yield document.finding("value", ("states", name, "digits", "maxDigits"), message, "Raise it.")


def bare_name(document: Document) -> Iterator[Finding]:
    """Find words that were probably meant as the variable of that name."""
    known = variables(document)
    for use in uses(document):
        if use.role == "value" and use.text in known and use.variable in known and use.text != use.variable:
            if use.text in known[use.variable].values:
                continue
            message = f'This sets "{use.variable}" to the word "{use.text}".'
            yield document.warning("bare-name", use.path, message, f'Did you mean "{{{{ {use.text} }}}}"?')


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


CHECKS = (time_zone, declared, kept, digits_range, bare_name, unused, never_set, sensitive, choice_spoken)
