"""Texts with expressions in them: as values, and as they are spoken (LANGUAGE C1, C9)."""

from decimal import Decimal

import pytest

from ivr.engine.expressions.compile import compile_template
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        ("", "", ""),
        ("de", "de", "de"),
        ("  two\n words ", "  two\n words ", "two words"),
        ("{{ n }}", 4, "4"),
        ("{{ n }} ", "4 ", "4"),
        (" {{ n }}", " 4", "4"),
        ("{{n}}{{n}}", "44", "44"),
        ("No {{ n }}", "No 4", "No 4"),
        ("{{ absent }}", None, ""),
        ("a {{ absent }} b", "a  b", "a b"),
        ("{{-n}}", -4, "-4"),
        ("{{ d }}", Decimal("1.50"), "1.50"),
        ("{{ '{{' }}", "{{", "{{"),
        ("{{ '}}' ~ n }}!", "}}4!", "}}4!"),
        ("{{ '{% x %}' }}", "{% x %}", "{% x %}"),
        ("{{ items }}", ("x", "y"), "x and y"),
        ("{{ said }}", "{{ n }} {% x %}", "{{ n }} {% x %}"),
        ("You said {{ said }}.", "You said {{ n }} {% x %}.", "You said {{ n }} {% x %}."),
        ("{{ spaced }}", " a \n b ", "a b"),
    ],
)
def test_a_text_that_is_one_expression_keeps_its_type(source: str, value: Value, text: str) -> None:
    names: dict[str, Value] = {
        "n": 4,
        "d": Decimal("1.50"),
        "items": ("x", "y"),
        "said": "{{ n }} {% x %}",
        "spaced": " a \n b ",
    }
    template = compile_template(source)
    assert template.value(names) == value
    assert template.text(names) == text


def test_a_text_without_expressions_is_made_once() -> None:
    template = compile_template(" Hello \n there. ")
    assert template.literal
    assert template.single is None
    assert template.text({}) is template.text({})


def test_a_single_spoken_value_is_cut() -> None:
    template = compile_template("{{ a }}")
    assert template.text({"a": "x" * 5_000}) == "x" * 2_000
    assert template.value({"a": "x" * 5_000}) == "x" * 5_000


def test_a_text_of_many_long_values_fails() -> None:
    template = compile_template("{{ a }} " * 6)
    for make in (template.text, template.value):
        with pytest.raises(ExpressionFailed):
            make({"a": "x" * 2_000})


@pytest.mark.parametrize(
    ("source", "padded"),
    [
        ("{{ n }} ", True),
        ("\n{{ n }}", True),
        ("{{ n }}", False),
        ("a {{ n }}", False),
        ("{{ n }} {{ n }}", False),
        (" ", False),
    ],
)
def test_a_space_that_makes_text_of_a_value_is_noticed(source: str, padded: bool) -> None:
    template = compile_template(source)
    assert (template.padded is not None) is padded
    assert (template.single is not None) is (source == "{{ n }}")
