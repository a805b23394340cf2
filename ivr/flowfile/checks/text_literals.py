"""Checks of texts that look like something else: a list, a truth value, nothing (LANGUAGE C1, C10, C11)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.flow import Variable
from ivr.engine.values import Value
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.known import known_of
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.source import Path
from ivr.flowfile.texts import Use, compiled, uses
from ivr.flowfile.variables import constants, intos, is_nothing, variables

TEXT_LIST = Check(
    "text-list",
    "warning",
    "A text that looks like a list after `in`, which then asks for a piece of it.",
    group="Values",
    bad="""
start: {decide: [{guard: "(now | weekday) in 'Saturday, Sunday'", target: bye}, open]}
open: {say: We are here., next: bye}
""",
    good="""
start: {decide: [{guard: "(now | weekday) in ['Saturday', 'Sunday']", target: bye}, open]}
open: {say: We are here., next: bye}
""",
)

TRUTH_WORD = Check(
    "truth-word",
    "warning",
    "A text that looks like false, true or nothing, such as `no`, `off`, `null`, where one of them is meant.",
    group="Values",
    bad="""
variables: {closed: no}
states:
  start: {decide: [{guard: closed, target: bye}, open]}
  open: {say: We are here., next: bye}
""",
    good="""
variables: {closed: false}
states:
  start: {decide: [{guard: closed, target: bye}, open]}
  open: {say: We are here., next: bye}
""",
)


_BETWEEN = re.compile(r"\s*[,;/|]\s*|\s+(?:or|and)\s+")
"What stands between the items of a list in a text."


@TEXT_LIST.finder
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


OURS = {
    **dict.fromkeys(("no", "off", "false", "n"), "false"),
    **dict.fromkeys(("yes", "on", "true", "y"), "true"),
    **dict.fromkeys(("none", "null", "~", "nil", "undefined", "n/a"), "none"),
}
"What a word, in small letters, says in other languages, and how this one says it."
SPARED = frozenset({"reprompt", "noInput", "noMatch", "holdPrompt"})
"Prompts that can be left out, so that their text may be meant to switch them off."


def _ours(word: str) -> str:
    """Return the word of this language that is meant by one of another; empty: it is an ordinary text."""
    return OURS.get(word.strip().lower(), "")


class _Text(Struct, frozen=True):
    """A text that is written for a variable."""

    path: Path
    word: str
    is_set: bool
    is_short: bool = False
    "It stands as the whole of a variable, without quotes."


class _Reading:
    """How the texts of a flow are read."""

    def __init__(self, document: Document) -> None:
        self.asked: set[str] = set()
        "What is asked whether it is true."
        self.compared: dict[str, set[str]] = defaultdict(set)
        "The texts that something is compared with."
        for use, expression in _expressions(document):
            for node in tree.conditions(expression.node, asked=use.role == "guard"):
                self.asked.add(tree.path(node) or "")
            for left, right, _ in comparisons(expression.node):
                self.compared[tree.path(left) or ""].add(right)


def _expressions(document: Document) -> Iterator[tuple[Use, Expression]]:
    for use in uses(document):
        what = compiled(use.text, bare=use.role == "guard")
        if not isinstance(what, ExpressionError):
            for expression in what.expressions if isinstance(what, Template) else (what,):
                yield use, expression


def comparisons(node: tree.Node) -> Iterator[tuple[tree.Node, str, tree.Node]]:
    """Return what is asked to be equal to a text that is written out, the text, and where it stands."""
    for part in tree.walk(node):
        if isinstance(part, tree.Comparison):
            sides = (part.first, *(compared.value for compared in part.rest))
            for left, compared in zip(sides, part.rest, strict=False):
                right = compared.value
                pairs = [(left, item) for item in right.items] if isinstance(right, tree.Listed) else [(left, right)]
                for one, other in pairs if compared.comparator in {"==", "!=", "in", "not in"} else ():
                    for value, text in ((one, other), (other, one)):
                        if isinstance(text, tree.Constant) and isinstance(text.value, str):
                            yield value, text.value, text


@TRUTH_WORD.finder
def kept_words(document: Document) -> Iterator[Finding]:
    """Find words that a text variable keeps, and that were meant as its truth or as nothing."""
    known, reading = variables(document), _Reading(document)
    for name, written in document.model.variables.items():
        path = ("variables", name, "default")
        default, is_plain = written.default, document.source.is_plain(path)
        is_none = default is not None and is_plain and known[name].type.optional and is_nothing(default)
        if is_none and default != "none":
            yield document.warning("truth-word", path, f'"{default}" is taken for none.', "Write none.")
    for name, text in _texts(document):
        if known[name].type.name == "text" and _is_meant(known[name], text, reading):
            yield _told(document, name, text, is_asked=name in reading.asked)


def _texts(document: Document) -> Iterator[tuple[str, _Text]]:
    """Go through the texts that variables are given, each word of another language among them."""
    known = variables(document)
    for name, written in document.model.variables.items():
        path: Path = ("variables", name, "default")
        if written.default is not None and known[name].default is not None and _ours(written.default):
            is_short = not document.source.has(path) and document.source.is_plain(path)
            yield name, _Text(path, written.default, is_set=False, is_short=is_short)
    for use in uses(document):
        if use.role == "value" and use.variable in known and _ours(use.text):
            yield use.variable, _Text(use.path, use.text, is_set=True)


def _is_meant(variable: Variable, text: _Text, reading: _Reading) -> bool:
    """Return whether a word probably means what it says elsewhere: it is asked for, or never compared as a word."""
    if variable.name in reading.asked:
        return True
    if text.word in variable.values or any(_ours(word) for word in reading.compared[variable.name]):
        return False
    return text.is_short or (text.is_set and _ours(text.word) == "none")


def _told(document: Document, name: str, text: _Text, *, is_asked: bool) -> Finding:
    ours = _ours(text.word)
    message = f'"{text.word}" is a text here' + (", and a text counts as true." if is_asked else ".")
    if text.is_set:
        means = 'Write "{{ none }}".' if ours == "none" else f'Declare "{name}" as a boolean, and write {ours}.'
        return document.warning("truth-word", text.path, message, means)
    rest = ", or put the word in quotes if it is meant." if text.is_short and not is_asked else "."
    quotes = ", without quotes" if not document.source.is_plain(text.path) else ""
    is_long = ', and "type: boolean"' if document.source.has(text.path) and ours != "none" else ""
    return document.warning("truth-word", text.path, message, f"Write {ours}{quotes}{is_long}{rest}")


@TRUTH_WORD.finder
def choices_asked(document: Document) -> Iterator[Finding]:
    """Find variables that hold the name of a choice, `no` among them, and are asked whether they are true."""
    known, reading = variables(document), _Reading(document)
    for into in intos(document):
        menu = document.model.states[into.state].menu
        falses = [choice for choice in menu.choices if _ours(choice) in {"false", "none"}] if menu else []
        if falses and into.variable in reading.asked and not known[into.variable].has_default:
            message = f'"{into.variable}" holds the name of a choice, which counts as true, "{falses[0]}" too.'
            advice = f"Where it is asked whether it is true, compare it: {into.variable} == '{falses[0]}'."
            yield document.warning("truth-word", into.path, message, advice)


@TRUTH_WORD.finder
def nothing_compared(document: Document) -> Iterator[Finding]:
    """Find what may be none and is compared with a word for it."""
    found = [
        (use, value, word, node)
        for use, expression in _expressions(document)
        for value, word, node in comparisons(expression.node)
        if _ours(word) == "none"
    ]
    if not found:
        return
    known = known_of(document)
    kept = {(name, text.word) for name, text in _texts(document)}
    for use, value, word, node in found:
        type_, errors = infer(Expression("", value), known.scene(use).env)
        name = tree.path(value) or ""
        is_word = (name, word) in kept or (name in known.variables and word in known.variables[name].values)
        if type_.name == "text" and type_.optional and not errors and not is_word:
            mark = document.source.within(use.path, node.start, node.end - node.start)
            message = f"'{word}' is a text, and what is compared with it may be none."
            yield document.source.finding("truth-word", "warning", mark, message, 'Write "is none" or "is not none".')


@TRUTH_WORD.finder
def spoken_words(document: Document) -> Iterator[Finding]:
    """Find prompts that would speak a word by which something was to be switched off."""
    for use in uses(document):
        ours = _ours(use.text) if use.role == "text" and document.source.is_plain(use.path) else ""
        key = next((str(step) for step in reversed(use.path) if isinstance(step, str) and step != "text"), "")
        if ours == "none" or (ours == "false" and key in SPARED):
            advice = "Write false." if key == "reprompt" else f'To say nothing, leave "{key}" out.'
            yield document.warning("truth-word", use.path, f'The word "{use.text.strip()}" would be spoken.', advice)
