"""What expressions come to: on good values, on none, and on values that are no use."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from ivr.engine.expressions.compile import compile_expression, compile_template
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.values import MaskedValue, Recording, Value
from ivr.errors import ExpressionFailed, MaskedRead

NAMES: Mapping[str, Value] = {
    "tries": 3,
    "price": Decimal("12.50"),
    "name": "Ada",
    "empty": "",
    "yes": True,
    "no": False,
    "zero": 0,
    "items": ("a", "b", "c"),
    "nothing": (),
    "day": date(2026, 11, 24),
    "clock": time(9, 40),
    "now": datetime(2026, 11, 24, 9, 40, tzinfo=UTC),
    "issue": Recording(2.5, "secret-name", "please cancel", 0.93),
    "silent": Recording(1.0, "secret-name"),
    "call": {"id": "c1", "from": None, "keys": "42", "items": "own"},
    "pin": MaskedValue(),
    "withheld": {"pin": MaskedValue()},
}


def value(source: str, **more: Any) -> Value:
    return compile_expression(source).value({**NAMES, **more})


@pytest.mark.parametrize(
    ("source", "result"),
    [
        # constants, names, fields, items
        ("'it\\'s' ~ \"\\\\\\\"\\n\\t\"", "it's\\\"\n\t"),
        ("'a' 'b'", "ab"),
        ("1.50", Decimal("1.50")),
        ("true", True),
        ("none", None),
        ("unknown", None),
        ("unknown.field[0].more", None),
        ("call.id", "c1"),
        ("call['id']", "c1"),
        ("call.items", "own"),
        ("call.keys", "42"),
        ("call.values", None),
        ("call.from", None),
        ("issue.transcript", "please cancel"),
        ("issue.confidence", Decimal("0.93")),
        ("issue.seconds", Decimal("2.5")),
        ("silent.confidence", None),
        ("items[0]", "a"),
        ("items[-1]", "c"),
        ("items[3]", None),
        ("items[-4]", None),
        ("name[0]", "A"),
        ("items.1", "b"),
        ("(items | first)[0]", "a"),
        # numbers
        ("tries + 1", 4),
        ("tries - 5", -2),
        ("tries * 2", 6),
        ("tries / 2", Decimal("1.5")),
        ("6 / 2", Decimal(3)),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7.5 // 2", 3),
        ("-7.5 // 2", -4),
        ("-8.0 // 2", -4),
        ("7 % 3", 1),
        ("-7 % 3", 2),
        ("-7.5 % 2", Decimal("0.5")),
        ("7.5 % 2", Decimal("1.5")),
        ("price + 1", Decimal("13.50")),
        ("-price", Decimal("-12.50")),
        ("-tries", -3),
        ("0.1 + 0.2", Decimal("0.3")),
        ("2 + 3 * 4", 14),
        ("10 - 2 - 3", 5),
        # comparing
        ("tries == 3", True),
        ("tries == 3.0", True),
        ("tries != 3", False),
        ("1 < tries <= 3", True),
        ("1 < tries < 3", False),
        ("1 > tries > unknown", False),
        ("price >= 12.5", True),
        ("name == 'Ada'", True),
        ("'a' < 'b'", True),
        ("yes == true", True),
        ("day == day", True),
        ("clock >= clock", True),
        ("now > now", False),
        ("none == none", True),
        ("unknown == 1", False),
        ("issue != none", True),
        ("items == none", False),
        ("'cancel' in issue.transcript", True),
        ("'cancel' not in issue.transcript", False),
        ("'b' in items", True),
        ("'z' in items", False),
        ("none in items", False),
        # logic
        ("yes and no", False),
        ("name and tries", 3),
        ("empty and unknown.x", ""),
        ("empty or 'nothing'", "nothing"),
        ("unknown or 'nothing'", "nothing"),
        ("nothing or 'nothing'", "nothing"),
        ("zero or 'nothing'", 0),
        ("not empty", True),
        ("not zero", False),
        ("not call", False),
        ("'a' if yes else tries + 'x'", "a"),
        ("tries + 'x' if no else 'b'", "b"),
        ("unknown is none", True),
        ("name is not none", True),
        ("name is none if yes else 5", False),
        ("unknown is none and yes", True),
        ("unknown is none is none", False),
        ("not unknown is none", False),
        # joining
        ("name ~ ' ' ~ tries ~ unknown", "Ada 3"),
        ("price ~ ''", "12.50"),
        ("yes ~ ''", "true"),
        ("no ~ ''", "false"),
        ("items ~ ''", "a, b and c"),
        ("day ~ ', ' ~ clock", "Tuesday, November 24, 9:40 AM"),
        ("now ~ ''", "Tuesday, November 24 at 9:40 AM"),
    ],
)
def test_an_expression_has_its_value(source: str, result: Value) -> None:
    found = value(source)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("name == 1", "text cannot be compared with number"),
        ("name < 1", "text cannot be compared with number"),
        ("yes == 1", "boolean cannot be compared with number"),
        ("unknown < 1", "none cannot be compared with number"),
        ("day == clock", "date cannot be compared with time"),
        ("clock + 30 minutes", "a value of type time cannot be moved by minutes"),
        ("day + 2 hours", "a value of type date cannot be moved by hours"),
        ("day + name days", "a number of days is an integer, not text"),
        ("now in '08:00'", "datetime cannot be part of text"),
        ("yes < no", "boolean cannot be compared with boolean"),
        ("items == items", "list cannot be compared with list"),
        ("issue == silent", "recording cannot be compared with recording"),
        ("1 in name", "integer cannot be part of text"),
        ("1 in items", "number cannot be compared with text"),
        ("name in unknown", "nothing can be in a value of type none"),
        ("name in call", "nothing can be in a value of type object"),
        ("name + name", "a value of type text cannot be calculated with"),
        ("'a' * 10", "a value of type text cannot be calculated with"),
        ("yes + 1", "a value of type boolean cannot be calculated with"),
        ("unknown + 1", "a value of type none cannot be calculated with"),
        ("-name", "a value of type text cannot be calculated with"),
        ("day - day", "a value of type date cannot be calculated with"),
        ("now.year", "a value of type datetime has no such field"),
        ("name.upper", "a value of type text has no such field"),
        ("issue.media", "a value of type recording has no such field"),
        ("items.count", "a value of type list has no such field"),
        ("tries[0]", "a value of type integer has no items"),
        ("call[0]", "a value of type object has no items"),
        ("items[yes]", "an item is taken by an integer"),
        ("items[unknown]", "an item is taken by an integer"),
        ("call ~ ''", "a value of type object has no spoken form"),
        ("issue ~ ''", "a value of type recording has no spoken form"),
        ("grid ~ ''", "a list inside a list has no spoken form"),
        ("name | round", 'the filter "round" takes no text'),
        ("unknown | upper", 'the filter "upper" takes no none'),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_not_named(source: str, reason: str) -> None:
    with pytest.raises(WrongKind) as caught:
        value(source, grid=(("Ada",),))
    assert str(caught.value) == reason
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / zero", "a division by zero, or a number out of bounds"),
        ("1 // zero", "a division by zero, or a number out of bounds"),
        ("1 % zero", "a division by zero, or a number out of bounds"),
        ("1.5 // zero", "a division by zero, or a number out of bounds"),
        ("1.5 % zero", "a division by zero, or a number out of bounds"),
        ("999999999999999999 * 999999999999999999", "a number out of bounds"),
        ("99999999999999.5 * 99999999999999.5", "a division by zero, or a number out of bounds"),
        ("999999999999999999 + 99999999999999999.5", "a number out of bounds"),
        ("999999999999999999 // 0.0000000000000001", "a division by zero, or a number out of bounds"),
        ("huge", "a number out of bounds"),
        ("huge_decimal", "a number out of bounds"),
        ("nan", "not a number"),
        ("snan", "a number out of bounds"),
        ("infinite", "a number out of bounds"),
        ("long ~ long", "a text of more than 10000 characters"),
        ("long | spell", "a text of more than 10000 characters"),
        ("long | digits", "a text of more than 10000 characters"),
        ("sharp | upper", "a text of more than 10000 characters"),
        ("both | list", "a text of more than 10000 characters"),
        ("day + 999999999999 weeks", "a day outside the calendar"),
        ("now - 9999999 days", "a day outside the calendar"),
    ],
)
def test_no_result_grows_without_end(source: str, reason: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        value(
            source,
            huge=10**5000,
            huge_decimal=Decimal("1e999999"),
            nan=float("nan"),
            snan=Decimal("sNaN"),
            infinite=float("inf"),
            long="a" * 9_000,
            sharp="ß" * 9_000,
            both=("a" * 9_000, "b" * 9_000),
        )
    assert str(caught.value) == reason
    assert not isinstance(caught.value, WrongKind)


def test_a_decimal_is_cut_to_the_digits_that_are_calculated_with() -> None:
    assert value("x ~ ''", x=Decimal("1E-999999")) == "0." + "0" * 67
    assert value("x", x=Decimal("1." + "3" * 100)) == Decimal("1." + "3" * 27)
    assert value("x ~ ''", x=Decimal("-0.0")) == "0.0"
    assert value("0 * -1.5 ~ ''") == "0.0"
    assert str(value("1 / 3")) == "0." + "3" * 28
    assert value("x", x=[1.5]) == [1.5], "a list is looked at when it is opened"
    assert value("x[0]", x=[1.5]) == Decimal("1.5")


def test_the_language_is_no_way_to_python() -> None:
    class Trap:
        secret = "found"

    for source in ("x.secret", "x['secret']", "x['__class__']"):
        with pytest.raises(WrongKind):
            value(source, x="text")
    assert value("x['__class__']", x={"a": 1}) is None
    assert value("x['keys']", x={"a": 1}) is None
    with pytest.raises(WrongKind):
        value("x.secret", x=Trap())


@pytest.mark.parametrize("source", ["pin", "pin is none", "pin == '1'", "withheld.pin", "pins[0]", "1 in pins"])
def test_reading_a_masked_value_says_so(source: str) -> None:
    with pytest.raises(MaskedRead):
        value(source, pins=(MaskedValue(),))


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("yes", True),
        ("no", False),
        ("unknown", False),
        ("empty", False),
        ("name", True),
        ("nothing", False),
        ("items", True),
        ("call", True),
        ("issue", True),
        ("issue.transcript and 'cancel' in issue.transcript", True),
        ("silent.transcript and 'cancel' in silent.transcript", False),
    ],
)
def test_false_are_false_none_empty_text_and_the_empty_list(source: str, holds: bool) -> None:
    assert compile_expression(source).test(NAMES) is holds


def test_names_are_read_only_when_they_are_needed() -> None:
    class Lazy(dict[str, Value]):
        def __getitem__(self, name: str) -> Value:
            read.append(name)
            return super().__getitem__(name)

    read: list[str] = []
    assert compile_expression("a and b or c").value(Lazy(a=False, b=1, c=2)) == 2
    assert read == ["a", "c"]


def test_other_mappings_and_sequences_are_data_too() -> None:
    class Row(Mapping[str, Value]):
        def __getitem__(self, name: str) -> Value:
            return {"x": range(3)}[name]

        def __iter__(self) -> Any:
            return iter("x")

        def __len__(self) -> int:
            return 1

    assert value("row.x[1] in row.x", row=Row()) is True
    assert value("row.y", row=Row()) is None


def test_a_text_that_is_written_elsewhere_fails_at_its_line_like_one_that_is_spoken() -> None:
    template = compile_template("Order {{ tries / zero }}")
    for evaluate in (template.text, template.written):
        with pytest.raises(ExpressionFailed) as failed:
            evaluate(NAMES)
        assert failed.value.line == template.line
