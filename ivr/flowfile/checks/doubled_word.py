"""The check `doubled-word`: "for the the sales team", which a caller hears as it is written.

In Spanish a time of day has its article: "a las {{ opens | time }}" says it twice.
"""

import re
from collections.abc import Iterator, Mapping

from ivr.engine.language_choice import first_part
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


_TWICE: Mapping[str, re.Pattern[str]] = {
    # Words of which no sentence has two in a row: "that that", "had had" and "press on on Monday" can be meant.
    "en": re.compile(r"\b(the|a|an|and|or|of|if|our|your|my|we)\s+(?P<kept>\1)\b", re.IGNORECASE),
    "es": re.compile(r"\b(las?)\s+(?P<kept>\{\{[^{}]*\|\s*time\s*\}\})", re.IGNORECASE),
}


@DOUBLED_WORD.finder
def doubled_word(document: Document) -> Iterator[Finding]:
    """Find short words that are spoken twice."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            twice = _TWICE.get(first_part(placed.spoken_in or document.model.language))
            if not isinstance(placed.part, TextPart) or twice is None:
                continue
            path = (*placed.path, "text")
            for found in twice.finditer(placed.part.text):
                fix = document.source.replacing_within(path, found.start(), found[0], found["kept"])
                yield document.finding_within(_doubled(found[1]), path, *found.span(), fix=fix)
