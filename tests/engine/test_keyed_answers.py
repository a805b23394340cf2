"""What keys alone can say: an amount with its point first or last, and nothing at all (LANGUAGE C4, C10)."""

from decimal import Decimal

import pytest

from tests.caller import Caller
from tests.flows import flow_of

AMOUNT = """
flow: amount
initial: ask
on: {exhausted: bye, error: bye}
variables: {spent: {type: decimal, min: 0, default: none}}
states:
  ask:
    digits: {prompt: How much?, noMatch: Bad amount., minDigits: 0, into: spent}
    next: told
  told:
    say: [{guard: spent is not none, text: "Amount {{ spent | number }}."}, {guard: spent is none, text: Nothing.}]
    final: true
  bye: {say: Goodbye., final: true}
"""


@pytest.mark.parametrize(
    ("keys", "heard", "kept"),
    [
        ("*50", "Amount 0.5.", Decimal("0.50")),
        ("5*", "Amount 5.", Decimal(5)),
        ("12*5", "Amount 12.5.", Decimal("12.5")),
        ("", "Nothing.", None),
    ],
)
def test_c10_an_amount_is_understood_wherever_its_point_is_keyed(keys: str, heard: str, kept: Decimal | None) -> None:
    caller = Caller(flow_of(AMOUNT)).presses(keys, "terminator").hears(heard)
    assert caller.variable("spent") == kept


@pytest.mark.parametrize("keys", ["*", "1*2*3", "**5"])
def test_c10_what_is_no_amount_is_asked_again(keys: str) -> None:
    Caller(flow_of(AMOUNT)).presses(keys, "terminator").hears("Bad amount. How much?")


def test_c4_pound_alone_is_no_answer_where_a_value_is_needed() -> None:
    needed = flow_of(AMOUNT.replace(", default: none", ""))
    Caller(needed).presses("", "terminator").hears("Bad amount. How much?")
