"""What each filter says in each language, to the letter: `spoken_forms/<language>.txt`, three columns to a line."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from ivr.engine.expressions.compile import compile_expression, compile_template
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.values import Value

TABLES = sorted(Path(__file__).with_name("spoken_forms").glob("*.txt"))
WRITTEN = frozenset({"date", "longDate", "weekday", "time", "datetime"})
TEXTS = frozenset({"telephone", "digits", "spell"})
DAY = datetime(2026, 11, 24, 9, 40)  # noqa: DTZ001


def rows(table: Path) -> Iterator[tuple[str, str, str]]:
    for line in table.read_text("utf-8").splitlines():
        filter_, value, said = line.split("\t")
        yield filter_, value, said


def said_in(language: str, filter_: str, value: str) -> Value:
    name = filter_.partition("(")[0]
    if name in WRITTEN:
        return compile_expression(f"'{value}' | {filter_}").value({"language": language})
    given: Value = value
    if name == "list":
        given = tuple(value.split("|"))
    elif name not in TEXTS:
        given = Decimal(value) if "." in value else int(value)
    return compile_expression(f"x | {filter_}").value({"x": given, "language": language})


def test_there_is_a_table_for_each_language() -> None:
    assert [table.stem for table in TABLES] == ["de", "en", "es", "fr"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_a_table_has_200_values_and_every_filter_that_speaks(table: Path) -> None:
    filters = [filter_.partition("(")[0] for filter_, _, _ in rows(table)]
    assert len(filters) >= 200
    assert set(filters) == {name for name, filter_ in FILTERS.items() if filter_.speaks}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_filters_say_what_the_table_has_to_the_letter(table: Path) -> None:
    wrong = {
        (filter_, value): (found, said)
        for filter_, value, said in rows(table)
        if (found := said_in(table.stem, filter_, value)) != said
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("language", "filter_", "value", "said"),
    [
        ("es-MX", "number", "1204.5", "1,204.5"),
        ("es-MX", "money('MXN')", "12.50", "12 pesos con 50 centavos"),
        ("de-CH", "number", "12045.5", "12'045.5"),
        ("de-AT", "number", "12045.5", "12.045,5"),
        ("fr-CA", "number", "12045.5", "12045,5"),
        ("fr-CA", "telephone", "+15550100123", "plus 1, 5 5 5, 0 1 0, 0 1 2 3"),
        ("fr-CH", "telephone", "0791234567", "0 7 9, 1 2 3, 4 5 6 7"),
        ("en-GB", "date", "2026-11-24", "Tuesday, November 24"),
        ("DE", "weekday", "2026-11-24", "Dienstag"),
        ("de-XX", "weekday", "2026-11-24", "Dienstag"),
        ("fr", "money('CHF')", "2000000", "2000000 de francs"),
        # no forms of their own: English ones, with the plurals that the language has
        ("pl-PL", "plural(one='1', few='few #', many='many #', other='other')", "3", "few 3"),
        ("pl-PL", "date", "2026-11-24", "Tuesday, November 24"),
        ("?", "number", "1204.5", "1,204.5"),
    ],
)
def test_a_region_has_its_signs_and_its_habits(language: str, filter_: str, value: str, said: str) -> None:
    assert said_in(language, filter_, value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (DAY, "Dienstag, 24. November um 9 Uhr 40"),
        (date(2026, 11, 24), "Dienstag, 24. November"),
        (time(9, 40), "9 Uhr 40"),
        (Decimal("12.50"), "12,50"),
        (True, "wahr"),
        (False, "falsch"),
        (4, "4"),
        (("a", Decimal("1.5"), None), "a, 1,5 und "),
    ],
)
def test_without_a_filter_a_value_is_spoken_in_the_language_too(value: Value, said: str) -> None:
    names = {"x": value, "language": "de-DE"}
    assert compile_template("{{ x }}").text(names) == said.strip()


def test_the_part_of_a_text_that_is_not_spoken_has_its_point_in_every_language() -> None:
    names: dict[str, Value] = {"x": Decimal("12.50"), "y": True, "language": "de-DE"}
    assert compile_template("{{ x }} kg").value(names) == "12.50 kg"
    assert compile_expression("x ~ ' kg'").value(names) == "12.50 kg"


@pytest.mark.parametrize("language", ["en-US", "de-DE", "fr-FR", "es-ES"])
def test_opposite_weekday_a_name_is_english_whoever_calls(language: str) -> None:
    names: dict[str, Value] = {"now": DAY, "language": language}
    assert compile_expression("(now | weekday) == 'Tuesday'").test(names)
    assert compile_expression("(now | weekday) in ['Monday', 'Tuesday']").test(names)
    assert compile_expression("'Tuesday' == (now | weekday)").test(names)
    assert not compile_expression("(now | weekday) == 'Monday'").test(names)
