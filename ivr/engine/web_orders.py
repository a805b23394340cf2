"""What an order to the service `http` is made of: what the action that gives it and the service must agree about.

*Secrets.* An order names them only: `MARK name MARK` stands where the service puts the value in.

*Shapes* of what a web service answers (`returns`) stand as text in an order, and are held against the answer. Strict,
with what JSON has no word for: a date is ISO 8601 text, a decimal a number or text of digits. What does not fit is no
value of the flow: `error.http.body`.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import json

from ivr.engine.expressions.convert import Misfit, coerce, iso_date, iso_datetime, iso_time
from ivr.engine.expressions.operations import MAX_NUMBER
from ivr.engine.expressions.types import Type
from ivr.engine.values import Value
from ivr.errors import IvrError

HTTP: Final = "http"
"""The service that asks other services. Its arguments: `method`, `url`, `timeout` (seconds for one try), `retries`,
`expect`, and, where written, `query`, `headers`, `json` (the body as text), `form`, `returns` (`shape_text`) and
`signIn`: the name of the sign-in whose token is added."""
MARK: Final = "\0"
"Stands before and behind the name of a secret."
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"Seconds before each retry, unless the service asks for another pause."

_FRACTION = re.compile(r"(?<=:[0-9]{2})\.[0-9]{1,9}(?=Z|[+-]|$)")
"Of a second, as many services write it; the language has none."


def expected(status: int, patterns: Sequence[str]) -> bool:
    """Return whether a status is among `200`, `2xx`, …."""
    written = str(status)
    return any(pattern in {written, f"{written[0]}xx"} for pattern in patterns)


# --- shapes ----------------------------------------------------------------------------------------------------------


class Misshapen(IvrError):
    """An answer of another shape. The text names members and types, never a value."""


def shape_text(type_: Type) -> str:
    """Write a shape as an order holds it: JSON, with the names of types for values and `?` after what may be none."""
    return json.encode(_shape(type_)).decode()


def _shape(type_: Type) -> Any:
    if type_.name == "list":
        return [_shape(type_.item) if type_.item else "any"]
    if type_.name == "object":
        return {f"{name}?" if field.optional else name: _shape(field) for name, field in type_.fields.items()}
    return type_.name


def only_named(body: Any, shape: Any) -> Any:
    """Return of a JSON value what a shape (the value of `shape_text`) names: nothing else of it is to be stored."""
    if isinstance(shape, Mapping) and isinstance(body, dict):
        names = {str(name).removesuffix("?"): inner for name, inner in shape.items()}
        return {name: only_named(body[name], inner) for name, inner in names.items() if name in body}
    if isinstance(shape, list | tuple) and isinstance(body, list):
        return [only_named(item, shape[0]) for item in body]
    # What has members where none are named is of another shape, whatever stands in it.
    return body if not isinstance(body, dict | list) else type(body)()


def shaped(body: Any, type_: Type, where: str = "the body") -> Value:
    """Return a JSON value as a type; raise Misshapen."""
    if body is None:
        if type_.optional:
            return None
        raise Misshapen(f"{where} has no value")
    match type_.name, body:
        case "list", list():
            return tuple(shaped(item, type_.item, f"an item of {where}") if type_.item else item for item in body)
        case "object", dict():
            return {
                name: shaped(body.get(name), field, f'"{name}"' if where == "the body" else f'"{name}" in {where}')
                for name, field in type_.fields.items()
            }
        case "text", str():
            return body
        case "boolean", bool():
            return body
    try:
        value = _number(type_, body) if isinstance(body, int | float) else _of_text(type_, body)
    except Misfit:
        value = None
    if value is None:
        raise Misshapen(f"{where} is not of type {type_}")
    return value


def _number(type_: Type, body: float) -> Value:
    """Read a number; None: it is none, or one that the language does not calculate with."""
    if isinstance(body, bool) or not -MAX_NUMBER < body < MAX_NUMBER:
        return None
    if type_.name == "decimal":
        return Decimal(repr(body))  # of a float, its shortest form is what was sent
    return int(body) if type_.name == "integer" and body == int(body) else None


def _of_text(type_: Type, body: Any) -> Value:
    if not isinstance(body, str):
        return None
    match type_.name:
        case "integer" | "decimal":
            return coerce(body, type_)
        case "date":
            return iso_date(body)
        case "time":
            return iso_time(_FRACTION.sub("", body))
        case "datetime":
            moment = iso_datetime(_FRACTION.sub("", body))
            return moment if moment.tzinfo else None
    return None
