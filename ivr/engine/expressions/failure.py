"""What can be wrong with an expression: before any call (`ExpressionError`), and in spite of all checks in one."""

from typing import Literal, TypeAlias

from ivr.errors import ExpressionFailed, IvrError

Code: TypeAlias = Literal["expression", "statement", "filter", "undefined", "may-be-null", "type"]


class ExpressionError(IvrError):
    """A mistake in an expression, found without running it.

    `offset` and `length` are characters in the source as it was given; `suggestion` is a sentence or empty; `meant` is
    the one word that must have been meant in this place, if there is one.
    """

    def __init__(
        self, code: Code, message: str, offset: int, length: int, suggestion: str = "", *, meant: str | None = None
    ) -> None:
        super().__init__(f"{message} {suggestion}".strip())
        self.code = code
        self.message = message
        self.offset = offset
        self.length = length
        self.suggestion = suggestion
        self.meant = meant


class WrongKind(ExpressionFailed):
    """A value is of a kind that is no use here; what `check` accepts never raises this."""
