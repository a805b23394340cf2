"""Questions that no keys can answer, and answers that are meant to be possible and are not (LANGUAGE C4, C10)."""

import pytest

from tests.flowfile.reading import codes, said

FLOW = """
variables: {d: TYPE}
states:
  start: {digits: {prompt: Key it., into: d, KEYS}, next: told}
  told: {decide: [{guard: d, target: bye}, bye]}
"""


def found(type_: str, keys: str) -> list[str]:
    text = FLOW.replace("TYPE", type_).replace(", KEYS", f", {keys}" if keys else "")
    told = [line.partition(": ") for line in said(text)]
    return [message for code, _, message in told if code == "no-answer"]


@pytest.mark.parametrize(
    ("type_", "keys", "message"),
    [
        ("{type: integer, min: 10, max: 5}", "", "No value is at least 10 and at most 5."),
        ("{type: decimal, min: 1.5, max: 1}", "", "No value is at least 1.5 and at most 1."),
        ("{type: date, min: '2027-01-01', max: '2026-01-01'}", "", "No value is at least 2027-01-01"),
        ("{type: time, min: '17:00', max: '08:00'}", "", "No value is at least 17:00:00 and at most 08:00:00."),
        ("{type: time, min: '09:40:10', max: '09:40:50'}", "", "No time of day is of at least 09:40:10"),
        ("{type: integer, max: -1}", "", "Negative numbers cannot be keyed, and the maximum is -1."),
        ("{type: decimal, max: -0.5}", "", "Negative numbers cannot be keyed, and the maximum is -0.5."),
        ("{type: integer}", "minDigits: 19", "A number has at most 18 digits, but 19 to 20 keys are required."),
        ("{type: decimal, min: 100}", "maxDigits: 2", "With 2 keys, no number of at least 100 can be keyed."),
        ("{type: decimal, min: 0.5, max: 0.7}", "maxDigits: 1", "With 1 key, no number"),
        ("{type: decimal, min: 1.1, max: 1.9}", "terminators: '*'", "With 20 keys, no number"),
        ("{values: ['12345', '54321']}", "maxDigits: 4", "None of the values can be keyed here with 1 to 4 keys"),
        ("{values: ['1', '2']}", "minDigits: 2, maxDigits: 2", "None of the values can be keyed here with 2 keys"),
        ("{values: ['1*', '2*']}", "terminators: '*'", "None of the values can be keyed here"),
        ("{values: [yes, no, maybe, never]}", "", 'None of the values can be keyed: "yes", "no", "maybe", ….'),
    ],
)
def test_a_question_that_no_keys_can_answer_is_refused(type_: str, keys: str, message: str) -> None:
    [told] = found(type_, keys)
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("type_", "keys", "message"),
    [
        ("{type: decimal}", "terminators: '*'", '"*" ends the input here, but is also the decimal point.'),
        ("{type: integer}", "terminators: '0#'", '"0" ends the input here, but is also part of an answer.'),
        ("{values: ['10', '20']}", "terminators: '0'", "None of the values can be keyed"),
        ("{values: ['10', '2']}", "terminators: '0'", '"10" can never be keyed'),
        ("{type: integer}", "minDigits: 0", 'An empty answer is rejected: "d" needs a value.'),
        ("{type: date}", "minDigits: 0, maxDigits: 8", 'An empty answer is rejected: "d" needs a value.'),
        ("{values: ['1', '2']}", "minDigits: 0", 'An empty answer is rejected: "d" needs a value.'),
        ("{type: text}", "minDigits: 0, terminators: none", "An empty answer is not possible"),
        ("{values: ['123', '12345']}", "maxDigits: 4", '"12345" can never be keyed'),
    ],
)
def test_an_answer_that_is_meant_and_cannot_be_given_is_told(type_: str, keys: str, message: str) -> None:
    assert found(type_, keys)[0].startswith(message)


@pytest.mark.parametrize(
    ("type_", "keys"),
    [
        ("{type: integer, min: 5, max: 5}", "maxDigits: 1"),
        ("{type: integer, min: 5}", "minDigits: 4, maxDigits: 4"),
        ("{type: decimal, min: 0.5, max: 0.7}", "maxDigits: 2"),
        ("{type: decimal, min: 0.05, max: 0.07}", "maxDigits: 3"),
        ("{type: decimal, min: -5, max: 1}", "terminators: '#'"),
        ("{type: date, min: '2026-01-01', max: '2026-01-01'}", "minDigits: 8, maxDigits: 8"),
        ("{type: time, min: '09:40', max: '09:40'}", "minDigits: 4, maxDigits: 4"),
        ("{values: ['1', '22']}", "maxDigits: 2"),
        ("{values: ['1', other]}", ""),
        ("{values: ['1', '22222'], default: '22222'}", "maxDigits: 2"),
        ("{type: integer, default: none}", "minDigits: 0"),
        ("{type: text}", "minDigits: 0"),
        ("{type: text}", "terminators: '0'"),
    ],
)
def test_a_question_that_can_be_answered_is_left_alone(type_: str, keys: str) -> None:
    assert found(type_, keys) == []


def test_limits_of_what_nobody_is_asked_for_are_only_doubted() -> None:
    text = "variables: {d: {type: integer, default: none, min: 2, max: 1}}\nstates:\n"
    text += "  start: {say: [Hi., {guard: d, text: Ho.}], next: bye, set: {d: none}}\n"
    assert [line for line in said(text) if line.startswith("no-answer")] == [
        'no-answer: No value is at least 2 and at most 1. Swap "min" and "max".'
    ]


def test_an_empty_answer_is_only_doubted_where_the_rest_is_known() -> None:
    assert found("{type: integer}", "minDigits: 0, maxAttempts: many") == []


def test_an_answer_that_is_kept_by_no_name_may_be_empty() -> None:
    assert said("start: {digits: {prompt: Key it., minDigits: 0}, next: bye}") == []
    text = "start: {digits: {prompt: Key it., minDigits: 0, terminators: none}, next: bye}"
    assert [line.partition(":")[0] for line in said(text)] == ["no-answer"]


def test_the_share_that_is_kept_is_one_of_the_shares() -> None:
    flow = """
start: {split: {name: wording, shares: {short: 50, long: 50}, into: share}, next: tell}
tell:
  decide:
    - {guard: share == 'GUARD', target: bye}
    - bye
"""
    assert "never-equal" not in codes(flow.replace("GUARD", "short"))
    assert "never-equal" in codes(flow.replace("GUARD", "medium"))
