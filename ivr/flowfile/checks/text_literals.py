"""Checks of texts that look like something else: a list, a truth value, nothing (LANGUAGE C1, C10, C11)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ivr.engine.expressions import tree
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.flow import Variable
from ivr.engine.values import Value
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.source import Path
from ivr.flowfile.texts import Use, compiled, uses
from ivr.flowfile.variables import constants, intos, is_nothing, variables

TEXT_LIST = Check(
    "text-list",
    "warning",
    "A text after `in` looks like a list, but is searched for a part of it.",
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
    "A text such as `no`, `off` or `null` is written where false, true or none is meant.",
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


@TEXT_LIST.message
def _one_text(items: Sequence[str]) -> Text:
    listed = ", ".join(f"'{item}'" for item in items)
    return 'This is one text, not a list, so "in" looks for a part of it.', f"Write [{listed}]."


@TRUTH_WORD.message
def _read_as_none(word: str) -> Text:
    return f'"{word}" is read as none.', "Write none."


@TRUTH_WORD.message
def _text_as_default(word: str, is_asked: bool, advice: str) -> Text:
    return _is_text(word, is_asked=is_asked), advice


@TRUTH_WORD.message
def _text_instead_of_none(word: str, is_asked: bool) -> Text:
    return _is_text(word, is_asked=is_asked), 'Write "{{ none }}".'


@TRUTH_WORD.message
def _text_instead_of_boolean(word: str, is_asked: bool, variable: str, meant: str) -> Text:
    return _is_text(word, is_asked=is_asked), f'Declare "{variable}" as a boolean, and write {meant}.'


def _is_text(word: str, *, is_asked: bool) -> str:
    return f'"{word}" is a text here' + (", and a text counts as true." if is_asked else ".")


@TRUTH_WORD.message
def _choice_counts_as_true(variable: str, choice: str) -> Text:
    message = f'"{variable}" holds the name of a choice, which counts as true, even "{choice}".'
    return message, f"Compare it instead: {variable} == '{choice}'."


@TRUTH_WORD.message
def _compared_with_text(word: str) -> Text:
    return f"'{word}' is a text, but what is compared with it may be none.", 'Write "is none" or "is not none".'


@TRUTH_WORD.message
def _word_spoken(word: str, key: str) -> Text:
    advice = "Write false." if key == "reprompt" else f'To say nothing, leave out "{key}".'
    return f'The word "{word}" would be spoken.', advice


_BETWEEN = re.compile(r"\s*[,;/|]\s*|\s+(?:or|and)\s+")
"What stands between the items of a list in a text."


@TEXT_LIST.finder
def text_list(document: Document) -> Iterator[Finding]:
    """Find texts that look like lists and are searched."""
    known = constants(document)
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        if isinstance(what, ExpressionError):
            continue
        for expression in what.expressions if isinstance(what, Template) else (what,):
            for left, right in _looked_into(expression.node):
                items = _items(_text(right, known), left)
                if len(items) > 1:
                    yield document.finding_within(_one_text(items), use.path, right.start, right.end)


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
        what = compiled(use.text, bare=use.is_bare)
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
        is_none = is_plain and known[name].type.optional and default is not None and is_nothing(default)
        if default is not None and is_none and default != "none":
            yield document.finding(_read_as_none(default), path)
    for name, text in _texts(document):
        if known[name].type.name == "text" and _is_meant(known[name], text, reading):
            yield document.finding(_problem(document, name, text, is_asked=name in reading.asked), text.path)


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


def _problem(document: Document, name: str, text: _Text, *, is_asked: bool) -> Problem:
    ours = _ours(text.word)
    if text.is_set and ours == "none":
        return _text_instead_of_none(text.word, is_asked)
    if text.is_set:
        return _text_instead_of_boolean(text.word, is_asked, name, ours)
    rest = ", or put the word in quotes if the text is meant." if text.is_short and not is_asked else "."
    quotes = ", without quotes" if not document.source.is_plain(text.path) else ""
    is_long = ', and "type: boolean"' if document.source.has(text.path) and ours != "none" else ""
    return _text_as_default(text.word, is_asked, f"Write {ours}{quotes}{is_long}{rest}")


@TRUTH_WORD.finder
def choices_asked(document: Document) -> Iterator[Finding]:
    """Find variables that hold the name of a choice, `no` among them, and are asked whether they are true."""
    known, reading = variables(document), _Reading(document)
    for into in intos(document):
        menu = document.model.states[into.state].menu
        falses = [choice for choice in menu.choices if _ours(choice) in {"false", "none"}] if menu else []
        if falses and into.variable in reading.asked and not known[into.variable].has_default:
            yield document.finding(_choice_counts_as_true(into.variable, falses[0]), into.path)


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
            yield document.finding_within(_compared_with_text(word), use.path, node.start, node.end)


@TRUTH_WORD.finder
def spoken_words(document: Document) -> Iterator[Finding]:
    """Find prompts that would speak a word by which something was to be switched off."""
    for use in uses(document):
        ours = _ours(use.text) if use.role == "text" and document.source.is_plain(use.path) else ""
        key = next((str(step) for step in reversed(use.path) if isinstance(step, str) and step != "text"), "")
        if ours == "none" or (ours == "false" and key in SPARED):
            yield document.finding(_word_spoken(use.text.strip(), key), use.path)
