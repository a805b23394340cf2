"""What each filter says in English (LANGUAGE C11)."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from ivr.engine.expressions.compile import compile_expression
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed

NOW = datetime(2026, 11, 24, 17, 15, tzinfo=UTC)
FORMS = [
    ("x | date", date(2026, 11, 24), "Tuesday, November 24"),
    ("x | date", NOW, "Tuesday, November 24"),
    ("'2026-01-01' | date", None, "Thursday, January 1"),
    ("'2026-01-01T09:40' | date", None, "Thursday, January 1"),
    ("x | longDate", date(1985, 12, 24), "December 24, 1985"),
    ("x | longDate", NOW, "November 24, 2026"),
    ("'2026-01-01' | longDate", None, "January 1, 2026"),
    ("x | weekday", NOW, "Tuesday"),
    ("'2026-11-29' | weekday", None, "Sunday"),
    ("x | time", time(9, 40), "9:40 AM"),
    ("x | time", time(0, 5), "12:05 AM"),
    ("x | time", time(12), "12:00 PM"),
    ("x | time", NOW, "5:15 PM"),
    ("'09:40' | time", None, "9:40 AM"),
    ("'23:59:59' | time", None, "11:59 PM"),
    ("'2026-11-24 09:40' | time", None, "9:40 AM"),
    ("x | datetime", NOW, "Tuesday, November 24 at 5:15 PM"),
    ("'2026-11-24T09:40+01:00' | datetime", None, "Tuesday, November 24 at 9:40 AM"),
    ("x | duration", 125, "2 minutes and 5 seconds"),
    ("x | duration", 1, "1 second"),
    ("x | duration", 0, "0 seconds"),
    ("x | duration", 3_600, "1 hour"),
    ("x | duration", 90_061, "1 day, 1 hour, 1 minute and 1 second"),
    ("x | duration", Decimal("2.5"), "3 seconds"),
    ("x | duration", -60, "minus 1 minute"),
    ("x | number", Decimal("1204.5"), "1,204.5"),
    ("x | number", Decimal("1204.50"), "1,204.5"),
    ("x | number", Decimal("100.00"), "100"),
    ("x | number", 1_000_000, "1,000,000"),
    ("x | number", -12, "-12"),
    ("x | ordinal", 1, "first"),
    ("x | ordinal", 3, "third"),
    ("x | ordinal", 12, "twelfth"),
    ("x | ordinal", 20, "twentieth"),
    ("x | ordinal", 21, "21st"),
    ("x | ordinal", 22, "22nd"),
    ("x | ordinal", 23, "23rd"),
    ("x | ordinal", 24, "24th"),
    ("x | ordinal", 111, "111th"),
    ("x | ordinal", 1_012, "1012th"),
    ("x | money('EUR')", Decimal("12.5"), "12 euros and 50 cents"),
    ("x | plural(one='a message', other='# messages')", 3, "3 messages"),
    ("x | telephone", "555 0123", "5 5 5, 0 1 2 3"),
    ("x | digits", 42, "4 2"),
    ("x | digits", "42", "4 2"),
    ("x | digits", "0042*#", "0 0 4 2 star pound"),
    ("x | digits", "+43 (1) 23-4", "plus 4 3 1 2 3 4"),
    ("x | spell", "Weber", "W E B E R"),
    ("x | spell", "a.b@c d", "A dot B at C D"),
    ("x | list", ("a", "b", "c"), "a, b and c"),
    ("x | list", ("a", "b"), "a and b"),
    ("x | list", ("a",), "a"),
    ("x | list", (), ""),
    ("x | list", (1, Decimal("2.5"), True, None), "1, 2.5, true and "),
    ("x | length", ("a", "b"), 2),
    ("x | length", "abc", 3),
    ("x | first", ("a", "b"), "a"),
    ("x | first", (), None),
    ("x | first", "abc", "a"),
    ("x | last", ("a", "b"), "b"),
    ("x | last", (), None),
    ("x | upper", "Abc", "ABC"),
    ("x | lower", "Abc", "abc"),
    ("x | trim", " a b ", "a b"),
    ("x | round", Decimal("2.5"), 3),
    ("x | round", Decimal("-2.5"), -3),
    ("x | round", 7, 7),
    ("x | round(1)", Decimal("2.25"), Decimal("2.3")),
    ("x | round(0)", Decimal("2.5"), Decimal(3)),
    ("x | round(2)", 7, Decimal("7.00")),
    ("x | round(9)", 10**18, Decimal(10**18)),
    ("x | round", Decimal("-0.4"), 0),
    ("x | int", Decimal("2.9"), 2),
    ("x | int", Decimal("-2.9"), -2),
    ("x | int", "0042", 42),
    ("x | int", "12.7", 12),
    ("x | int", 5, 5),
]


@pytest.mark.parametrize(("source", "given", "said"), FORMS)
def test_a_filter_has_its_english_form(source: str, given: Value, said: Value) -> None:
    found = compile_expression(source).value({"x": given})
    assert (found, type(found)) == (said, type(said))


def test_every_filter_is_in_the_table_of_forms() -> None:
    assert {source.split("| ")[1].split("(")[0] for source, _, _ in FORMS} == set(FILTERS)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("'tomorrow' | date", 'the filter "date": not of type date'),
        ("'2026-02-31' | date", 'the filter "date": there is no such day or time'),
        ("'2026-02-31T09:40' | date", 'the filter "date": there is no such day or time'),
        ("'25:00' | time", 'the filter "time": there is no such day or time'),
        ("'9:40' | time", 'the filter "time": not of type time'),
        ("'2026-11-24' | datetime", 'the filter "datetime": not of type datetime'),
        ("'12 apples' | int", 'the filter "int": not of type decimal'),
        ("'٣' | int", 'the filter "int": not of type decimal'),
        ("'' | int", 'the filter "int": not of type decimal'),
        ("0 | ordinal", "only numbers from 1 on have a place in a row"),
    ],
)
def test_a_text_that_cannot_be_read_is_no_silent_zero(source: str, reason: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        compile_expression(source).value({})
    assert str(caught.value) == reason
