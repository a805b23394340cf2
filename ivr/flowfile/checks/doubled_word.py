"""The check `doubled-word`: "for the the sales team", which a caller hears as it is written. English."""

import re
from collections.abc import Iterator

from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_parts import TextPart
from ivr.flowfile.prompts import all_prompts, parts_of

DOUBLED_WORD = Check(
    "doubled-word",
    "warning",
    "A prompt has the same short word twice in a row.",
    group="Dialogue",
    bad="""
start: {say: Welcome to the the town hall., next: bye}
""",
    good="""
start: {say: Welcome to the town hall., next: bye}
""",
    fixable=True,
)


@DOUBLED_WORD.message
def _doubled(word: str) -> Text:
    return f'The caller hears "{word}" twice.', "Delete one of them."


# Words of which no sentence has two in a row: "that that", "had had" and "press on on Monday" can be meant.
_TWICE = re.compile(r"\b(the|a|an|and|or|of|if|our|your|my|we)\s+\1\b", re.IGNORECASE)


@DOUBLED_WORD.finder
def doubled_word(document: Document) -> Iterator[Finding]:
    """Find short words that are spoken twice."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            part = placed.part
            if not isinstance(part, TextPart) or not _is_english(placed.spoken_in or document.model.language):
                continue
            path = (*placed.path, "text")
            for found in _TWICE.finditer(part.text):
                fix = document.source.replacing_within(path, found.start(), found[0], found[1])
                yield document.finding_within(_doubled(found[1]), path, *found.span(), fix=fix)


def _is_english(language: str) -> bool:
    return language.partition("-")[0].lower() == "en"
