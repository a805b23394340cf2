"""Checks of what a flow shares: files that it includes, and prompts of its catalogue (LANGUAGE C9, C16)."""

from collections.abc import Collection, Iterator, Sequence

from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.variable_use import UNUSED
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_parts import RefPart
from ivr.flowfile.prompts import Placed, all_prompts, parts_of
from ivr.nearest import did_you_mean

INCLUDE = Check(
    "include",
    "error",
    "An included file cannot be used, or has what does not belong there.",
    group="Reading",
    bad="""
include: no-such-file.yaml
states:
  start: {say: Good morning., next: bye}
""",
    good="""
prompts: {greeting: Good morning.}
states:
  start: {say: {ref: greeting}, next: bye}
""",
)

REF = Check(
    "ref",
    "error",
    "A part refers to a prompt that does not exist, or that refers to itself.",
    group="Dialogue",
    bad="""
prompts: {greeting: Good morning.}
states:
  start: {say: [{ref: greting}, {ref: greeting}], next: bye}
""",
    good="""
prompts: {greeting: Good morning.}
states:
  start: {say: {ref: greeting}, next: bye}
""",
    fixable=True,
)


@REF.message
def _no_such_prompt(name: str, known: Collection[str]) -> Text:
    return f'No prompt is called "{name}".', did_you_mean(name, known) or 'Write it under "prompts".'


@REF.message
def _in_a_circle(names: Sequence[str]) -> Text:
    return f"This prompt refers to itself: {' → '.join(names)}.", "Write out one of them."


@UNUSED.message
def _never_said(name: str) -> Text:
    return f'Nothing refers to the prompt "{name}".', 'Use it with "ref", or delete it.'


@REF.finder
def references(document: Document) -> Iterator[Finding]:
    """Find references that lead nowhere, or back."""
    known = document.model.prompts
    for part, placed in _references(document):
        name, path = part.ref, (*placed.path, "ref")
        if name in placed.around.through:
            yield document.finding(_in_a_circle((*placed.around.through, name)), path)
        elif name not in known and document.is_sound("prompts", name):
            fix = document.source.renaming(path, name, known)
            yield document.finding(_no_such_prompt(name, known), path, fix=fix)


@UNUSED.finder
def unused_prompts(document: Document) -> Iterator[Finding]:
    """Find prompts of the catalogue that nothing refers to; what other flows share is theirs to use."""
    said = {part.ref for part, _ in _references(document)} | document.hidden_words
    for name in document.model.prompts:
        if name not in said and document.is_own("prompts", name):
            yield document.finding(_never_said(name), ("prompts", name), key=True)


def _references(document: Document) -> Iterator[tuple[RefPart, Placed]]:
    """Go through the references in all prompts, and those in prompts that are referred to."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            if isinstance(placed.part, RefPart):
                yield placed.part, placed
