"""Checks of types: what is declared, what a variable can take, and what never fits it (LANGUAGE C10)."""

from collections.abc import Iterator

from ivr.engine import flow
from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.convert import Misfit, coerce
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.forms import ALL_WEEKDAYS
from ivr.engine.expressions.types import ANY, NUMBERS, Type, fits
from ivr.engine.variables import fit
from ivr.flowfile.actions.digits import Digits
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.checks.names import Env
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.model import Variable
from ivr.flowfile.source import Path
from ivr.flowfile.variables import intos, is_nothing, item_type, variables
from ivr.flowfile.zones import never_summer, zone_data, zone_meant

TYPE = Check(
    "type",
    "error",
    "A value has the wrong type: a text is compared with a number, a word is stored in an integer.",
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
    "A time zone never has summer time, or its sign is reversed: `EST`, `Etc/GMT-5`.",
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


@VALUE.message
def _no_such_zone(zone: str) -> Text:
    return f'No time zone is called "{zone}".', zone_meant(zone) or "Write a name such as Europe/Vienna."


@VALUE.message
def _crossed_digits(least: int) -> Text:
    return f'"maxDigits" is less than "minDigits" ({least}).', "Increase it."


@TYPE.message
def not_valid(value: str, variable: flow.Variable) -> Text:
    """Refuse a value that a variable cannot have."""
    return f'"{value}" is not valid for "{variable.name}".', what_fits(variable)


@TYPE.message
def _no_limits(key: str, type_: Type) -> Text:
    return f'"{key}" is not possible with type {type_}.', "Integer, decimal, date and time have limits."


@TYPE.message
def _no_values(type_: Type) -> Text:
    return f'"values" is not possible with type {type_}.', 'Use "min" and "max".'


@TYPE.message
def _no_format(type_: Type) -> Text:
    return f'"format" is not possible with type {type_}.', "It says how a date is keyed."


@TYPE.message
def _invalid_limit(limit: str, type_: Type) -> Text:
    return f'"{limit}" is not a valid {type_}.', f"Write it like {EXAMPLES[type_.name]}."


@TYPE.message
def _other_answer(variable: flow.Variable, answer: str) -> Text:
    return f'"{variable.name}" has type {variable.type}, but {answer} is stored here.', "Use another variable."


@TYPE.message
def _wrong_number_of_keys(type_: Type, needed: int, least: int, most: int) -> Text:
    return f"A {type_} needs {needed} keys, but {least} to {most} are accepted.", CORRECT_DIGITS


@TYPE.message
def _too_few_for(minimum: int, most: int) -> Text:
    return f"{minimum} or more cannot be keyed with {most} {'key' if most == 1 else 'keys'}.", CORRECT_DIGITS


@TYPE.message
def _only_for_speaking(filter_name: str, variable: flow.Variable, value: str) -> Text:
    advice = value or what_fits(variable)
    return f'"{filter_name}" makes words to be spoken, and none of them is valid for "{variable.name}".', advice


@TYPE.message
def _never_valid_with(piece: str, variable: flow.Variable) -> Text:
    return f'No text with "{piece}" in it is valid for "{variable.name}".', what_fits(variable)


@TYPE.message
def _other_type(variable: flow.Variable, given: Type) -> Text:
    advice = _TODAY if (given.name, variable.type.name) == ("datetime", "date") else ""
    return f'"{variable.name}" has type {variable.type}, but this is {given}.', advice


ANSWERS = {"menu": "the name of a choice", "digits": "a sequence of keys", "record": "a recording"}
CORRECT_DIGITS = 'Correct "minDigits" and "maxDigits".'
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
        return f"Possible values: {', '.join(variable.values)}."
    example = EXAMPLES.get(variable.type.name)
    shape = f", such as {example}" if example else ""
    limits = [f"at least {variable.minimum}"] if variable.minimum is not None else []
    limits += [f"at most {variable.maximum}"] if variable.maximum is not None else []
    return f"It has type {variable.type}{shape}{''.join(f', {limit}' for limit in limits)}."


_WORDS = frozenset({"date", "longDate", "weekday", "time", "datetime", "duration", "ordinal", "money"})
"Filters whose words are not a value of any type: `Tuesday`, `9:40 AM`, `third`."
_FIGURES = frozenset({"number", "digits", "spell", "telephone"})
"Filters that may give a number, perhaps of one digit, and nothing else that is a value."
_SIGNS = {
    "integer": "-0123456789",
    "decimal": "-.0123456789",
    "boolean": "truefalse",
    "date": "-0123456789",
    "time": ":0123456789",
    "datetime": " -+:.0123456789TZ",
}
"What a text can hold that is to become a value of a type."


def misfit(template: Template, given: Type, variable: flow.Variable, env: Env) -> Problem | None:
    """Return why no value of a text with expressions is valid for its variable; None: one may be."""
    if given.name != "text":
        return None if fits(given, variable.type) else _other_type(variable, given)
    results = list(_results(template.single.node)) if template.single else []
    spoken = [result for result in results if isinstance(result, tree.Filtered) and _never_fits(result, variable)]
    if spoken and len(spoken) == len(results):
        return _only_for_speaking(spoken[0].filter, variable, _value_for(spoken[0].of, variable, env))
    signs = _SIGNS.get(variable.type.name)
    strange = "".join(part for part in template.parts if isinstance(part, str) and signs is not None).strip(signs)
    if strange:
        return _never_valid_with(strange.strip() or strange, variable)
    return None


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
        # Stored, a weekday is in the caller's language: the values of the variable say in which.
        words = FILTERS[result.filter].yields
        return bool(words and variable.values) and not ALL_WEEKDAYS & set(variable.values)
    return result.filter in _WORDS or (result.filter in _FIGURES and type_ not in NUMBERS)


_TODAY = 'Write "{{ today }}" for the current date.'


def _value_for(node: tree.Node, variable: flow.Variable, env: Env) -> str:
    """Return what to write for a value that was turned into words; empty: that is not known."""
    path, type_ = tree.path(node), infer(Expression("", node), env)[0]
    if path == "now" and variable.type.name == "date":
        return 'The fact "today" is that date; delete the variable.' if variable.name == "today" else _TODAY
    return f'Write "{{{{ {path} }}}}".' if path and fits(type_, variable.type) else ""


ORDERED = frozenset({"integer", "decimal", "date", "time"})
KEYS_NEEDED = {"date": 8, "time": 4}


@TIME_ZONE.finder
def time_zone(document: Document) -> Iterator[Finding]:
    """Find a time zone that does not exist, and one that is not what it is called."""
    yield from zone_findings(document, document.model.time_zone, ("timeZone",))


def zone_findings(document: Document, zone: str | None, path: Path) -> Iterator[Finding]:
    """Find what is wrong with the name of a time zone, if one is written."""
    if zone is not None and zone_data(zone) is None:
        yield document.finding(_no_such_zone(zone), path)
    elif zone is not None and (sentence := never_summer(zone)):
        yield document.finding(TIME_ZONE.problem(sentence), path)


@TYPE.finder
def declared(document: Document) -> Iterator[Finding]:
    """Find defaults and limits that are not valid for their variable."""
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
            yield document.finding(not_valid(default, variable), (*path, "default"))


def _limits(document: Document, path: Path, written: Variable, type_: Type) -> Iterator[Finding]:
    for key, limit in (("min", written.min), ("max", written.max)):
        if limit is None:
            continue
        if type_.name not in ORDERED:
            yield document.finding(_no_limits(key, type_), (*path, key), key=True)
            continue
        try:
            coerce(limit, type_)
        except Misfit:
            yield document.finding(_invalid_limit(limit, type_), (*path, key))
    if written.values and type_.name != "text":
        yield document.finding(_no_values(type_), (*path, "values"), key=True)
    if written.format and type_.name != "date":
        yield document.finding(_no_format(type_), (*path, "format"), key=True)


@TYPE.finder
def kept(document: Document) -> Iterator[Finding]:
    """Find answers that their variable cannot store, or that cannot be keyed."""
    known = variables(document)
    types = {name: variable.type for name, variable in known.items()}
    for into in intos(document):
        variable = known[into.variable]
        if not document.source.has(into.path):
            continue
        item = item_type(into.listed(document), types) if into.choice is not None else ANY
        if not into.keeps(variable.type, item):
            called = into.asked.answer_called if into.choice is None else f"an item of type {item}"
            yield document.finding(_other_answer(variable, called), into.path)
        digits = document.model.states[into.state].keyed
        if digits and (problem := too_few_keys(digits, variable)):
            yield document.finding(problem, into.path)


def too_few_keys(digits: Digits, variable: flow.Variable) -> Problem | None:
    """Return why the keys that are accepted are never enough; None: they can be."""
    least, most = digits.min_digits, digits.max_digits
    needed = KEYS_NEEDED.get(variable.type.name)
    if needed and not least <= needed <= most:
        return _wrong_number_of_keys(variable.type, needed, least, most)
    if isinstance(variable.minimum, int) and variable.type.name == "integer" and variable.minimum >= 10**most:
        return _too_few_for(variable.minimum, most)
    return None


@VALUE.finder
def digits_range(document: Document) -> Iterator[Finding]:
    """Find a `maxDigits` under `minDigits` (C4)."""
    for name, state in document.states():
        digits = state.keyed
        if digits and digits.max_digits < digits.min_digits:
            yield document.finding(_crossed_digits(digits.min_digits), ("states", name, state.keyed_word, "maxDigits"))
