"""What the operators do with values. Closed and bounded: data is only looked up, and no result grows without end.

Values come from callers and services, so each is looked at before it is used (`admitted`). Error texts name kinds of
values, never a value.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

from ivr.engine.calendars import CalendarFacts
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.forms import spoken_here
from ivr.engine.expressions.forms.language_forms import LanguageForms
from ivr.engine.expressions.tree import Comparator, Operator
from ivr.engine.expressions.types import NUMBERS, RECORDING_FIELDS
from ivr.engine.values import MaskedValue, Recording, Value
from ivr.errors import ExpressionFailed, MaskedRead

MAX_TEXT = 10_000
"Characters of a text that an expression makes."
MAX_NUMBER = 10**18
"No number is above it, or below its negative."

_CONTEXT = Context(
    prec=28,
    rounding=ROUND_HALF_UP,
    Emin=-40,
    Emax=18,
    traps=[DivisionByZero, InvalidOperation, Overflow],
)
_KINDS: Mapping[type, str] = {
    type(None): "none",
    bool: "boolean",
    str: "text",
    int: "integer",
    Decimal: "decimal",
    date: "date",
    time: "time",
    datetime: "datetime",
    Recording: "recording",
    tuple: "list",
    list: "list",
    dict: "object",
}
_ORDERED = frozenset({"text", "number", "date", "time", "datetime"})
_COMPARABLE = _ORDERED | {"boolean"}
_PLAIN = frozenset({str, bool, type(None), date, datetime, time, Recording, tuple, dict})
"Classes whose values need no second look."
_ORDERS: Mapping[str, Callable[..., bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def kind(value: Value) -> str:
    """Return the type of a value as `types` does."""
    found = _KINDS.get(type(value))
    if found is None:
        found = "object" if isinstance(value, Mapping) else "list"
    return found


def admitted(value: object) -> Value:
    """Let a value from outside into an expression; raise MaskedRead, or ExpressionFailed for a number out of bounds."""
    if type(value) in _PLAIN:
        return value  # type: ignore[return-value]
    if isinstance(value, MaskedValue):
        raise MaskedRead("the trace does not hold this sensitive value")
    if isinstance(value, float):  # what JSON and speech engines have; its shortest form is what they meant
        value = Decimal(repr(value))
    if isinstance(value, int):
        return bounded(value)
    if isinstance(value, Decimal):
        return _cut(value)
    return value  # type: ignore[return-value]


def bounded(number: int | Decimal) -> int | Decimal:
    """Return a number that is not too large; raise ExpressionFailed."""
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        raise ExpressionFailed("a number out of bounds")
    if isinstance(number, Decimal) and not number:
        return number.copy_abs()  # nobody wants to hear "minus zero"
    return number


def _cut(number: Decimal) -> int | Decimal:
    """Return a decimal with at most the digits that the language calculates with; a million zeros are also digits."""
    try:
        cut = _CONTEXT.plus(number)
    except ArithmeticError:
        raise ExpressionFailed("a number out of bounds") from None
    if cut.is_nan():
        raise ExpressionFailed("not a number")
    return bounded(cut)


def limited(text: str) -> str:
    """Return a text that is not too long; raise ExpressionFailed."""
    if len(text) > MAX_TEXT:
        raise ExpressionFailed(f"a text of more than {MAX_TEXT} characters")
    return text


def truth(value: Value) -> bool:
    """Return whether a value counts as true: not `false`, `none`, empty text or an empty list. Each number does."""
    if value is None or value is False:
        return False
    return not isinstance(value, str | tuple | list) or len(value) > 0


# --- fields and items ------------------------------------------------------------------------------------------------


def field(value: Value, name: str) -> Value:
    """Look a field up in the data, never as an attribute; a field of `none`, and one that is not there, is `none`."""
    if isinstance(value, Mapping):
        return admitted(value.get(name))
    if value is None:
        return None
    if isinstance(value, Recording) and name in RECORDING_FIELDS:
        return admitted(getattr(value, name))
    raise WrongKind(f"a value of type {kind(value)} has no such field")


def item(value: Value, key: Value) -> Value:
    """Take an item of a list or a character of a text, counted from 0, or from -1 at the end; `none` past the end."""
    if value is None:
        return None
    if kind(value) not in {"list", "text"} or not isinstance(value, Sequence):
        raise WrongKind(f"a value of type {kind(value)} has no items")
    if type(key) is not int:
        raise WrongKind("an item is taken by an integer")
    return admitted(value[key]) if -len(value) <= key < len(value) else None


def open_days(value: Value, count: Value) -> Value:
    """Return the next so many open days of a calendar."""
    if not isinstance(value, CalendarFacts):
        raise WrongKind("only a calendar has open days")
    if type(count) is not int:
        raise WrongKind(f"a number of days is an integer, not {kind(count)}")
    return value.days(count)


# --- comparing -------------------------------------------------------------------------------------------------------


def compare(comparator: Comparator, left: Value, right: Value) -> bool:
    """Compare two values of one kind; raise WrongKind for two kinds, except that all can be equal to `none`."""
    match comparator:
        case "==":
            return equal(left, right)
        case "!=":
            return not equal(left, right)
        case "in":
            return member(left, right)
        case "not in":
            return not member(left, right)
        case _:
            return _ordered(comparator, left, right)


def equal(left: Value, right: Value) -> bool:
    """Return whether two values are equal; `none` is equal to itself alone."""
    if left is None or right is None:
        return left is right
    _same_kind(left, right, _COMPARABLE)
    return left == right


def member(value: Value, within: Value) -> bool:
    """Return whether a text is part of a text, or a value is an item of a list."""
    if isinstance(within, str):
        if isinstance(value, str):
            return value in within
        raise WrongKind(f"{kind(value)} cannot be part of text")
    if kind(within) == "list" and isinstance(within, Sequence):
        return any(equal(value, admitted(other)) for other in within)
    raise WrongKind(f"nothing can be in a value of type {kind(within)}")


def _ordered(comparator: str, left: Value, right: Value) -> bool:
    _same_kind(left, right, _ORDERED)
    try:
        return _ORDERS[comparator](left, right)
    except TypeError:
        raise ExpressionFailed("a datetime without an offset cannot be compared with one that has it") from None


def _same_kind(left: Value, right: Value, kinds: frozenset[str]) -> None:
    if type(left) is type(right) is str:
        return
    mine, other = (("number" if name in NUMBERS else name) for name in (kind(left), kind(right)))
    if mine != other or mine not in kinds:
        raise WrongKind(f"{mine} cannot be compared with {other}")


# --- numbers ---------------------------------------------------------------------------------------------------------


def calculate(sign: Operator, left: Value, right: Value) -> int | Decimal:
    """Combine two numbers.

    `/` gives a decimal, `//` the integer below; the others give an integer for two integers, else a decimal.
    """
    first, second = _number(left), _number(right)
    try:
        if isinstance(first, int) and isinstance(second, int) and sign != "/":
            return bounded(_INTEGERS[sign](first, second))
        return bounded(_DECIMALS[sign](first, second))
    except ArithmeticError:
        raise ExpressionFailed("a division by zero, or a number out of bounds") from None


def negative(value: Value) -> int | Decimal:
    """Return a number with its sign turned."""
    number = _number(value)
    return -number if isinstance(number, int) else _CONTEXT.minus(number)


def rounded(value: int | Decimal, places: int) -> Decimal:
    """Round half up, away from zero, to a number of decimal places."""
    return Decimal(bounded(_CONTEXT.quantize(Decimal(value), Decimal(1).scaleb(-places))))


def _number(value: Value) -> int | Decimal:
    if type(value) is int or type(value) is Decimal:
        return value
    raise WrongKind(f"a value of type {kind(value)} cannot be calculated with")


def _floor(left: int | Decimal, right: int | Decimal) -> int:
    # Towards minus infinity like the integers' own //; that of decimals cuts towards zero.
    whole, rest = _CONTEXT.divmod(Decimal(left), Decimal(right))
    return int(whole) - (1 if rest and (rest < 0) != (right < 0) else 0)


def _modulo(left: int | Decimal, right: int | Decimal) -> Decimal:
    rest = _CONTEXT.remainder(Decimal(left), Decimal(right))
    return _CONTEXT.add(rest, Decimal(right)) if rest and (rest < 0) != (right < 0) else rest


_INTEGERS: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_DECIMALS: Mapping[str, Callable[[int | Decimal, int | Decimal], int | Decimal]] = {
    "+": _CONTEXT.add,
    "-": _CONTEXT.subtract,
    "*": _CONTEXT.multiply,
    "/": _CONTEXT.divide,
    "//": _floor,
    "%": _modulo,
}


# --- text ------------------------------------------------------------------------------------------------------------


def spoken(value: Value, names: Mapping[str, Value]) -> str:
    """Return a value as it is spoken where no filter says otherwise, in the language of the call; `none` is empty."""
    if isinstance(value, str):
        return value
    if type(value) is Decimal:
        return spoken_here(names).plain(value)
    return written(value, names)


def written(value: Value, names: Mapping[str, Value]) -> str:
    """Return a value as a part of a text that may not be spoken: a number has its point in every language."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return _written(value, spoken_here(names))


def _written(value: Value, forms: LanguageForms) -> str:
    form = _FORMS.get(kind(value))
    if form is None:
        raise WrongKind(f"a value of type {kind(value)} has no spoken form")
    return form(forms, value)


def listed(forms: LanguageForms, items: Sequence[Value]) -> str:
    """Return a list as text: `a, b and c`."""
    return limited(forms.join([_inner(forms, admitted(entry)) for entry in items]))


def _inner(forms: LanguageForms, value: Value) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case Decimal():
            return forms.plain(value)
    if kind(value) == "list":
        raise WrongKind("a list inside a list has no spoken form")
    return _written(value, forms)


_FORMS: Mapping[str, Callable[..., str]] = {
    "boolean": lambda forms, value: forms.truth(value),
    "integer": lambda _, value: str(value),
    "decimal": lambda _, value: f"{value:f}",
    "date": lambda forms, value: forms.short_date(value),
    "time": lambda forms, value: forms.time_of_day(value),
    "datetime": lambda forms, value: forms.moment(value),
    "list": listed,
}
