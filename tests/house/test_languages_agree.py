"""The tables of languages hold the same ones: what is said in one is understood in it, and read by the checks."""

import pytest

from ivr.engine import offers, spoken_answers
from ivr.engine.expressions import forms
from ivr.flowfile.checks import instruction_languages, menus
from ivr.gateway import apology
from tests.house.pages import ROOT, section, text

SPOKEN = set(forms._LANGUAGES)


@pytest.mark.parametrize(
    ("where", "languages"),
    [
        ("what callers say", set(spoken_answers._VOCABULARIES)),
        ("yes", set(offers.YES)),
        ("no", set(offers.NO)),
        ("keys in prompts; English has a reader of its own", {*instruction_languages._LANGUAGES, "en"}),
        ("how fast prompts are spoken", set(menus.WORDS_A_SECOND)),
        ("the apology of the gateway", set(apology.TEXTS)),
        ("the same for people whom it has called", set(apology.TO_CALLED)),
        ("the tables of values", {file.stem for file in ROOT.glob("tests/expressions/spoken_forms/*.txt")}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_language_that_values_are_said_in_is_known_everywhere(where: str, languages: set[str]) -> None:
    assert languages == SPOKEN, where


def test_each_language_has_its_column_in_the_table_of_filters() -> None:
    page = section(text("flow-language.md"), "## C11. Expressions")
    _, _, head = page.partition("\n| filter |")
    columns = [column.strip() for column in head.partition("\n")[0].split("|")]
    assert {each.__name__ for each in forms._LANGUAGES.values()} == set(columns) - {""}
