"""Checks of types: what is declared, what a variable can take, and what never fits it (LANGUAGE C10)."""

from collections.abc import Iterator

from ivr.engine import flow
from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.convert import Misfit, coerce
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.types import NUMBERS, Type, fits
from ivr.engine.expressions.words import ComparisonMistake
from ivr.engine.variables import fit
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.checks.names import Env
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import Digits, Variable
from ivr.flowfile.source import Path
from ivr.flowfile.variables import intos, is_nothing, variables
from ivr.flowfile.zones import never_summer, zone_data, zone_meant

TYPE = Check(
    "type",
    "error",
    "A value that does not fit: a text compared with a number, a word in an integer.",
    group="Values",
    bad="""
start: {decide: [{guard: call.to > 5, target: bye}, bye]}
""",
    good="""
start: {decide: [{guard: call.to == '5', target: bye}, bye]}
""",
)

TIME_ZONE = Check(
    "time-zone",
    "warning",
    "A time zone that never has summer time, or whose sign is reversed: `EST`, `Etc/GMT-5`.",
    group="Values",
    bad="""
timeZone: EST
states:
  start: {decide: [{guard: now < '12:00', target: bye}, thanks]}
  thanks: {say: Good afternoon., next: bye}
""",
    good="""
timeZone: America/New_York
states:
  start: {decide: [{guard: now < '12:00', target: bye}, thanks]}
  thanks: {say: Good afternoon., next: bye}
""",
)


EXAMPLES = {
    "integer": "12",
    "decimal": "12.5",
    "boolean": "true or false",
    "date": "2026-11-24",
    "time": "09:40",
    "datetime": "2026-11-24T09:40+01:00",
}
"How a value is written, by the name of its type."


def what_fits(variable: flow.Variable) -> str:
    """Return what can be stored in a variable."""
    if variable.values:
        return f"Possible: {', '.join(variable.values)}."
    example = EXAMPLES.get(variable.type.name)
    shape = f", such as {example}" if example else ""
    limits = [f"at least {variable.minimum}"] if variable.minimum is not None else []
    limits += [f"at most {variable.maximum}"] if variable.maximum is not None else []
    return f"It is of type {variable.type}{shape}{''.join(f', {limit}' for limit in limits)}."


_WORDS = frozenset({"date", "longDate", "weekday", "time", "datetime", "duration", "ordinal"})
"Filters whose words are no value of any type: `Tuesday`, `9:40 AM`, `third`."
_FIGURES = frozenset({"number", "digits", "spell"})
"Filters that may give a number, of one figure perhaps, and nothing else that is a value."
_SIGNS = {
    "integer": "-0123456789",
    "decimal": "-.0123456789",
    "boolean": "truefalse",
    "date": "-0123456789",
    "time": ":0123456789",
    "datetime": " -+:.0123456789TZ",
}
"What a text can hold that is to become a value of a type."


def misfit(template: Template, given: Type, variable: flow.Variable, env: Env) -> ComparisonMistake | None:
    """Return why nothing that a text with expressions gives fits its variable; None: something may."""
    if given.name != "text":
        return None if fits(given, variable.type) else _other_type(given, variable)
    results = list(_results(template.single.node)) if template.single else []
    spoken = [result for result in results if isinstance(result, tree.Filtered) and _never_fits(result, variable)]
    if spoken and len(spoken) == len(results):
        message = f'"{spoken[0].filter}" gives words to be spoken, and none of them fits "{variable.name}".'
        return ComparisonMistake(message, _value_for(spoken[0].of, variable, env) or what_fits(variable))
    signs = _SIGNS.get(variable.type.name)
    strange = "".join(part for part in template.parts if isinstance(part, str) and signs is not None).strip(signs)
    if strange:
        return ComparisonMistake(
            f'No text with "{strange.strip() or strange}" in it fits "{variable.name}".', what_fits(variable)
        )
    return None


def _other_type(given: Type, variable: flow.Variable) -> ComparisonMistake:
    message = f'"{variable.name}" is of type {variable.type}, and this is {given}.'
    return ComparisonMistake(message, _TODAY if (given.name, variable.type.name) == ("datetime", "date") else "")


def _results(node: tree.Node) -> Iterator[tree.Node]:
    """List what an expression may come to."""
    match node:
        case tree.Conditional():
            yield from (*_results(node.then), *_results(node.otherwise))
        case tree.Either():
            yield from (*_results(node.left), *_results(node.right))
        case _:
            yield node


def _never_fits(result: tree.Filtered, variable: flow.Variable) -> bool:
    type_ = variable.type.name
    if type_ == "text":
        words = FILTERS[result.filter].yields
        return bool(words and variable.values) and not set(words) & set(variable.values)
    return result.filter in _WORDS or (result.filter in _FIGURES and type_ not in NUMBERS)


_TODAY = 'Write "{{ today }}" for the day it is.'


def _value_for(node: tree.Node, variable: flow.Variable, env: Env) -> str:
    """Return what to write for a value that was made words of; empty: there is no telling."""
    path, type_ = tree.path(node), infer(Expression("", node), env)[0]
    if path == "now" and variable.type.name == "date":
        return 'The fact "today" is that day; delete the variable.' if variable.name == "today" else _TODAY
    return f'Write "{{{{ {path} }}}}".' if path and fits(type_, variable.type) else ""


KEYABLE = frozenset({"text", "integer", "decimal", "date", "time"})
ORDERED = frozenset({"integer", "decimal", "date", "time"})
KEYS_NEEDED = {"date": 8, "time": 4}


@TIME_ZONE.finder
def time_zone(document: Document) -> Iterator[Finding]:
    """Find a time zone that there is not, and one that is not what it is called."""
    zone = document.model.time_zone
    if zone is not None and zone_data(zone) is None:
        message = f'There is no time zone "{zone}".'
        advice = zone_meant(zone) or "Write one such as Europe/Vienna."
        yield document.finding("value", ("timeZone",), message, advice)
    elif zone is not None and (sentence := never_summer(zone)):
        yield document.warning("time-zone", ("timeZone",), sentence)


@TYPE.finder
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


@TYPE.finder
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


@VALUE.finder
def digits_range(document: Document) -> Iterator[Finding]:
    """Find a `maxDigits` under `minDigits` (C4)."""
    for name, state in document.states():
        digits = state.digits
        if digits and digits.max_digits < digits.min_digits:
            message = f'"maxDigits" is less than "minDigits", which is {digits.min_digits}.'
            yield document.finding("value", ("states", name, "digits", "maxDigits"), message, "Raise it.")
