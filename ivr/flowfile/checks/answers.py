"""Checks of what can be an answer at all: questions that no keys can answer, and values that cannot be keyed."""

from collections.abc import Iterator, Sequence
from datetime import time
from decimal import ROUND_CEILING, Decimal

from ivr.engine import flow
from ivr.engine.events import PHONE_KEYS
from ivr.engine.variables import before, within
from ivr.flowfile.actions.digits import Digits
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.variable_types import too_few_keys
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.model import Variable
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import into_of, variables

NO_ANSWER = Check(
    "no-answer",
    "both",
    "No keys are a valid answer, or an answer that should be possible is not.",
    group="Values",
    bad="""
variables: {amount: {type: integer, min: 10, max: 5}}
states:
  start:
    digits: {prompt: How many?, into: amount}
    next: told
  told: {say: "{{ amount }}.", next: bye}
""",
    good="""
variables: {amount: {type: integer, min: 5, max: 10}}
states:
  start:
    digits: {prompt: How many?, into: amount}
    next: told
  told: {say: "{{ amount }}.", next: bye}
""",
)


@NO_ANSWER.error
def _crossed_limits(least: str, most: str) -> Text:
    return f"No value is at least {least} and at most {most}.", SWAP_LIMITS


@NO_ANSWER.warning
def _crossed_limits_of_unasked(least: str, most: str) -> Text:
    # What no question stores can still keep its default.
    return f"No value is at least {least} and at most {most}.", SWAP_LIMITS


@NO_ANSWER.error
def _no_time(limits: str) -> Text:
    return f"No time of day is {limits}.", CORRECT_QUESTION


@NO_ANSWER.error
def _too_many_digits(keys: str) -> Text:
    return f"A number has at most {MOST_FIGURES} digits, but {keys} keys are required.", CORRECT_QUESTION


@NO_ANSWER.error
def _only_negative(most: str) -> Text:
    return f"Negative numbers cannot be keyed, and the maximum is {most}.", CORRECT_QUESTION


@NO_ANSWER.error
def _no_number(limits: str, most: int) -> Text:
    keys = "1 key" if most == 1 else f"{most} keys"
    return f"With {keys}, no number {limits} can be keyed.", CORRECT_QUESTION


@NO_ANSWER.error
def _no_keys_in_values(values: Sequence[str]) -> Text:
    return f"None of the values can be keyed: {_shortened(values)}.", CORRECT_QUESTION


@NO_ANSWER.error
def _values_too_long(values: Sequence[str], keys: str) -> Text:
    return f"None of the values can be keyed here with {keys} keys: {_shortened(values)}.", CORRECT_QUESTION


@NO_ANSWER.warning
def _ends_inside(keys: str, meaning: str) -> Text:
    return f'"{keys}" ends the input here, but is also {meaning}.', 'Use another terminator, such as "#".'


@NO_ANSWER.warning
def _empty_never_ends() -> Text:
    message = "An empty answer is not possible: no key ends the input."
    return message, 'Add "terminators", or increase "minDigits".'


@NO_ANSWER.warning
def _empty_rejected(variable: str) -> Text:
    message = f'An empty answer is rejected: "{variable}" needs a value.'
    return message, 'Declare it with "default: none", or increase "minDigits".'


@NO_ANSWER.warning
def _value_never_keyed(value: str) -> Text:
    return f'"{value}" can never be keyed: it has too many or too few keys, or contains a terminator.', ""


def _shortened(values: Sequence[str]) -> str:
    return ", ".join(f'"{text}"' for text in values[:3]) + (", …" if len(values) > 3 else "")


SWAP_LIMITS = 'Swap "min" and "max".'
CORRECT_QUESTION = 'Correct "minDigits" and "maxDigits", or what the variable accepts.'
MOST_FIGURES = 18
"Digits that a number can have."
_FIGURES = frozenset("0123456789")


@NO_ANSWER.finder
def no_answer(document: Document) -> Iterator[Finding]:
    """Find limits that leave nothing between them, and questions that no keys can answer."""
    known = variables(document)
    contrary = {name for name, variable in known.items() if _is_contrary(variable)}
    asked = {state.keyed.into for _, state in document.states() if state.keyed}
    for name in contrary:
        problem = _crossed_limits if name in asked else _crossed_limits_of_unasked
        limits = str(known[name].minimum), str(known[name].maximum)
        yield document.finding(problem(*limits), ("variables", name, "max"))
    for name, state in document.states():
        into = into_of(name, state)
        if state.keyed and into and into.variable in known and into.variable not in contrary:
            yield from _of_question(document, ("states", name, state.keyed_word), state.keyed, known[into.variable])


def _is_contrary(variable: flow.Variable) -> bool:
    least, most = variable.minimum, variable.maximum
    return least is not None and most is not None and before(most, least)


def _of_question(document: Document, path: Path, digits: Digits, variable: flow.Variable) -> Iterator[Finding]:
    place = (*path, "into") if document.source.has((*path, "into")) else path
    if not document.is_sound(*path) or too_few_keys(digits, variable):
        return  # the latter is the check `type`
    if problem := impossible(digits, variable):
        yield document.finding(problem, place)
        return
    yield from _terminators(document, path, digits, variable)
    yield from _empty(document, path, digits, variable)


def _terminators(document: Document, path: Path, digits: Digits, variable: flow.Variable) -> Iterator[Finding]:
    """Find keys that end the input and are part of what is asked for."""
    type_ = variable.type.name
    parts = _FIGURES if type_ in {"integer", "decimal", "date", "time"} else frozenset[str]()
    parts |= {"*"} if type_ == "decimal" else frozenset()
    inside = "".join(key for key in digits.terminators if key in parts)
    if inside:
        meaning = "the decimal point" if inside == "*" and type_ == "decimal" else "part of an answer"
        place = (*path, "terminators") if document.source.has((*path, "terminators")) else path
        yield document.finding(_ends_inside(inside, meaning), place)


def _empty(document: Document, path: Path, digits: Digits, variable: flow.Variable) -> Iterator[Finding]:
    """Find an empty answer that is allowed by its length and never accepted."""
    if digits.min_digits > 0:
        return
    place = (*path, "minDigits")
    if not digits.terminators:
        yield document.finding(_empty_never_ends(), place)
    elif not _accepts_nothing(variable):
        yield document.finding(_empty_rejected(variable.name), place)


def _accepts_nothing(variable: flow.Variable) -> bool:
    return variable.type.optional or (variable.type.name == "text" and (not variable.values or "" in variable.values))


# --- what can be keyed -----------------------------------------------------------------------------------------------


def impossible(digits: Digits, variable: flow.Variable) -> Problem | None:
    """Return why no keys at all can be an answer; None: some can."""
    name = variable.type.name
    if name == "time" and not any(within(time(minute // 60, minute % 60), variable) for minute in range(1440)):
        return _no_time(_limits(variable))
    if name in {"integer", "decimal"}:
        return _impossible_number(digits, variable)
    if name == "text" and variable.values and not any(can_be_keyed(text, digits) for text in variable.values):
        return _impossible_text(digits, variable)
    return None


def _impossible_number(digits: Digits, variable: flow.Variable) -> Problem | None:
    least, most = digits.min_digits, digits.max_digits
    is_decimal = variable.type.name == "decimal"
    if not is_decimal and least > MOST_FIGURES:
        return _too_many_digits(_span(least, most))
    if isinstance(variable.maximum, int | Decimal) and variable.maximum < 0:
        return _only_negative(str(variable.maximum))
    places = range(most) if is_decimal and "*" not in digits.terminators else range(1)
    lowest = max(Decimal(0), Decimal(variable.minimum) if isinstance(variable.minimum, int | Decimal) else Decimal(0))
    if any(_has_number(lowest, variable, most, behind) for behind in places):
        return None
    return _no_number(_limits(variable), most)


def _has_number(lowest: Decimal, variable: flow.Variable, most: int, places: int) -> bool:
    """Return whether a number with so many places after the point is in the range and has few enough keys."""
    step = Decimal(1).scaleb(-places)
    first = (lowest / step).to_integral_value(ROUND_CEILING) * step
    whole = int(first)
    keys = (len(str(whole)) if whole or not places else 0) + (1 + places if places else 0)
    return keys <= most and within(first, variable)


def can_be_keyed(text: str, digits: Digits) -> bool:
    """Return whether a text can be an answer, as far as its keys go."""
    keys = PHONE_KEYS - frozenset(digits.terminators)
    return digits.min_digits <= len(text) <= digits.max_digits and keys.issuperset(text)


def _impossible_text(digits: Digits, variable: flow.Variable) -> Problem:
    if not any(PHONE_KEYS.issuperset(text) for text in variable.values):
        return _no_keys_in_values(variable.values)
    return _values_too_long(variable.values, _span(digits.min_digits, digits.max_digits))


def _span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _limits(variable: flow.Variable) -> str:
    limits = [f"of at least {variable.minimum}"] if variable.minimum is not None else []
    limits += [f"of at most {variable.maximum}"] if variable.maximum is not None else []
    return " and ".join(limits)


@NO_ANSWER.finder
def never_keyed(document: Document) -> Iterator[Finding]:
    """Find values of a variable that none of its questions accepts, and that nothing else stores."""
    asked: dict[str, list[Digits]] = {}
    for _, state in document.states():
        if state.keyed and state.keyed.into:
            asked.setdefault(state.keyed.into, []).append(state.keyed)
    given = {(use.variable, use.text) for use in uses(document) if use.role == "value"}
    for name, several in asked.items() if not document.damaged else ():
        written = document.model.variables.get(name, Variable.model_validate({}))
        values = written.values or []
        taken = [text for text in values if any(can_be_keyed(text, digits) for digits in several)]
        for number, text in enumerate(values) if taken else ():
            is_keys = PHONE_KEYS.issuperset(text) and text not in taken
            is_given = (name, text) in given or document.may_be_given(name)
            if is_keys and not is_given and text != written.default:
                yield document.finding(_value_never_keyed(text), ("variables", name, "values", number))
