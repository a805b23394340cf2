"""What fits a variable: its type, its range, its allowed values (LANGUAGE C10)."""

from datetime import date, time
from decimal import Decimal

from ivr.engine.expressions.convert import Misfit, coerce, from_keys
from ivr.engine.flow import Variable
from ivr.engine.values import MaskedValue, Value

__all__ = ["Misfit", "before", "fit", "fit_keys", "within"]


def fit(value: Value, variable: Variable) -> Value:
    """Return the value as the variable's type; raise Misfit where it is none. `none` and masked values always fit."""
    if value is None or isinstance(value, MaskedValue):
        return value
    return _ranged(coerce(value, variable.type, variable.format), variable)


def fit_keys(keys: str, variable: Variable) -> Value:
    """Return keys as the variable's type (a `decimal` reads `*` as the point); raise Misfit where they are none.

    No keys at all are `none` where the variable may be none; to a plain text they are the empty text.
    """
    if not keys and variable.type.optional and (variable.type.name != "text" or variable.values):
        return None
    return _ranged(from_keys(keys, variable.type, variable.format), variable)


def _ranged(value: Value, variable: Variable) -> Value:
    if variable.values and value not in variable.values:
        raise Misfit("not one of the allowed values")
    if not within(value, variable):
        raise Misfit("too small or too large")
    return value


def within(value: Value, variable: Variable) -> bool:
    """Return whether a value of a variable's type lies between its limits."""
    too_small = variable.minimum is not None and before(value, variable.minimum)
    return not too_small and not (variable.maximum is not None and before(variable.maximum, value))


def before(left: Value, right: Value) -> bool:
    """Return whether a value is less than another one of its type; values that have no order are not."""
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return left < right
    if isinstance(left, date) and isinstance(right, date):
        return left < right
    return isinstance(left, time) and isinstance(right, time) and left < right
