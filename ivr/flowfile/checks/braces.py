"""The check `single-braces`: an expression that is spoken letter by letter, as it stands (LANGUAGE C1, C11)."""

from collections.abc import Iterator

from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS, GIVING_WAY
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.texts import in_single_braces, uses
from ivr.flowfile.variables import variables


def single_braces(document: Document) -> Iterator[Finding]:
    """Find `{ birthday | date }`, where it reads as an expression of this flow: other braces may be meant."""
    known = {*variables(document), *FACTS, *GIVING_WAY, *EVENT_FIELDS}
    for use in uses(document):
        for one in in_single_braces(use):
            if one.is_filtered or one.names & known:
                mark = document.source.within(use.path, one.start, one.end - one.start)
                message, advice = "Single braces are spoken as they stand.", f"Write {{{{ {one.inside} }}}}."
                yield document.source.finding("single-braces", "warning", mark, message, advice)


CHECKS = (single_braces,)
