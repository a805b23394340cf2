"""What fits a typed variable, from text and from keys (LANGUAGE C1, C10), and types among themselves."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.expressions.convert import Misfit, coerce, from_keys
from ivr.engine.expressions.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    MIXED,
    NONE,
    RECORDING,
    TEXT,
    TIME,
    Type,
    can_be_spoken,
    fits,
    join,
    optional,
    present,
)
from ivr.engine.values import MaskedValue, Recording, Value

TEXTS = Type("list", item=TEXT)
NUMBERS = Type("list", item=INTEGER)
PERSON = Type("object", fields={"name": TEXT, "age": optional(INTEGER)})


@pytest.mark.parametrize(
    ("value", "type_", "fitted"),
    [
        ("abc", TEXT, "abc"),
        ("42", TEXT, "42"),
        ("0", INTEGER, 0),
        ("0042", INTEGER, 42),
        ("-5", INTEGER, -5),
        (5, INTEGER, 5),
        ("12.50", DECIMAL, Decimal("12.50")),
        ("-1", DECIMAL, Decimal(-1)),
        (5, DECIMAL, Decimal(5)),
        (Decimal("1.5"), DECIMAL, Decimal("1.5")),
        ("true", BOOLEAN, True),
        ("false", BOOLEAN, False),
        (True, BOOLEAN, True),
        ("2026-11-24", DATE, date(2026, 11, 24)),
        ("24112026", DATE, date(2026, 11, 24)),
        (date(2026, 11, 24), DATE, date(2026, 11, 24)),
        ("09:40", TIME, time(9, 40)),
        ("09:40:30", TIME, time(9, 40, 30)),
        ("0940", TIME, time(9, 40)),
        ("2026-11-24T09:40Z", DATETIME, datetime(2026, 11, 24, 9, 40, tzinfo=UTC)),
        ("2026-11-24 09:40:00+00:00", DATETIME, datetime(2026, 11, 24, 9, 40, tzinfo=UTC)),
        (Recording(1.0, "m"), RECORDING, Recording(1.0, "m")),
        (["1", 2], NUMBERS, (1, 2)),
        ((1, "a"), Type("list"), (1, "a")),
        ({"name": "Ada", "other": 1}, PERSON, {"name": "Ada", "age": None}),
        (None, optional(TEXT), None),
        (None, NONE, None),
        (MaskedValue(), INTEGER, MaskedValue()),
        (1, ANY, 1),
    ],
)
def test_what_fits_is_stored_as_its_type(value: Value, type_: Type, fitted: Value) -> None:
    found = coerce(value, type_)
    assert (found, type(found)) == (fitted, type(fitted))


@pytest.mark.parametrize(
    ("value", "type_", "reason"),
    [
        ("x", INTEGER, "not of type integer"),
        ("1.5", INTEGER, "not of type integer"),
        ("٣", INTEGER, "not of type integer"),
        (" 1", INTEGER, "not of type integer"),
        ("1" * 19, INTEGER, "not of type integer"),
        ("1\n", INTEGER, "not of type integer"),
        (Decimal("1.5"), INTEGER, "not of type integer"),
        (True, INTEGER, "not of type integer"),
        (True, DECIMAL, "not of type decimal"),
        ("1,5", DECIMAL, "not of type decimal"),
        (".5", DECIMAL, "not of type decimal"),
        ("1e5", DECIMAL, "not of type decimal"),
        ("yes", BOOLEAN, "not of type boolean"),
        (1, BOOLEAN, "not of type boolean"),
        ("2026-02-31", DATE, "not of type date as keyed"),
        ("31022026", DATE, "there is no such day or time"),
        ("20261124", DATE, "there is no such day or time"),
        (datetime(2026, 11, 24, tzinfo=UTC), DATE, "not of type date"),
        ("24:00", TIME, "not of type time as keyed"),
        ("2026-11-24T09:40", DATETIME, "a datetime without its offset"),
        ("2026-11-24", DATETIME, "not of type datetime"),
        (5, TEXT, "not of type text"),
        ("x", RECORDING, "not of type recording"),
        ("x", NUMBERS, "not of type [integer]"),
        ("x", PERSON, "not of type {name: text, age: integer}"),
        (("x",), NUMBERS, "not of type integer"),
        ({"age": 5}, PERSON, "there is no value"),
        (5, TEXTS, "not of type [text]"),
        (5, PERSON, "not of type {name: text, age: integer}"),
        (None, TEXT, "there is no value"),
    ],
)
def test_what_does_not_fit_is_refused(value: Value, type_: Type, reason: str) -> None:
    with pytest.raises(Misfit) as caught:
        coerce(value, type_)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("keys", "type_", "format_", "fitted"),
    [
        ("42*", TEXT, "", "42*"),
        ("0042", INTEGER, "", 42),
        ("12*50", DECIMAL, "", Decimal("12.50")),
        ("12", DECIMAL, "", Decimal(12)),
        ("*50", DECIMAL, "", Decimal("0.50")),
        ("*5", DECIMAL, "", Decimal("0.5")),
        ("5*", DECIMAL, "", Decimal(5)),
        ("0*", DECIMAL, "", Decimal(0)),
        ("24112026", DATE, "ddmmyyyy", date(2026, 11, 24)),
        ("11242026", DATE, "mmddyyyy", date(2026, 11, 24)),
        ("20261124", DATE, "yyyymmdd", date(2026, 11, 24)),
        ("29022028", DATE, "ddmmyyyy", date(2028, 2, 29)),
        ("0000", TIME, "", time(0, 0)),
        ("2359", TIME, "", time(23, 59)),
    ],
)
def test_keys_become_the_type(keys: str, type_: Type, format_: str, fitted: Value) -> None:
    found = from_keys(keys, type_, format_)
    assert (found, type(found)) == (fitted, type(fitted))


@pytest.mark.parametrize(
    ("keys", "type_", "format_"),
    [
        ("", INTEGER, ""),
        ("4*2", INTEGER, ""),
        ("-4", INTEGER, ""),
        ("٣", INTEGER, ""),
        ("1" * 19, INTEGER, ""),
        ("", DECIMAL, ""),
        ("*", DECIMAL, ""),
        ("**5", DECIMAL, ""),
        ("5**", DECIMAL, ""),
        ("*5*", DECIMAL, ""),
        ("1*2*3", DECIMAL, ""),
        ("*" + "1" * 19, DECIMAL, ""),
        ("1.5", DECIMAL, ""),
        ("31022026", DATE, "ddmmyyyy"),
        ("29022027", DATE, "ddmmyyyy"),
        ("24112026", DATE, "mmddyyyy"),
        ("2411202", DATE, "ddmmyyyy"),
        ("00012026", DATE, "ddmmyyyy"),
        ("01010000", DATE, "ddmmyyyy"),
        ("٠١٠١٢٠٢٦", DATE, "ddmmyyyy"),
        ("2400", TIME, ""),
        ("0960", TIME, ""),
        ("940", TIME, ""),
        ("1", BOOLEAN, ""),
        ("1", RECORDING, ""),
        ("1", TEXTS, ""),
        ("202611240940", DATETIME, ""),
    ],
)
def test_keys_that_do_not_fit_are_a_failed_attempt(keys: str, type_: Type, format_: str) -> None:
    with pytest.raises(Misfit):
        from_keys(keys, type_, format_)


@given(st.dates(), st.sampled_from(["ddmmyyyy", "mmddyyyy", "yyyymmdd"]))
def test_every_date_can_be_keyed(day: date, format_: str) -> None:
    parts = {"dd": f"{day.day:02}", "mm": f"{day.month:02}", "yyyy": f"{day.year:04}"}
    keys = format_
    for word, digits in parts.items():
        keys = keys.replace(word, digits)
    assert from_keys(keys, DATE, format_) == day


@given(st.text(max_size=12), st.sampled_from([INTEGER, DECIMAL, BOOLEAN, DATE, TIME, DATETIME]))
def test_any_text_fits_or_is_a_misfit(text: str, type_: Type) -> None:
    for convert in (coerce, from_keys):
        try:
            fitted = convert(text, type_)
        except Misfit:
            continue
        assert coerce(fitted, type_) == fitted


@pytest.mark.parametrize(
    ("given_type", "wanted", "does"),
    [
        (TEXT, TEXT, True),
        (INTEGER, DECIMAL, True),
        (DECIMAL, INTEGER, False),
        (TEXT, INTEGER, False),
        (ANY, INTEGER, True),
        (TEXT, ANY, True),
        (NONE, TEXT, False),
        (NONE, optional(TEXT), True),
        (optional(TEXT), TEXT, False),
        (TEXT, optional(TEXT), True),
        (TEXTS, TEXTS, True),
        (TEXTS, NUMBERS, False),
        (TEXTS, Type("list"), True),
        (PERSON, PERSON, True),
        (PERSON, Type("object", fields={"name": TEXT}), True),
        (Type("object", fields={"name": TEXT}), PERSON, True),
        (Type("object", fields={"age": INTEGER}), PERSON, False),
        (MIXED, TEXT, False),
    ],
)
def test_a_type_fits_another(given_type: Type, wanted: Type, does: bool) -> None:
    assert fits(given_type, wanted) is does


@pytest.mark.parametrize(
    ("left", "right", "joined"),
    [
        (TEXT, TEXT, TEXT),
        (TEXT, optional(TEXT), optional(TEXT)),
        (NONE, TEXT, optional(TEXT)),
        (TEXT, NONE, optional(TEXT)),
        (NONE, NONE, NONE),
        (ANY, TEXT, ANY),
        (INTEGER, DECIMAL, DECIMAL),
        (INTEGER, TEXT, MIXED),
        (MIXED, DATE, MIXED),
        (TEXTS, TEXTS, TEXTS),
        (TEXTS, NUMBERS, Type("list", item=MIXED)),
        (TEXTS, Type("list", item=PERSON), None),
        (TEXTS, TEXT, None),
        (RECORDING, Type("recording", fields={"transcript": TEXT}), RECORDING),
        (RECORDING, TEXT, None),
        (PERSON, PERSON, PERSON),
        (
            PERSON,
            Type("object", fields={"name": optional(TEXT), "age": INTEGER}),
            Type("object", fields={"name": optional(TEXT), "age": optional(INTEGER)}),
        ),
        (PERSON, Type("object", fields={"name": TEXT}), None),
        (PERSON, Type("object", fields={"name": RECORDING, "age": INTEGER}), None),
    ],
)
def test_two_types_have_one_in_common_or_none(left: Type, right: Type, joined: Type | None) -> None:
    assert join(left, right) == joined
    assert join(right, left) == joined


def test_types_are_named_as_an_author_writes_them() -> None:
    assert str(TEXTS) == "[text]"
    assert str(PERSON) == "{name: text, age: integer}"
    assert str(optional(DATE)) == "date"


def test_none_and_any_have_no_other_side() -> None:
    assert (present(NONE), present(ANY), present(optional(TEXT)), optional(NONE)) == (NONE, ANY, TEXT, NONE)


def test_recordings_objects_and_lists_of_them_cannot_be_spoken() -> None:
    spoken = [TEXT, INTEGER, MIXED, ANY, TEXTS, Type("list"), Type("list", item=ANY)]
    silent = [RECORDING, PERSON, Type("list", item=PERSON), Type("list", item=TEXTS), NONE]
    assert [can_be_spoken(type_) for type_ in spoken + silent] == [True] * len(spoken) + [False] * len(silent)
