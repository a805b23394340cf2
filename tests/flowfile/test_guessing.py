"""A private answer cannot be tried without end (LANGUAGE C12)."""

import pytest

from tests.flowfile.reading import codes

PIN = """
start:
  digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}
  next: NEXT
right: {say: Right., next: bye}
"""


@pytest.mark.parametrize(
    "transition",
    [
        "[{guard: pin == '2468', target: right}, start]",
        "[{guard: pin == '2468', target: right}, self]",
        "[{guard: digits == '2468', target: right}, start]",
        "[{guard: pin != '2468', target: start}, right]",
        "[{guard: not pin == '2468', target: start}, right]",
        "[{guard: \"pin in ['2468', '1357']\", target: right}, start]",
        "[{guard: pin == '2468', target: right}, {guard: \"pin < '5' and call.to == '1'\", target: bye}, start]",
        "[{guard: pin | length == 4 and pin == '2468', target: right}, start]",
        "[{guard: pin == '2468' and call.from, target: right}, {guard: visits.start < 3, target: self}, start]",
        "[{guard: pin == '2468', target: right}, {guard: visits.right < 3, target: start}, bye]",
    ],
)
def test_a_wrong_pin_that_leads_back_is_told(transition: str) -> None:
    assert "guessing" in codes(PIN.replace("NEXT", transition))


@pytest.mark.parametrize(
    "transition",
    [
        "[{guard: pin == '2468', target: right}, {guard: visits.start < 3, target: start}, bye]",
        "[{guard: pin == '2468', target: right}, bye]",
        "[{guard: pin == '2468', target: start}, bye]",
        "[{guard: pin, target: start}, right]",
        "right",
    ],
)
def test_a_bound_or_an_end_is_enough(transition: str) -> None:
    assert "guessing" not in codes(PIN.replace("NEXT", transition))


def test_a_wrong_pin_may_come_back_by_other_states() -> None:
    text = PIN.replace("NEXT", "judge") + "judge: {decide: [{guard: pin == '2468', target: right}, sorry]}\n"
    assert "guessing" in codes(text + "sorry: {say: That is not right., next: start}\n")
    menu = '{menu: {prompt: To try again press 1., choices: {again: {dtmf: "1"}}}, on: {again: start}}'
    assert "guessing" in codes(text + f"sorry: {menu}\n")
    assert "guessing" not in codes(text + f"sorry: {menu.replace('again: start', 'again: bye')}\n")


def test_tries_may_be_counted_by_a_variable() -> None:
    text = "variables: {tries: 0}\nstates:\n" + "".join(f"  {line}\n" for line in PIN.splitlines())
    counted = "{guard: tries < 3, set: {tries: '{{ tries + 1 }}'}, target: start}"
    transition = f"[{{guard: pin == '2468', target: right}}, {counted}, bye]"
    assert "guessing" not in codes(text.replace("NEXT", transition))


def test_what_the_question_itself_judges_is_bounded_only_within_it() -> None:
    text = "variables: {pin: {values: ['2468']}}\nstates:\n" + "".join(f"  {line}\n" for line in PIN.splitlines())
    text = (
        text.replace("NEXT", "told\n    on: {exhausted: AFTER}")
        + "  told: {decide: [{guard: pin, target: right}, bye]}\n"
    )
    again = '  more: {menu: {prompt: To try again press 1., choices: {again: {dtmf: "1"}}}, on: {again: start}}\n'
    assert "guessing" in codes(text.replace("AFTER", "more") + again)
    assert "guessing" not in codes(text.replace("AFTER", "bye"))


def test_what_is_not_private_may_be_tried() -> None:
    transition = "[{guard: pin == '2468', target: right}, start]"
    assert "guessing" not in codes(PIN.replace(", sensitive: true", "").replace("NEXT", transition))
    assert "guessing" not in codes(PIN.replace("NEXT", transition.replace("start", "nowhere")))
