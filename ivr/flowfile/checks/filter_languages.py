"""The check `format`, for languages: a filter that has no forms in the language in which it is spoken."""

from collections.abc import Iterator

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.forms import has_forms
from ivr.flowfile.checks.expression_use import FORMAT
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_parts import WordedPart
from ivr.flowfile.prompts import all_prompts, parts_of
from ivr.flowfile.texts import compiled

_WORDS = frozenset(name for name, filter_ in FILTERS.items() if filter_.speaks) - {"plural"}
"Filters that say words; those of `plural` are the author's."


@FORMAT.message
def _english_forms(filter_name: str, language: str) -> Text:
    message = f'"{filter_name}" has no forms in {language}: the English ones would be spoken.'
    return message, "There are English, German, French and Spanish ones."


@FORMAT.finder
def filter_languages(document: Document) -> Iterator[Finding]:
    """Find filters that would speak English in the midst of another language."""
    for prompt in all_prompts(document):
        for placed in parts_of(document, prompt):
            languages = (placed.spoken_in,) if placed.spoken_in else document.model.all_languages
            language = next((tag for tag in languages if not has_forms(tag)), None)
            if language is None or not isinstance(placed.part, WordedPart):
                continue
            what = compiled(placed.part.text or "", bare=False)
            for name, start, end in _speaking(what) if isinstance(what, Template) else ():
                yield document.finding_within(_english_forms(name, language), (*placed.path, "text"), start, end)


def _speaking(template: Template) -> Iterator[tuple[str, int, int]]:
    """Go through the filters of a text that make words, each with its place."""
    for expression in template.expressions:
        for node in tree.walk(expression.node):
            if isinstance(node, tree.Filtered) and node.filter in _WORDS:
                yield node.filter, node.at, node.at + len(node.filter)
