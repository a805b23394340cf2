"""What fits a variable, and what never does, in words for its author."""

from collections.abc import Iterator

from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.types import NUMBERS, Type, fits
from ivr.engine.expressions.words import ComparisonMistake
from ivr.engine.flow import Variable
from ivr.flowfile.checks.names import Env

EXAMPLES = {
    "integer": "12",
    "decimal": "12.5",
    "boolean": "true or false",
    "date": "2026-11-24",
    "time": "09:40",
    "datetime": "2026-11-24T09:40+01:00",
}
"How a value is written, by the name of its type."


def what_fits(variable: Variable) -> str:
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


def misfit(template: Template, given: Type, variable: Variable, env: Env) -> ComparisonMistake | None:
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


def _other_type(given: Type, variable: Variable) -> ComparisonMistake:
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


def _never_fits(result: tree.Filtered, variable: Variable) -> bool:
    type_ = variable.type.name
    if type_ == "text":
        words = FILTERS[result.filter].yields
        return bool(words and variable.values) and not set(words) & set(variable.values)
    return result.filter in _WORDS or (result.filter in _FIGURES and type_ not in NUMBERS)


_TODAY = 'Write "{{ today }}" for the day it is.'


def _value_for(node: tree.Node, variable: Variable, env: Env) -> str:
    """Return what to write for a value that was made words of; empty: there is no telling."""
    path, type_ = tree.path(node), infer(Expression("", node), env)[0]
    if path == "now" and variable.type.name == "date":
        return 'The fact "today" is that day; delete the variable.' if variable.name == "today" else _TODAY
    return f'Write "{{{{ {path} }}}}".' if path and fits(type_, variable.type) else ""
