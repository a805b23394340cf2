"""The check `never-equal`: a guard that looks for a name or a value that nothing here ever has (LANGUAGE C8, C10)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from ivr.engine.calendars import REASONS
from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.naming import parted
from ivr.flowfile.actions.digits import Digits
from ivr.flowfile.checks.answers import can_be_keyed
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.names import choice_at, handled, left_to_flow
from ivr.flowfile.document import WAYLESS, Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model import State
from ivr.flowfile.texts import Use, compiled, root, uses
from ivr.flowfile.variables import intos, variables
from ivr.nearest import did_you_mean

NEVER_EQUAL = Check(
    "never-equal",
    "warning",
    "A guard compares something with a value that it never has.",
    group="Values",
    bad="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
    into: wish
  next: [{guard: wish == 'sale', target: start_again}, bye]
start_again: {say: One moment., next: bye}
""",
    good="""
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
    into: wish
  next: [{guard: wish == 'sales', target: start_again}, bye]
start_again: {say: One moment., next: bye}
""",
)


@NEVER_EQUAL.message
def _never_equal(name: str, value: str, possible: Sequence[str]) -> Text:
    listed = ", ".join(f'"{text}"' for text in possible[:6]) + (", …" if len(possible) > 6 else "")
    advice = did_you_mean(value, possible) or (f"Possible values: {listed}." if possible else "")
    return f'"{name}" is never "{value}" here.', advice


_HARMLESS = WAYLESS - {"set", "into"}
"Keys that store nothing: a flow without one of them has the same values."


_NOTHING = frozenset({"none", "null", "~"})
"Texts that were meant as no value, which the check `truth-word` finds."
_CHANGES: Mapping[str, Callable[[str], str]] = {
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
}
"Filters after which it is known what a text can be."


class Domain(Struct, frozen=True):
    """All that a text can be."""

    texts: frozenset[str] = frozenset()
    keyed: tuple[Digits, ...] = ()
    "Or whatever can be keyed in these."

    def __or__(self, other: "Domain") -> "Domain":
        return Domain(self.texts | other.texts, self.keyed + other.keyed)

    def has(self, text: str) -> bool:
        """Return whether it can be this text."""
        return text in self.texts or any(can_be_keyed(text, digits) for digits in self.keyed)

    def may_hold(self, text: str) -> bool:
        """Return whether this text can be a piece of it."""
        return bool(self.keyed) or any(text in one for one in self.texts)


@NEVER_EQUAL.environment_finder
def never_equal(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find comparisons with what a value never is."""
    # Of an engine that understands nothing else, a transcript is one of the phrases, or none.
    only_phrases = environment.phrases is not None and environment.phrases.only
    values = _Values(document, only_phrases=only_phrases)
    unsure = _unsure_states(document)
    for use in uses(document):
        if unsure if use.state is None else use.state in unsure:
            continue  # what was cut out may have been the value
        what = compiled(use.text, bare=use.is_bare)
        expressions = what.expressions if isinstance(what, Template) else [what] if isinstance(what, Expression) else []
        for expression in expressions:
            for node, left, comparator, right in _comparisons(expression.node):
                if root(node) in document.hidden_words:
                    continue
                for constant, domain in _impossible(values, use, left, comparator, right):
                    problem = _never_equal(node, str(constant.value), sorted(domain.texts))
                    yield document.finding_within(problem, use.path, constant.start, constant.end)


def _unsure_states(document: Document) -> frozenset[str]:
    """Return the states out of which something was cut that could be a value of their events."""
    harmful = (path for path in document.damaged if not _HARMLESS.intersection(path))
    return frozenset(str(path[1]) for path in harmful if len(path) > 1 and path[0] == "states")


def _comparisons(node: tree.Node) -> Iterator[tuple[str, tree.Node, tree.Comparator, tree.Node]]:
    """Go through the comparisons in an expression, each with the name that it is about."""
    for one in tree.walk(node):
        if isinstance(one, tree.Comparison):
            left = one.first
            for compared in one.rest:
                name = _name(left) or _name(compared.value)
                if name is not None:
                    yield name, left, compared.comparator, compared.value
                left = compared.value


def _name(node: tree.Node) -> str | None:
    return _name(node.of) if isinstance(node, tree.Filtered) else tree.path(node)


def _impossible(
    values: "_Values", use: Use, left: tree.Node, comparator: tree.Comparator, right: tree.Node
) -> Iterator[tuple[tree.Constant, Domain]]:
    if comparator in {"==", "!="}:
        for one, other in ((left, right), (right, left)):
            yield from _not_among(values.of(use, one), [other])
    elif comparator in {"in", "not in"} and isinstance(right, tree.Listed):
        yield from _not_among(values.of(use, left), right.items)
    elif comparator in {"in", "not in"} and isinstance(left, tree.Constant) and isinstance(left.value, str):
        domain = values.of(use, right)
        if domain is not None and not domain.may_hold(left.value):
            yield left, domain


def _not_among(domain: Domain | None, nodes: Iterable[tree.Node]) -> Iterator[tuple[tree.Constant, Domain]]:
    for node in nodes if domain is not None else ():
        text = node.value if isinstance(node, tree.Constant) else None
        is_looked_for = isinstance(text, str) and text.casefold() not in _NOTHING
        if isinstance(node, tree.Constant) and domain and is_looked_for and not domain.has(str(text)):
            yield node, domain


class _Values:
    """What the texts of a flow can be."""

    def __init__(self, document: Document, *, only_phrases: bool) -> None:
        self.document = document
        self.only_phrases = only_phrases
        self._variables = variables(document)

    def of(self, use: Use, node: tree.Node) -> Domain | None:
        """Return all that a name, or a name in another case, can be; None: anything."""
        if isinstance(node, tree.Filtered):
            domain = self.of(use, node.of)
            change = _CHANGES.get(node.filter)
            if domain is None or change is None or domain.keyed:
                return None
            return Domain(frozenset(change(text) for text in domain.texts))
        path = tree.path(node)
        if path is None:
            return None
        name, fields = parted(path)
        field = ".".join(fields)
        if name in self._variables:
            return self._transcripts(name) if field == "transcript" else self._stored.get(name) if not field else None
        if path == "language" and self.document.model.languages:
            return Domain(frozenset(self.document.model.all_languages))
        if name == "calendar" and field.endswith(".reason"):
            return self._reasons(field.removesuffix(".reason"))
        if path == "key" and (choice := choice_at(self.document, use)):
            return Domain(frozenset({choice.key})) if choice.key else None
        return self._field(use, path) if use.moment == "transition" else None

    def _reasons(self, calendar: str) -> Domain | None:
        """Return why a calendar can be closed, or that it is open; without holidays, it is not closed for one."""
        written = self.document.model.calendars.get(calendar)
        if written is None or not self.document.is_sound("calendars", calendar):
            return None
        return Domain(frozenset(REASONS) - (set() if written.holidays else {"holiday"}))

    def _field(self, use: Use, name: str) -> Domain | None:
        """Return what a field of the event can be that leads to this transition."""
        if use.state is not None:
            events = [(use.state, event) for event in handled(self.document, use.state, use.event)]
        else:
            events = left_to_flow(self.document, use.event)
        found = Domain()
        for state, event in events:
            one = self._of_event(self.document.model.states[state], event, name)
            if one is None:
                return None
            found |= one
        return found if events else None

    def _of_event(self, state: State, event: str, name: str) -> Domain | None:
        match name:
            case "choice" if state.menu and event in state.menu.choices:
                return Domain(frozenset({event}))
            case "value" if state.split and event in state.split.shares:
                return Domain(frozenset({event}))
            case "digits" if state.keyed and event == "digits":
                variable = self._variables.get(state.keyed.into or "")
                return (
                    Domain(frozenset(variable.values)) if variable and variable.values else Domain(keyed=(state.keyed,))
                )
            case "transcript" if state.record and event == "recorded" and self.only_phrases and state.record.phrases:
                return Domain(frozenset(state.record.phrases))
            case "error.name" if event.startswith("error"):
                return Domain(frozenset({event}))
        return None

    def _transcripts(self, variable: str) -> Domain | None:
        """Return what the words of a recording can be, where only phrases are understood."""
        records = [
            state.record for _, state in self.document.states() if state.record and state.record.into == variable
        ]
        phrases = [record.phrases for record in records if record.transcribe]
        is_copied = any(use.variable == variable for use in uses(self.document) if use.role == "value")
        if not self.only_phrases or is_copied or not phrases or not all(phrases):
            return None
        return Domain(frozenset(phrase for several in phrases for phrase in several or ()))

    @cached_property
    def _stored(self) -> Mapping[str, Domain]:
        """Return what each text variable can be; what may be anything is left out."""
        texts = {name: variable for name, variable in self._variables.items() if variable.type.name == "text"}
        found = {name: Domain() for name in texts if not self.document.may_be_given(name)}
        for name, variable in self._variables.items():
            if name in found and isinstance(variable.default, str):
                found[name] |= Domain(frozenset({variable.default}))
        for into in intos(self.document):
            if into.variable in found:
                answer = self._answer(into.variable, self.document.model.states[into.state])
                if answer is None:
                    del found[into.variable]
                else:
                    found[into.variable] |= answer
        for use in uses(self.document):
            if use.role == "value" and use.variable in found:
                domain = self._set(use)
                if domain is None:
                    del found[use.variable]
                else:
                    found[use.variable] |= domain
        return {name: domain for name, domain in found.items() if domain.texts or domain.keyed}

    def _answer(self, variable: str, state: State) -> Domain | None:
        if state.menu:
            return Domain(frozenset(state.menu.choices))
        if state.split:
            return Domain(frozenset(state.split.shares))
        allowed = frozenset(self._variables[variable].values)
        if allowed:
            return Domain(allowed)
        return Domain(keyed=(state.keyed,)) if state.keyed else None

    def _set(self, use: Use) -> Domain | None:
        allowed = frozenset(self._variables[use.variable].values)
        template = compiled(use.text, bare=False)
        if isinstance(template, Template) and template.literal:
            return Domain(frozenset({template.source}))
        return Domain(allowed) if allowed else None
