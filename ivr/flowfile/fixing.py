"""The fixes of findings, made in the text of a file: every character stays that no fix is about.

A fix is proposed where its mistake is found; whether it helps is seen here, by checking the edited text. A fix whose
finding stays, or that brings an error that no other fix removes, is not made.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from ivr.flowfile.finding import Edit, Finding

ROUNDS = 20
"How often the edited text is looked at for further fixes: some wait for others, some overlap."
MOST_CHECKS = 200
"Edited texts that are checked; what could not be tried is left."
DEEPEST = 3
"Fixes that are made one upon the other before all of them must have helped: a mistake can hide another."

Check: TypeAlias = Callable[[str], Sequence[Finding]]
"What is found in a text."


class Fixed(Struct, frozen=True):
    """A text with its fixes made."""

    text: str
    made: tuple[Finding, ...]
    "What was fixed, in the order of lines; no fix adds a line or takes one away."
    left: tuple[Finding, ...]
    "What is found in the text now."


def fixed(text: str, check: Check) -> Fixed:
    """Make all fixes of a text that help."""
    fixer = _Fixer(text, check)
    fixer.run()
    made = sorted(fixer.made, key=lambda finding: (finding.line, finding.column))
    return Fixed(fixer.text, tuple(made), tuple(fixer.found))


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Make edits in a text, which are apart from each other and in order."""
    for edit in reversed(edits):
        text = edit.within(text)
    return text


class _Fixer:
    """Makes the fixes of one text, as many at a time as help together."""

    def __init__(self, text: str, check: Check, checks: int = MOST_CHECKS, depth: int = 0) -> None:
        self.text = text
        self.found = check(text)
        self.made: list[Finding] = []
        self._check = check
        self._depth = depth
        self._checks_left = checks
        self._useless: set[tuple[str, str, int, str]] = set()

    def run(self) -> None:
        for _ in range(ROUNDS):
            chosen = _apart(self._fixable())
            if not chosen or not self._try(chosen):
                return

    def _fixable(self) -> list[tuple[Edit, Finding]]:
        pairs = [(found.fix, found) for found in self.found if found.fix is not None]
        return [(edit, found) for edit, found in pairs if _identity(edit, found) not in self._useless]

    def _try(self, chosen: Sequence[tuple[Edit, Finding]]) -> bool:
        """Make fixes if they help together, else each half by itself; return whether any was made."""
        if not self._checks_left:
            return False
        self._checks_left -= 1
        text = edited(self.text, list(dict.fromkeys(edit for edit, _ in chosen)))
        after = self._check(text)
        if _helps(self.found, after, [finding for _, finding in chosen]):
            self.text, self.found = text, after
            self.made += [finding for _, finding in chosen]
            return True
        if len(chosen) == 1:
            if _can_follow(self.found, after) and self._try_on(text, chosen[0][1]):
                return True
            self._useless.add(_identity(*chosen[0]))
            return False
        # What stands later goes first: it moves nothing that is still to be edited.
        half = len(chosen) // 2
        later = self._try(chosen[half:])
        return self._try(chosen[:half]) or later

    def _try_on(self, text: str, made: Finding) -> bool:
        """Make the fixes of what a fix has brought to light; all of them count, or none."""
        if self._depth == DEEPEST or not self._checks_left:
            return False
        next_one = _Fixer(text, self._check, self._checks_left - 1, self._depth + 1)
        next_one.run()
        self._checks_left = next_one._checks_left
        if not _helps(self.found, next_one.found, [made]):
            return False
        self.text, self.found = next_one.text, next_one.found
        self.made += [made, *next_one.made]
        return True


def _apart(pairs: Sequence[tuple[Edit, Finding]]) -> list[tuple[Edit, Finding]]:
    """Choose fixes that do not overlap, first come, first served; several findings may have the same."""
    chosen: list[tuple[Edit, Finding]] = []
    for edit, finding in sorted(pairs, key=lambda pair: (pair[0].start, pair[0].end)):
        last = chosen[-1][0] if chosen else None
        if last is None or edit == last or (edit.start >= last.end and edit.start > last.start):
            chosen.append((edit, finding))
    return chosen


def _identity(edit: Edit, finding: Finding) -> tuple[str, str, int, str]:
    """Return what stays of a fix when others have moved its place."""
    return (*_kind(finding), finding.line, edit.text)


def _kind(finding: Finding) -> tuple[str, str]:
    """Return what a finding says, without its numbers: a fix before it in its line moves its column."""
    return finding.code, re.sub(r"\d+", "0", finding.message)


def _can_follow(before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Return whether every error that came has a fix of its own."""
    new = _errors(after) - _errors(before)
    return all(any(found.fix is not None for found in after if _kind(found) == kind) for kind in new)


def _helps(before: Sequence[Finding], after: Sequence[Finding], made: Sequence[Finding]) -> bool:
    """Return whether what was to be fixed is gone, no error came, and less is found."""
    were, are = Counter(map(_kind, before)), Counter(map(_kind, after))
    if any(are[kind] > were[kind] - number for kind, number in Counter(map(_kind, made)).items()):
        return False
    if _errors(after) - _errors(before):
        return False
    return (_errors(after).total(), len(after)) < (_errors(before).total(), len(before))


def _errors(findings: Sequence[Finding]) -> Counter[tuple[str, str]]:
    return Counter(_kind(finding) for finding in findings if finding.is_error)
