"""Values survive being stored, and fit their variables (LANGUAGE C10)."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.call import Memory
from ivr.engine.expressions.types import DATE, DECIMAL, INTEGER, TEXT, TIME, Type, optional
from ivr.engine.flow import Variable
from ivr.engine.values import MaskedValue, Recording, Value, pack, unpack
from ivr.engine.variables import Misfit, fit, fit_keys

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(UTC)),
    st.builds(Recording, st.floats(0, 600), st.none() | st.just("a.wma"), st.none() | st.just("words")),
    st.just(MaskedValue()),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(st.characters(categories=["L"]), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_that_went_through_the_store_is_the_same_value(value: Value) -> None:
    saved = msgspec.json.encode(Memory(variables={"it": pack(value)}))
    restored = unpack(msgspec.json.decode(saved, type=Memory).variables["it"])
    assert restored == value
    assert type(restored) is type(value)


AGE = Variable("age", INTEGER, minimum=18, maximum=99)
PRICE = Variable("price", DECIMAL, maximum=Decimal("9.5"))
DAY = Variable("day", DATE, minimum=date(2026, 1, 1))
HOUR = Variable("hour", TIME, maximum=time(17, 0))
SIZE = Variable("size", TEXT, values=("1", "2"))


@pytest.mark.parametrize(
    ("variable", "keys", "value"),
    [
        (AGE, "18", 18),
        (PRICE, "9*5", Decimal("9.5")),
        (DAY, "24122026", date(2026, 12, 24)),
        (HOUR, "1700", time(17, 0)),
        (SIZE, "2", "2"),
    ],
)
def test_c10_keys_become_the_variables_type(variable: Variable, keys: str, value: Value) -> None:
    assert fit_keys(keys, variable) == value


@pytest.mark.parametrize(
    ("variable", "keys"),
    [
        (AGE, "17"),
        (AGE, "100"),
        (AGE, "1*"),
        (PRICE, "9*6"),
        (DAY, "31122025"),
        (DAY, "31022026"),
        (HOUR, "1701"),
        (SIZE, "3"),
    ],
)
def test_c10_what_does_not_fit_the_variable_is_no_answer(variable: Variable, keys: str) -> None:
    with pytest.raises(Misfit):
        fit_keys(keys, variable)


@pytest.mark.parametrize("type_", [INTEGER, DECIMAL, DATE, TIME])
def test_c4_an_empty_answer_is_none_where_none_may_be(type_: Type) -> None:
    assert fit_keys("", Variable("spent", optional(type_))) is None
    with pytest.raises(Misfit):
        fit_keys("", Variable("spent", type_))


def test_c4_an_empty_answer_is_an_empty_text_unless_only_some_texts_are_allowed() -> None:
    assert fit_keys("", Variable("code", TEXT)) == fit_keys("", Variable("code", optional(TEXT))) == ""
    assert fit_keys("", Variable("size", optional(TEXT), values=("1", "2"))) is None
    with pytest.raises(Misfit):
        fit_keys("", SIZE)


def test_c10_none_and_masked_values_fit_everywhere_and_text_becomes_the_type() -> None:
    assert fit(None, AGE) is None
    assert fit(MaskedValue(), AGE) == MaskedValue()
    assert fit("42", AGE) == 42
    with pytest.raises(Misfit):
        fit(datetime(2026, 1, 1, tzinfo=UTC), AGE)


def test_limits_of_another_kind_limit_nothing() -> None:
    assert fit("x", Variable("odd", TEXT, minimum=3)) == "x"
