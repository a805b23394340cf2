"""Checks of what is counted: goals name milestones that exist, and no two names differ by a letter (LANGUAGE C2-C4)."""

from collections import Counter
from collections.abc import Collection, Iterator

from ivr.flowfile.checks.expression_use import UNDEFINED
from ivr.flowfile.checks.states import OUTCOME_TYPO, one_letter_apart, one_letter_differs
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.nearest import did_you_mean


@UNDEFINED.message
def _no_such_milestone(milestone: str, known: Collection[str]) -> Text:
    advice = did_you_mean(milestone, known) or f'Add "milestone: {milestone}" to the state where it is reached.'
    return f'No state has the milestone "{milestone}".', advice


@UNDEFINED.finder
def goals(document: Document) -> Iterator[Finding]:
    """Find goals that no call can reach, since no state has their milestone."""
    known = {state.milestone for _, state in document.states() if state.milestone}
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
