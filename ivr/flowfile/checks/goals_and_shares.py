"""Checks of what is counted: goals name milestones that exist, and no two names differ by a letter (LANGUAGE C2-C4)."""

from collections import Counter
from collections.abc import Collection, Iterator

from ivr.engine.actions.split import WHOLE
from ivr.engine.expressions.check import infer
from ivr.engine.expressions.compile import Expression
from ivr.engine.expressions.types import SPOKEN, Type
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.expression_use import UNDEFINED
from ivr.flowfile.checks.known_variables import known_of
from ivr.flowfile.checks.states import OUTCOME_TYPO, one_letter_apart, one_letter_differs
from ivr.flowfile.checks.variable_types import TYPE
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.texts import compiled, uses
from ivr.nearest import did_you_mean

LONG = 4
"Letters of a name that is more than a mark."


@UNDEFINED.message
def _no_such_milestone(milestone: str, known: Collection[str]) -> Text:
    advice = did_you_mean(milestone, known) or f'Add "milestone: {milestone}" to the state where it is reached.'
    return f'No state has the milestone "{milestone}".', advice


SHARES = Check(
    "shares",
    "error",
    "The shares of a split are not 100 percent together.",
    group="Values",
    bad="""
start:
  split: {name: greeting, shares: {short: 50, long: 40}}
  on: {short: bye, long: greet}
greet: {say: Good morning., next: bye}
""",
    good="""
start:
  split: {name: greeting, shares: {short: 50, long: 50}}
  on: {short: bye, long: greet}
greet: {say: Good morning., next: bye}
""",
)


@SHARES.message
def _not_whole(percent: str) -> Text:
    return f"The shares are {percent} percent together.", "Make them 100."


@TYPE.message
def _cannot_share(type_: Type) -> Text:
    return f"Callers cannot be shared out by a value of type {type_}.", "Take a text or a number, such as call.from."


@SHARES.finder
def shares(document: Document) -> Iterator[Finding]:
    """Find shares that are not whole together."""
    for name, state in document.states():
        path = ("states", name, "split", "shares")
        if state.split and document.is_sound(*path) and (whole := sum(state.split.shares.values())) != WHOLE:
            yield document.finding(_not_whole(f"{whole / 100:g}"), path, key=True)


@OUTCOME_TYPO.finder
def alike_shares(document: Document) -> Iterator[Finding]:
    """Find shares of one split that differ by one letter; short ones, such as `a` and `b`, are meant to."""
    for name, state in document.states():
        known = [share for share in (state.split.shares if state.split else ()) if len(share) >= LONG]
        for number, share in enumerate(known):
            if near := [other for other in known[:number] if one_letter_apart(share, other)]:
                yield document.finding(
                    one_letter_differs(share, near), ("states", name, "split", "shares", share), key=True
                )


@TYPE.finder
def shared_by(document: Document) -> Iterator[Finding]:
    """Find splits by a value that is neither text nor number."""
    known = known_of(document)
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        if use.path[2:] == ("split", "by") and isinstance(what, Expression):
            type_, errors = infer(what, known.scene(use).env)
            if not errors and type_.name not in SPOKEN | {"any", "none"}:
                yield document.finding(_cannot_share(type_), use.path)


@UNDEFINED.finder
def goals(document: Document) -> Iterator[Finding]:
    """Find goals that no call can reach, since no state has their milestone."""
    known = {state.milestone for _, state in document.states() if state.milestone}
    for _, state in document.states():
        if state.invoke and state.invoke.invoked:
            known |= state.invoke.invoked.milestones
    for goal, milestone in document.model.goals.items():
        if milestone not in known and milestone not in document.hidden_words:
            path = ("goals", goal)
            fix = document.source.renaming(path, milestone, known)
            yield document.finding(_no_such_milestone(milestone, sorted(known)), path, fix=fix)


@OUTCOME_TYPO.finder
def milestones(document: Document) -> Iterator[Finding]:
    """Find milestones that differ by one letter from another one."""
    aims = set(document.model.goals.values())
    counts = Counter(state.milestone for _, state in document.states() if state.milestone)
    for name, state in document.states():
        mine = state.milestone
        if not mine or mine in aims:
            continue
        # The rarer one is the mistake, and of two the one that is no goal.
        near = [other for other in counts if other != mine and one_letter_apart(mine, other)]
        suspects = [other for other in near if other in aims or counts[other] > counts[mine]]
        if suspects:
            yield document.finding(one_letter_differs(mine, suspects), ("states", name, "milestone"))
