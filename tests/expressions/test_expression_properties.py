"""Random expressions out of the grammar: nothing but our own errors, and what the check accepts does not fail."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ivr.engine.expressions.check import check_guard, check_text, infer
from ivr.engine.expressions.compile import Expression, Template, compile_expression, compile_template
from ivr.engine.expressions.failure import ExpressionError, WrongKind
from ivr.engine.expressions.filters import FILTERS
from ivr.engine.expressions.operations import kind, spoken
from ivr.engine.expressions.tree import UNITS
from ivr.engine.expressions.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    INTEGER,
    NUMBERS,
    RECORDING,
    RECORDING_FIELDS,
    SPOKEN,
    TEXT,
    TIME,
    Type,
    optional,
)
from ivr.engine.values import Recording, Value
from ivr.errors import ExpressionFailed

VIENNA = ZoneInfo("Europe/Vienna")
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"The machine that runs this may have other things to do."
ENV: Mapping[str, Type] = {
    "language": TEXT,
    "t": TEXT,
    "ot": optional(TEXT),
    "n": INTEGER,
    "on": optional(INTEGER),
    "d": DECIMAL,
    "b": BOOLEAN,
    "ob": optional(BOOLEAN),
    "day": DATE,
    "now": DATETIME,
    "today": DATE,
    "clock": TIME,
    "at": DATETIME,
    "r": RECORDING,
    "or1": optional(RECORDING),
    "items": Type("list", item=TEXT),
    "nums": Type("list", item=optional(INTEGER)),
    "o": Type("object", fields={"a": optional(TEXT), "n": INTEGER, "r": optional(RECORDING)}),
    "oo": Type("object", optional=True, fields={"a": TEXT}),
}

texts = st.sampled_from(["", "a", "ab", "12", "cancel", "09:40", "x y"])
integers = st.integers(-12, 12)
recordings = st.builds(
    Recording,
    seconds=st.floats(0, 60),
    media=st.none(),
    transcript=st.none() | texts,
    confidence=st.none() | st.floats(0, 1),
)
names = st.fixed_dictionaries(
    {
        "language": st.sampled_from(["en-US", "de-DE", "fr-FR", "es-MX", "pl-PL", "?"]),
        "t": texts,
        "ot": st.none() | texts,
        "n": integers,
        "on": st.none() | integers,
        "d": st.decimals(-99, 99, places=2),
        "b": st.booleans(),
        "ob": st.none() | st.booleans(),
        "day": st.dates(date(2000, 1, 1), date(2030, 1, 1)),
        "now": st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(VIENNA)),  # noqa: DTZ001
        "today": st.dates(date(2000, 1, 1), date(2030, 1, 1)),
        "clock": st.times(),
        "at": st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "r": recordings,
        "or1": st.none() | recordings,
        "items": st.lists(texts, max_size=3).map(tuple),
        "nums": st.lists(st.none() | integers, max_size=3).map(tuple),
        "o": st.fixed_dictionaries({"a": st.none() | texts, "n": integers, "r": st.none() | recordings}),
        "oo": st.none() | st.fixed_dictionaries({"a": texts}),
    }
)

leaves = st.sampled_from(
    [
        *ENV,
        *("r.transcript", "or1.seconds", "o.a", "o.n", "o.r.confidence", "oo.a", "items[n]", "nums[0]", "t[1]", "zzz"),
        *(
            "'a'",
            "'12'",
            "'09:40'",
            "'2026-11-24'",
            "'12-24'",
            "'2026-11-24T09:40'",
            "''",
            "0",
            "2",
            "1.5",
            "true",
            "false",
            "none",
        ),
    ]
)
OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
filters = st.sampled_from(
    [*FILTERS, "round(2)", "round(0)", "money('EUR')", "money('SEK')", "plural(zero='no', one='a', other='#')"]
)


def _grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, parts, st.sampled_from(OPERATORS), parts),
        st.builds("{} {} {} {} {}".format, parts, st.sampled_from(OPERATORS), parts, st.sampled_from(OPERATORS), parts),
        st.builds("({} if {} else {})".format, parts, parts, parts),
        st.builds("({} is none)".format, parts),
        st.builds("({} is not none)".format, parts),
        st.builds("not {}".format, parts),
        st.builds("{} in [{}, {}]".format, parts, parts, leaves),
        st.builds("({} not in [{}])".format, parts, leaves),
        st.builds("({} {} {} {})".format, parts, st.sampled_from("+-"), parts, st.sampled_from([*UNITS])),
        st.builds("(-{})".format, parts),
        st.builds("({} | {})".format, parts, filters),
        st.builds("({} or {} | {})".format, parts, parts, filters),
        # what guards look like: it makes narrowing matter
        st.builds("({} and {})".format, leaves, parts),
        st.builds("({} is none or {})".format, leaves, parts),
    )


sources = st.recursive(leaves, _grown, max_leaves=6)


def compiled(source: str) -> Expression:
    try:
        return compile_expression(source)
    except ExpressionError:
        assume(False)
        raise


def conforms(value: Value, type_: Type) -> bool:
    """Return whether a value is of a type, as deep as it goes."""
    if value is None:
        return type_.optional
    found = kind(value)
    match type_.name:
        case "decimal":
            return found in NUMBERS
        case "mixed":
            return found in SPOKEN
        case "list":
            return type_.item is None or all(conforms(entry, type_.item) for entry in value)
        case "object" if isinstance(value, Mapping):
            return all(conforms(value.get(name), field) for name, field in type_.fields.items())
        case "recording":
            return isinstance(value, Recording) and all(
                getattr(value, name) is not None
                for name, field in type_.fields.items()
                if name in RECORDING_FIELDS and not field.optional
            )
        case name:
            return found == name


@given(sources, names)
@settings(BUSY, max_examples=200)
@example("zzz[0].x ~ 'a'", {})
def test_an_expression_has_a_value_or_fails_as_it_should(source: str, values: dict[str, Value]) -> None:
    expression = compiled(source)
    type_, errors = infer(expression, ENV)
    assert type_ is not None
    assert all(error.length > 0 for error in errors)
    try:
        holds = expression.test(values)
    except ExpressionFailed:
        return
    assert holds in {True, False}


@given(sources, names)
@settings(BUSY, max_examples=600)
def test_what_the_check_accepts_never_meets_a_value_of_the_wrong_kind(source: str, values: dict[str, Value]) -> None:
    expression = compiled(source)
    type_, errors = infer(expression, ENV)
    if errors:
        return  # three in four; the rest is what this is about
    try:
        value = expression.value(values)
    except WrongKind as failure:
        raise AssertionError(f"{source} was accepted as {type_}") from failure
    except ExpressionFailed:
        return  # a division by zero, a number or a text out of bounds: no type tells
    assert conforms(value, type_), f"{source} was inferred as {type_}, and is {value!r}"


@given(sources, names)
@settings(BUSY, max_examples=200)
def test_what_is_accepted_as_a_guard_or_as_spoken_text_never_fails_for_its_types(
    source: str, values: dict[str, Value]
) -> None:
    guard, template = compiled(source), compile_template("{{ " + source + " }}")
    try:
        if not check_guard(guard, ENV):
            guard.test(values)
        if not check_text(template, ENV):
            assert template.single
            assert template.text(values) == " ".join(spoken(template.single.value(values), values).split())
    except WrongKind as failure:
        raise AssertionError(f"{source} was accepted") from failure
    except ExpressionFailed:
        return


def outcome(read: Callable[[str], Expression | Template], source: str) -> str:
    """Read a source and evaluate it: every error that is not ours passes through."""
    try:
        made = read(source)
        return repr(made.value({"x": "a"}))
    except ExpressionError as error:
        return source[error.offset :] + error.message
    except ExpressionFailed as failure:
        return str(failure)


@given(st.text(max_size=60))
@settings(BUSY, max_examples=300)
@example("{{")
@example("{{ x | }}")
@example("{{ {} }}")
@example("{{ x is none(")
def test_any_text_is_read_or_refused(source: str) -> None:
    assert outcome(compile_expression, source)
    assert outcome(compile_template, source)


SIGNS = r"""( ) [ ] { } {{ }} {% %} {# . , : | is not none if else x upper 1 1.5 'a' ' " \ ** = __class__"""
signs = st.sampled_from([*OPERATORS, *SIGNS.split(), "\n", "{{ x }}"])


@given(st.lists(signs, max_size=14).map(" ".join))
@settings(BUSY, max_examples=300)
def test_any_row_of_signs_is_read_or_refused(source: str) -> None:
    assert outcome(compile_expression, source)
    assert outcome(compile_template, source)


def test_the_random_values_are_of_the_types_they_claim() -> None:
    values: dict[str, Value] = {
        "t": "a",
        "d": Decimal("1.5"),
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "clock": time(9, 40),
        "o": {"a": None, "n": 1, "r": None},
    }
    assert all(conforms(value, ENV[name]) for name, value in values.items())
    assert not conforms("a", INTEGER)
