"""Addresses on the web with values in them: whatever a value holds, it leads to no other place than its author wrote.

A caller and a service can put anything into a value. Between the slashes of an address it is one piece; `..` in it
would take away the piece before it, also where a server reads `%2F` as a slash.
"""

import re
from datetime import date, time
from decimal import Decimal
from urllib.parse import quote

from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.operations import kind
from ivr.engine.scope import Scope
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

_SLASH = re.compile(r"/|\\|%2F|%5C", re.IGNORECASE)
"What a server may read as one; some do so before they look for dots."


def written_address(address: Template, scope: Scope) -> str:
    """Make an address; a value in it is no more than a piece between its slashes. Raise ExpressionFailed."""
    made = "".join(
        part if isinstance(part, str) else quote(plain(part.value(scope)), safe="") for part in address.parts
    )
    if any(piece in {".", ".."} for piece in _SLASH.split(made.partition("?")[0])):
        raise ExpressionFailed("a value makes another address of the url", line=address.line)
    return made


def plain(value: Value) -> str:
    """Write a value for a machine: a date as ISO 8601, a decimal in digits; none is empty. Raise WrongKind."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case date() | time():  # a datetime is a date
            return value.isoformat()
    raise WrongKind(f"a value of type {kind(value)} cannot be sent here")
