"""Cut a source into tokens with Jinja2's lexer, each with the place where it stands.

Jinja2 keeps line numbers only, so a token's line number is replaced by its offset: whatever the parser makes of it
then knows its place. Sources are bounded here, before anything recursive sees them.
"""

import re
from decimal import Decimal
from typing import Any, Final, NoReturn

from jinja2 import Environment, TemplateSyntaxError
from jinja2.lexer import Token, operators

from ivr.engine.expressions import tree
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.naming import is_name, normal

JINJA: Final = Environment(autoescape=True)
"Lends its lexer and its parser; nothing is ever rendered with it."

MAX_TOKENS = 200
MAX_NESTING = 20
"Brackets inside brackets; each costs the parser a dozen frames."
MAX_DIGITS = 18

_HINTS = {
    "=": 'To compare, write "==".',
    "&": 'Write "and".',
    "|": 'Write "or".',
    "!": 'Write "not".',
    "?": 'Write "a if b else c".',
}
_OTHER_UNITS = {
    **dict.fromkeys(("month", "months", "year", "years"), "Months differ in length: write weeks or days."),
    **dict.fromkeys(("second", "seconds"), "Write minutes."),
    "d": 'Write "days".',
    "w": 'Write "weeks".',
    "h": 'Write "hours".',
    "m": 'Write "minutes".',
}
"Hints for words after a number, which look like units of time."
_CAPITALS = {"None": "none", "True": "true", "False": "false"}
RESERVED = frozenset({"and", "or", "not", "if", "else", "in", "is"})
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}


class Tokens:
    """The tokens of one expression, without white space."""

    def __init__(self, source: str, start: int, *, inside: bool) -> None:
        """Read from `start` to the end of the source, or, if `inside`, to the `}}` that closes it."""
        self.start = start
        self.items: list[Token] = []
        self._lengths: dict[int, int] = {}
        self._depth = 0
        self.units: set[int] = set()
        "Where a word counts time."
        self.end = self._read(source, inside=inside)
        "Where the expression ends; for one inside braces the place after them."

    def length(self, offset: int) -> int:
        """Return the length of the token that stands at an offset."""
        return self._lengths.get(offset, 1)

    def after(self, offset: int) -> Token:
        """Return the token that follows the one at an offset."""
        return next(token for token in self.items if token.lineno > offset)

    def unexpected(self, offset: int, text: str) -> ExpressionError:
        """Make the error for a token that has no business where it stands."""
        before = [token.type for token in self.items if token.lineno < offset]
        hint = _OTHER_UNITS.get(text, "") if before[-1:] == ["integer"] else _HINTS.get(text, "")
        return ExpressionError("expression", f'"{text}" is not expected here.', offset, max(1, len(text)), hint)

    def unfinished(self) -> ExpressionError:
        """Make the error for an expression that ends too early."""
        if not self.items:
            return ExpressionError("expression", "The expression is empty.", self.start, 1)
        last = self.items[-1].lineno
        return ExpressionError("expression", "The expression is not finished.", last, self.length(last))

    def _read(self, source: str, *, inside: bool) -> int:
        at = self.start
        try:
            for _, kind, text in JINJA.lexer.tokeniter(source[at:], None, None, "variable"):
                if kind == "variable_end":
                    if inside and text == "}}":
                        return at + 2
                    raise self.unexpected(at, text.strip())
                if kind != "whitespace":
                    self._add(at, kind, text)
                at += len(text)
        except TemplateSyntaxError as exc:
            raise self._unreadable(source, at) from exc
        if inside:
            raise ExpressionError("expression", 'This "{{" is never closed.', self.start - 2, 2)
        return at

    def _unreadable(self, source: str, at: int) -> ExpressionError:
        if source[at] in "'\"":
            return ExpressionError("expression", "The text has no closing quote.", at, 1)
        return self.unexpected(at, source[at])

    def _add(self, at: int, kind: str, text: str) -> None:
        if len(self.items) >= MAX_TOKENS:
            self._refuse(f"The expression is too long: more than {MAX_TOKENS} words and signs.", at, text)
        self._depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"})
        if self._depth > MAX_NESTING:
            self._refuse(f"More than {MAX_NESTING} brackets inside each other.", at, text)
        if text in tree.UNITS and self._counts():
            # A filter to Jinja2, which binds as tightly as a unit should: `now + 30 | days`.
            self.units.add(at)
            self.items.append(Token(at, "pipe", "|"))
        self._lengths[at] = len(text)
        self.items.append(Token(at, *self._value(at, kind, text)))
        if text == "none" and self._tests_for_none():
            # Jinja2 would take the next word for the test's argument: `x is none if y else z`.
            self.items += [Token(at, "lparen", "("), Token(at, "rparen", ")")]

    def _counts(self) -> bool:
        """Return whether what stands before can be a number; two words side by side mean nothing else."""
        last = self.items[-1] if self.items else None
        if last is None:
            return False
        return last.type in {"integer", "float", "rparen", "rbracket"} or (
            last.type == "name" and last.value not in RESERVED
        )

    def _tests_for_none(self) -> bool:
        words = [token.value for token in self.items[-3:-1]]
        return words[-1:] == ["is"] or words == ["is", "not"]

    def _value(self, at: int, kind: str, text: str) -> tuple[str, Any]:
        """Return a token its kind and its value as Jinja2's parser wants them."""
        match kind:
            case "operator":
                return operators[text], text
            case "string":
                return kind, normal(_ESCAPE.sub(lambda escape: self._unescaped(escape, at), text[1:-1]))
            case "integer" | "float":
                return kind, self._number(at, text)
            case _:
                return kind, self._word(at, text)

    def _word(self, at: int, text: str) -> str:
        if text in _CAPITALS:
            self._refuse(f'"{text}" is not part of the language.', at, text, f'Write "{_CAPITALS[text]}".')
        if not is_name(text):
            self._refuse(f'"{text}" is not a name: write a letter, then letters, digits or "_".', at, text)
        return normal(text)

    def _number(self, at: int, text: str) -> int | Decimal:
        if not _NUMBER.fullmatch(text):
            self._refuse(f'"{text}" is not a number: write digits, with at most one point between them.', at, text)
        if len(text.replace(".", "")) > MAX_DIGITS:
            self._refuse(f"A number has at most {MAX_DIGITS} digits.", at, text)
        return Decimal(text) if "." in text else int(text)

    def _unescaped(self, escape: re.Match[str], at: int) -> str:
        if escape[1] not in _ESCAPES:
            self._refuse(
                f'The text contains "{escape[0]}".', at + 1 + escape.start(), escape[0], r'Write "\\" for "\".'
            )
        return _ESCAPES[escape[1]]

    def _refuse(self, message: str, at: int, text: str, suggestion: str = "") -> NoReturn:
        raise ExpressionError("expression", message, at, len(text), suggestion)
