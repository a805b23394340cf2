"""Read expressions and templates with Jinja2's parser; what is not on the list of this page is refused (LANGUAGE C11).

The only page that knows Jinja2's nodes. They are translated to those of `tree`, so a node that nobody thought of cannot
slip through to the evaluator.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard, cast

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from ivr.engine.expressions import tree
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.lexer import JINJA, RESERVED, Tokens
from ivr.engine.naming import USER
from ivr.nearest import did_you_mean, only_near

MAX_SOURCE = 10_000
"Characters of a template; longer ones are no spoken text any more."

_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_COMPARATORS: Mapping[str, tree.Comparator] = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}


def parse_expression(source: str) -> tree.Node:
    """Read a bare expression, as in `guard`; raise ExpressionError."""
    source = _checked(source)
    if source.lstrip().startswith("{{"):
        at = source.index("{{")
        raise ExpressionError(
            "expression", 'This is an expression already, without "{{ }}".', at, 2, "Delete the braces."
        )
    return _parse(Tokens(source, 0, inside=False))


def parse_template(source: str) -> Iterator[tuple[int, str | tree.Node]]:
    """Read a text with expressions in `{{ }}`: its parts in order, each with its offset; raise ExpressionError."""
    source = _checked(source)
    at = 0
    while at < len(source):
        brace = source.find("{{", at)
        end = len(source) if brace < 0 else brace
        _refuse_statement(source, at, end)
        if end > at:
            yield at, source[at:end]
        at = end
        if brace >= 0:
            tokens = Tokens(source, brace + 2, inside=True)
            yield at, _parse(tokens)
            at = tokens.end


def _refuse_statement(source: str, start: int, end: int) -> None:
    opened = source.find("{%", start, end)
    closed = source.find("%}", opened + 2)
    if opened >= 0 and closed >= 0:  # either alone is text
        message, hint = "Statements are not supported.", "Use guards and branches."
        raise ExpressionError("statement", message, opened, closed + 2 - opened, hint)


def _checked(source: str) -> str:
    if len(source) > MAX_SOURCE:
        raise ExpressionError("expression", f"The text is longer than {MAX_SOURCE} characters.", 0, 1)
    if found := _UNSPEAKABLE.search(source):
        raise ExpressionError("expression", f"The text contains the character {found[0]!a}.", found.start(), 1)
    return source.replace("\r", " ")  # Jinja2 would make one character of "\r\n", and move all that follows


def _parse(tokens: Tokens) -> tree.Node:
    parser = Parser(JINJA, "", state="variable")
    parser.stream = TokenStream(iter(tokens.items), None, None)
    try:
        node = parser.parse_expression()
    except TemplateSyntaxError as exc:
        if parser.stream.current.type == "eof":
            raise tokens.unfinished() from exc
        raise tokens.unexpected(parser.stream.current.lineno, str(parser.stream.current.value)) from exc
    if parser.stream.current.type != "eof":
        raise tokens.unexpected(parser.stream.current.lineno, str(parser.stream.current.value))
    return _Translator(tokens).translate(node)


class _Translator:
    """Make our nodes of Jinja2's. A node's `lineno` is its token's offset (see `lexer`)."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def translate(self, node: nodes.Node) -> tree.Node:
        """Translate a node and all below it; raise ExpressionError for what the language does not have."""
        rule = _RULES.get(type(node))
        if rule is None:
            raise self.refused(node, _REFUSALS.get(type(node), "This is not part of the language."))
        return rule(self, node)

    def refused(self, node: nodes.Node, message: str, suggestion: str = "") -> ExpressionError:
        return ExpressionError("expression", message, node.lineno, self._tokens.length(node.lineno), suggestion)

    def constant(self, node: nodes.Const) -> tree.Node:
        return tree.Constant(node.lineno, node.lineno + self._tokens.length(node.lineno), node.value)

    def name(self, node: nodes.Name) -> tree.Node:
        if node.name in RESERVED:
            raise self._tokens.unexpected(node.lineno, node.name)
        return tree.Name(node.lineno, node.lineno + self._tokens.length(node.lineno), node.name)

    def field(self, node: nodes.Getattr) -> tree.Node:
        of = self._holder(node)
        attribute = self._tokens.after(node.lineno).lineno
        return _field(of.start, attribute + self._tokens.length(attribute), of, node.attr)

    def index(self, node: nodes.Getitem) -> tree.Node:
        of = self._holder(node)
        key = self.translate(node.arg)
        if isinstance(key, tree.Constant) and isinstance(key.value, str):
            return _field(of.start, key.end, of, key.value)
        return tree.Index(of.start, key.end, of, key)

    def _holder(self, node: nodes.Getattr | nodes.Getitem) -> tree.Node:
        of = self.translate(node.node)
        if not isinstance(of, tree.Name | tree.Field | tree.Index | tree.Filtered | tree.OpenDays):
            raise self.refused(node, "Only a name, or a field or an item of one, has fields and items.")
        return of

    def negative(self, node: nodes.Neg) -> tree.Node:
        of = self.translate(node.node)
        return tree.Negative(node.lineno, of.end, of)

    def negation(self, node: nodes.Not) -> tree.Node:
        of = self.translate(node.node)
        return tree.Negation(min(node.lineno, of.start), of.end, of)

    def both(self, node: nodes.And) -> tree.Node:
        left, right = self.translate(node.left), self.translate(node.right)
        return tree.Both(left.start, right.end, left, right)

    def either(self, node: nodes.Or) -> tree.Node:
        left, right = self.translate(node.left), self.translate(node.right)
        return tree.Either(left.start, right.end, left, right)

    def comparison(self, node: nodes.Compare) -> tree.Node:
        first = self.translate(node.expr)
        rest = tuple(self._compared(operand, is_last=operand is node.ops[-1]) for operand in node.ops)
        return tree.Comparison(first.start, rest[-1].end, first, rest)

    def _compared(self, operand: nodes.Operand, *, is_last: bool) -> tree.Compared:
        if is_last and operand.op in {"in", "notin"} and isinstance(operand.expr, nodes.List):
            value: tree.Node = self._listed(operand.expr)
        else:
            value = self.translate(operand.expr)
        return tree.Compared(value.start, value.end, _COMPARATORS[operand.op], value)

    def _listed(self, node: nodes.List) -> tree.Node:
        if not node.items:
            raise self.refused(node, "The list is empty.", "Write what can be in it.")
        items = tuple(self.translate(item) for item in node.items)
        return tree.Listed(node.lineno, items[-1].end + 1, items)

    def arithmetic(self, node: nodes.BinExpr) -> tree.Node:
        if isinstance(node, nodes.Add | nodes.Sub) and self._counts_time(node.right):
            count, unit = self.translate(cast("nodes.Expr", node.right.node)), tree.UNITS[node.right.name]
            of, end = self.translate(node.left), node.right.lineno + len(node.right.name)
            return tree.Moved(of.start, end, of, 1 if isinstance(node, nodes.Add) else -1, count, unit)
        left, right = self.translate(node.left), self.translate(node.right)
        return tree.Arithmetic(left.start, right.end, cast("tree.Operator", node.operator), left, right)

    def _counts_time(self, node: nodes.Expr) -> TypeGuard[nodes.Filter]:
        return isinstance(node, nodes.Filter) and node.lineno in self._tokens.units

    def joined(self, node: nodes.Concat) -> tree.Node:
        parts = tuple(self.translate(part) for part in node.nodes)
        return tree.Joined(parts[0].start, parts[-1].end, parts)

    def conditional(self, node: nodes.CondExpr) -> tree.Node:
        if node.expr2 is None:
            raise self.refused(node, '"if" needs an "else" here.')
        then, test, otherwise = (self.translate(part) for part in (node.expr1, node.test, node.expr2))
        return tree.Conditional(then.start, otherwise.end, then, test, otherwise)

    def is_none(self, node: nodes.Test) -> tree.Node:
        if node.name != "none":
            raise self.refused(node, f'Unknown test "is {node.name}".', 'Write "is none" or "is not none".')
        of = self.translate(node.node)
        word = self._tokens.after(node.lineno)
        none = self._tokens.after(word.lineno) if word.value == "not" else word
        return tree.IsNone(of.start, none.lineno + len("none"), of)

    def filtered(self, node: nodes.Filter) -> tree.Node:
        if self._counts_time(node):
            message = f'"{node.name}" can only follow "+" or "-".'
            raise self.refused(node, message, f'Write, for example, "now + 2 {node.name}".')
        if node.node is not None and self._counts_time(node.node):
            message = f'"{node.name}" would be applied before the sum.'
            raise self.refused(node, message, f'Write "(… + … {node.node.name}) | {node.name}".')
        filter_ = FILTERS.get(node.name)
        if filter_ is None:
            hint, meant = did_you_mean(node.name, FILTERS), only_near(node.name, FILTERS)
            message = f'Unknown filter "{node.name}".'
            raise ExpressionError("filter", message, node.lineno, len(node.name), hint, meant=meant)
        arguments = _arguments(node)
        if arguments is None or not filter_.arguments.accepts(arguments):
            message = f'The filter "{node.name}" takes {filter_.arguments.usage}.'
            raise ExpressionError("filter", message, node.lineno, len(node.name))
        of = self.translate(cast("nodes.Expr", node.node))
        return tree.Filtered(of.start, node.lineno + len(node.name), of, node.name, node.lineno, arguments)

    def call(self, node: nodes.Call) -> tree.Node:
        if isinstance(node.node, nodes.Getattr) and node.node.attr == "days":
            return self._open_days(node, node.node)
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        hint = f'Write "… | {name}".' if name in FILTERS else ""
        raise self.refused(node, "Functions cannot be called.", hint)

    def _open_days(self, node: nodes.Call, days: nodes.Getattr) -> tree.Node:
        of = self._holder(days)
        if len(node.args) != 1 or _has_more(node):
            raise self.refused(node, '"days" takes one number.', 'Write, for example, "days(5)".')
        count = self.translate(node.args[0])
        return tree.OpenDays(of.start, count.end + 1, of, count)


def _field(start: int, end: int, of: tree.Node, name: str) -> tree.Node:
    """Return a field of a value; of the caller, each is a variable of its own."""
    if isinstance(of, tree.Name) and of.name == USER:
        return tree.Name(start, end, f"{USER}.{name}")
    return tree.Field(start, end, of, name)


def _has_more(node: nodes.Call) -> bool:
    return bool(node.kwargs or node.dyn_args or node.dyn_kwargs)


def _arguments(node: nodes.Filter) -> tuple[tree.Argument, ...] | None:
    """Return what stands in the brackets, as long as it is all written out; None: something else stands there."""
    found: list[tree.Argument] = []
    for argument in (*node.args, *node.kwargs):
        value = argument.value if isinstance(argument, nodes.Keyword) else argument
        if not isinstance(value, nodes.Const) or type(value.value) not in {int, str}:
            return None
        found.append((argument.key, str(value.value)) if isinstance(argument, nodes.Keyword) else value.value)
    is_open = node.dyn_args is not None or node.dyn_kwargs is not None
    return None if is_open else tuple(found)


_Rule: TypeAlias = Callable[[_Translator, Any], tree.Node]
_RULES: Mapping[type[nodes.Node], _Rule] = {
    nodes.Const: _Translator.constant,
    nodes.Name: _Translator.name,
    nodes.Getattr: _Translator.field,
    nodes.Getitem: _Translator.index,
    nodes.Neg: _Translator.negative,
    nodes.Not: _Translator.negation,
    nodes.And: _Translator.both,
    nodes.Or: _Translator.either,
    nodes.Compare: _Translator.comparison,
    nodes.Add: _Translator.arithmetic,
    nodes.Sub: _Translator.arithmetic,
    nodes.Mul: _Translator.arithmetic,
    nodes.Div: _Translator.arithmetic,
    nodes.FloorDiv: _Translator.arithmetic,
    nodes.Mod: _Translator.arithmetic,
    nodes.Concat: _Translator.joined,
    nodes.CondExpr: _Translator.conditional,
    nodes.Test: _Translator.is_none,
    nodes.Filter: _Translator.filtered,
    nodes.Call: _Translator.call,
}
_REFUSALS: Mapping[type[nodes.Node], str] = {
    nodes.Pow: "Powers are not supported.",
    nodes.Pos: 'A number must not have "+" before it.',
    nodes.List: 'A list is only possible after "in".',
    nodes.Tuple: 'A list is written in [ ], and is only possible after "in".',
    nodes.Dict: "An object cannot be written here.",
    nodes.Slice: "Only one item can be taken.",
}
