"""The checks `never-true` and `always-true`: guards that no day, no time and no value decide (LANGUAGE C11).

What is set by hand in the file, `holiday: false`, is a switch and no mistake: a condition that reads nothing else may
be true or false.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from itertools import product
from math import prod

from ivr.engine.expressions import tree
from ivr.engine.expressions.check import check_guard
from ivr.engine.expressions.clock import ORDERS, YearDay, literal
from ivr.engine.expressions.compile import Expression
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.values import Value
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.domains import Domains
from ivr.flowfile.checks.formulas import Formula, TruthValues, atoms, formula, judge
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.checks.names import Env
from ivr.flowfile.checks.samples import Samples
from ivr.flowfile.document import Document, Handler
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.source import Path
from ivr.flowfile.texts import Use, compiled, uses
from ivr.flowfile.variables import constants

NEVER_TRUE = Check(
    "never-true",
    "warning",
    "A guard, or a part of one, is never true, at any time and with any value.",
    group="Values",
    bad="""
start: {decide: [{guard: now >= '22:00' and now < '06:00', target: bye}, open]}
open: {say: We are here., next: bye}
""",
    good="""
start: {decide: [{guard: now >= '22:00' or now < '06:00', target: bye}, open]}
open: {say: We are here., next: bye}
""",
)

ALWAYS_TRUE = Check(
    "always-true",
    "warning",
    "A guard, or a part of one, is always true.",
    group="Values",
    bad="""
start: {decide: [{guard: today != '12-24' or today != '12-25', target: open}, bye]}
open: {say: We are here., next: bye}
""",
    good="""
start: {decide: [{guard: "today not in ['12-24', '12-25']", target: open}, bye]}
open: {say: We are here., next: bye}
""",
)


@NEVER_TRUE.message
def _never_true(advice: str) -> Text:
    return "This is never true.", advice


@NEVER_TRUE.message
def _already_covered() -> Text:
    return "The branches before this one already cover its guard.", "Put it before them, or delete it."


@ALWAYS_TRUE.message
def _always_true(advice: str) -> Text:
    return "This is always true.", advice


MOST = 10_000
"Combinations of what atoms can come to that are tried; of a guard with more, nothing is said."
MOST_BEFORE = 8
"Branches before one that are looked at with it."


@NEVER_TRUE.finder
def decided(document: Document) -> Iterator[Finding]:
    """Find guards and parts of them that are decided before any call, and branches that those before them cover."""
    known = known_of(document)
    judges = Judges(constants(document), Samples(known.variables))
    handlers = {handler.path: handler for handler in document.all_handlers()}
    for use in uses(document):
        what = compiled(use.text, bare=True) if use.role == "guard" else None
        if not isinstance(what, Expression) or _is_switch(what.node):
            continue
        env = known.scene(use).env
        if check_guard(what, env):
            continue
        whole = formula(what.node)
        found = list(_found(whole, judges.of(whole, env), is_whole=True))
        for part, is_true in found:
            yield _finding(document, use, part, judges.kept, is_true=is_true)
        if not found and (before := _before(handlers, use, env)) and judges.is_left_out(whole, before, env):
            yield document.finding(_already_covered(), use.path)


def _finding(document: Document, use: Use, part: Formula, kept: Mapping[str, Value], *, is_true: bool) -> Finding:
    whole = compiled(use.text, bare=True)
    is_whole = isinstance(whole, Expression) and part.node is whole.node
    place = (0, len(use.text)) if is_whole else (part.node.start, part.node.end)
    problem = _always_true(_why_always(part)) if is_true else _never_true(_why_never(part, kept))
    return document.finding_within(problem, use.path, *place)


class Judges:
    """Finds out what guards can come to."""

    def __init__(self, kept: Mapping[str, Value], samples: Samples) -> None:
        self.kept = kept
        self.samples = samples

    def of(self, whole: Formula, env: Env) -> dict[int, TruthValues]:
        """Return whether each part of a formula can be true, and false; nothing, if that is too much to find out."""
        groups = list(Domains(atoms(whole), env, self.kept, self.samples).signatures())
        verdicts: dict[int, TruthValues] = {}
        if prod(map(len, groups)) <= MOST:
            for together in product(*groups):
                judge(whole, {meaning: held for each in together for meaning, held in each.items()}, verdicts)
        return verdicts

    def is_left_out(self, whole: Formula, before: Sequence[Formula], env: Env) -> bool:
        """Return whether a guard is never true where those before it have been false."""
        failed = tuple(Formula("not", each.node, (each,)) for each in before)
        together = Formula("and", whole.node, (*failed, whole))
        verdict = self.of(together, env).get(id(together))
        return verdict is not None and not verdict.true


def _before(handlers: Mapping[Path, Handler], use: Use, env: Env) -> list[Formula]:
    """Return the guards of the branches before one; none, if there are none, or one of them cannot be read."""
    *path, number = use.branch or (0,)
    handler = handlers.get(tuple(path))
    if handler is None or use.guards or int(number) > MOST_BEFORE:
        return []
    guards = [branch.guard for branch in handler.branches[: int(number)]]
    read = [compiled(guard, bare=True) for guard in guards if guard]
    sound = [what for what in read if isinstance(what, Expression) and not check_guard(what, env)]
    formulas = [formula(what.node) for what in sound]
    return formulas if len(formulas) == len(guards) else []


def _found(
    part: Formula, verdicts: Mapping[int, TruthValues], *, is_whole: bool = False
) -> Iterator[tuple[Formula, bool]]:
    """Return the smallest parts that are decided, each with what it always is."""
    inner = [found for each in part.parts for found in _found(each, verdicts)]
    yield from inner
    verdict = verdicts.get(id(part))
    if inner or verdict is None or verdict.true == verdict.false:
        return
    # One of several conditions that must hold may always do: `'00:00' <= now < '08:00'` is well said.
    is_said = part.sort == "or" if verdict.true else part.sort in {"and", "atom"}
    if is_whole or (is_said and not isinstance(part.node, tree.Constant)):
        yield part, verdict.true


def _is_switch(node: tree.Node) -> bool:
    """Return whether a guard is `true` or `false`, which somebody wrote on purpose."""
    return isinstance(node, tree.Constant) and not isinstance(node.value, str)


def _why_always(part: Formula) -> str:
    several = list(atoms(part))
    if any(isinstance(atom, tree.Constant) and isinstance(atom.value, str) for atom in several):
        return "Compare each text separately, or use a list: \"… in ['a', 'b']\"."
    if part.sort == "or" and all(_sign(atom) in {"!=", "not in"} for atom in several):
        return "Write \"and\" between the comparisons, or use a list: \"… not in ['a', 'b']\"."
    return ""


def _why_never(part: Formula, kept: Mapping[str, Value]) -> str:
    several = list(atoms(part))
    words = [side.filter for atom in several for side in _sides(atom) if isinstance(side, tree.Filtered)]
    if part.sort == "atom":
        return next((_EXAMPLES[word] for word in words if word in _EXAMPLES), "")
    ordered = [_sides(atom) for atom in several if _sign(atom) in ORDERS]
    over_new_year, over_midnight = (
        'A range of days over New Year needs "or".',
        'A range of hours over midnight needs "or".',
    )
    for reading, advice in ((YearDay, over_new_year), (time, over_midnight)):
        if sum(any(_reads_as(side, kept) is reading for side in sides) for sides in ordered) > 1:
            return advice
    if all(_sign(atom) == "==" for atom in several):
        return "Write \"or\" between the comparisons, or use a list: \"… in ['a', 'b']\"."
    return ""


_EXAMPLES = {
    "date": '"date" gives a text like "Friday, December 25". Compare the date: today == \'12-25\'.',
    "longDate": '"longDate" gives a text like "December 25, 2026". Compare the date: today == \'2026-12-25\'.',
    "weekday": f'"weekday" gives {", ".join(FILTERS["weekday"].yields)}.',
    "time": '"time" gives a text like "9:40 AM". Compare the time: now >= \'09:40\'.',
    "datetime": '"datetime" gives a text like "Friday, December 25 at 9:40 AM".',
}
"What filters give, and what to compare instead."


def _reads_as(side: tree.Node, kept: Mapping[str, Value]) -> type:
    path = tree.path(side)
    return type(literal(side) if path is None else kept.get(path))


def _sign(atom: tree.Node) -> str:
    return atom.rest[0].comparator if isinstance(atom, tree.Comparison) else ""


def _sides(atom: tree.Node) -> list[tree.Node]:
    return [atom.first, atom.rest[0].value] if isinstance(atom, tree.Comparison) else []
