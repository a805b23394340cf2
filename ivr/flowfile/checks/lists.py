"""The check `text-list`: `size in 'small, large'` is true of `mall`, too (LANGUAGE C11)."""

import re
from collections.abc import Iterator, Mapping

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.values import Value
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.texts import compiled, uses
from ivr.flowfile.variables import constants

_BETWEEN = re.compile(r"\s*[,;/|]\s*|\s+(?:or|and)\s+")
"What stands between the items of a list in a text."


def text_list(document: Document) -> Iterator[Finding]:
    """Find texts that look like lists, where something is looked for in them."""
    known = constants(document)
    for use in uses(document):
        what = compiled(use.text, bare=use.role == "guard")
        if isinstance(what, ExpressionError):
            continue
        for expression in what.expressions if isinstance(what, Template) else (what,):
            for left, right in _looked_into(expression.node):
                items = _items(_text(right, known), left)
                if len(items) > 1:
                    mark = document.source.within(use.path, right.start, right.end - right.start)
                    message = "This is one text, in which a piece is looked for, and no list."
                    listed = ", ".join(f"'{item}'" for item in items)
                    yield document.source.finding("text-list", "warning", mark, message, f"Write [{listed}].")


def _looked_into(node: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
    """Return what is looked for, if it is not written out, and what it is looked for in."""
    for part in tree.walk(node):
        if isinstance(part, tree.Comparison):
            sides = (part.first, *(compared.value for compared in part.rest))
            for left, compared in zip(sides, part.rest, strict=False):
                if compared.comparator in {"in", "not in"} and not isinstance(left, tree.Constant):
                    yield left, compared.value


def _text(node: tree.Node, known: Mapping[str, Value]) -> str:
    value = node.value if isinstance(node, tree.Constant) else known.get(tree.path(node) or "")
    return value if isinstance(value, str) else ""


def _items(text: str, left: tree.Node) -> list[str]:
    items = [item for item in _BETWEEN.split(text.strip()) if item]
    words = text.split()
    known = FILTERS[left.filter].yields if isinstance(left, tree.Filtered) else ()
    return words if known and set(words) <= set(known) else items


CHECKS = (text_list,)
