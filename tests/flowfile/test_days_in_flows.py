"""Days in whole flows: the fact `today`, variables of that name, and words that fit no variable (LANGUAGE C10, C11)."""

from datetime import date

import pytest

from tests.caller import STARTED, Caller
from tests.flowfile.reading import codes, flow, said

BOOKING = """
timeZone: Europe/Vienna
variables: {wish: {type: date}}
states:
  start:
    digits: {prompt: Which day?, minDigits: 8, maxDigits: 8, into: wish}
    next:
      - {guard: wish < today, target: past}
      - {guard: wish > today + 30 days, target: late}
      - {guard: "wish in ['12-24', '2026-12-08']", target: closed}
      - good
  past: {say: It is over., next: bye}
  late: {say: Too late., next: bye}
  closed: {say: We are closed., next: bye}
  good: {say: "Until {{ wish | date }}.", next: bye}
"""
HOURS_TO_MIDNIGHT = 13
"From STARTED, in Vienna."


@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        ("19112026", "It is over."),
        ("20112026", "Until Friday, November 20."),
        ("08122026", "We are closed."),
        ("20122026", "Until Sunday, December 20."),
        ("21122026", "Too late."),
    ],
)
def test_a_day_that_was_keyed_is_compared_with_today(keys: str, heard: str) -> None:
    assert Caller(flow(BOOKING)).presses(keys).heard.startswith(heard)


def test_today_ends_at_midnight_in_the_flows_zone() -> None:
    booking = flow(BOOKING)
    before, after = (
        Caller(booking, now=STARTED + HOURS_TO_MIDNIGHT * 3600 + seconds).presses("20112026") for seconds in (-5, 5)
    )
    assert before.heard.startswith("Until")
    assert after.heard.startswith("It is over.")


def test_the_day_it_is_can_be_kept() -> None:
    kept = flow("""
variables: {first: {type: date, default: none}}
states:
  start: {decide: [{guard: first is none, set: {first: "{{ today }}"}, target: tell}, tell]}
  tell: {say: "{{ first | date if first else 'never' }}", next: bye}
""")
    caller = Caller(kept)
    assert caller.heard.startswith("Friday, November 20")
    assert caller.variable("first") == date(2026, 11, 20)


def test_a_variable_that_is_called_today_is_the_one_that_is_meant() -> None:
    own = flow("""
variables: {today: {type: text, default: none}}
states:
  start: {decide: [{guard: today is none, set: {today: "{{ now | weekday }}"}, target: tell}, tell]}
  tell: {say: "{{ today or 'some day' }}", next: bye}
""")
    assert Caller(own).heard.startswith("Friday")
    assert said("""
start:
  menu: {prompt: To key it press 1. To go on press 2., choices: {key_it: {dtmf: "1"}, go: {dtmf: "2"}}}
  on: {key_it: ask, go: tell}
ask: {digits: {prompt: Which day is it?, into: today}, next: tell}
tell: {say: "{{ today | digits }}", next: bye}
""") == [
        (
            'unset: "today" may have no value here. It is not set on the path start → tell. '
            'Set it before, or add a "default".'
        )
    ]


def test_the_fact_cannot_be_set() -> None:
    assert said('start: {say: Hello., set: {today: "{{ now }}"}, next: bye}') == [
        'undefined: "today" is a fact and cannot be set. Facts that can be set: language, outcome.'
    ]


KEEPING = """
variables: {kept: {type: %s, default: "%s"%s}}
states:
  start: {decide: [{guard: call.from, set: {kept: "%s"}, target: use}, use]}
  use: {decide: [{guard: kept != '%s', target: bye}, bye]}
"""
DATE, INTEGER = ("date", "2026-01-01", ""), ("integer", "1", "")
TODAY = 'Write "{{ today }}" for the current date.'


def kept(variable: tuple[str, str, str], text: str) -> list[str]:
    type_, default, more = variable
    found = said(KEEPING % (type_, default, more, text, default))
    return [message for message in found if "compared" not in message]


@pytest.mark.parametrize(
    ("variable", "text", "filter_", "suggestion"),
    [
        (DATE, "{{ now | date }}", "date", TODAY),
        (DATE, "{{ now | longDate }}", "longDate", TODAY),
        (DATE, "{{ now | weekday }}", "weekday", TODAY),
        (DATE, "{{ kept | date }}", "date", 'Write "{{ kept }}".'),
        (DATE, "{{ call.startedAt | date }}", "date", "It has type date, such as 2026-11-24."),
        (("time", "08:00", ""), "{{ now | time }}", "time", "It has type time, such as 09:40."),
        (("datetime", "2026-01-01T00:00Z", ""), "{{ now | datetime }}", "datetime", 'Write "{{ now }}".'),
        (INTEGER, "{{ visits.start | ordinal }}", "ordinal", 'Write "{{ visits.start }}".'),
        (INTEGER, "{{ 90 | duration }}", "duration", "It has type integer, such as 12."),
        (INTEGER, "{{ (now | date) if call.from else (now | time) }}", "date", "It has type integer, such as 12."),
        (INTEGER, "{{ (now | date) or (now | time) }}", "date", "It has type integer, such as 12."),
        (("boolean", "true", ""), "{{ 1 | number }}", "number", "It has type boolean, such as true or false."),
        (("text", "Mon", ", values: [Mon, Tue]"), "{{ now | weekday }}", "weekday", "Possible values: Mon, Tue."),
    ],
)
def test_words_that_can_never_fit_a_variable_are_the_error_that_the_literal_is(
    variable: tuple[str, str, str], text: str, filter_: str, suggestion: str
) -> None:
    message = f'type: "{filter_}" makes words to be spoken, and none of them is valid for "kept".'
    assert kept(variable, text) == [f"{message} {suggestion}"]


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            INTEGER,
            "no {{ visits.start }}",
            'No text with "no" in it is valid for "kept". It has type integer, such as 12.',
        ),
        (INTEGER, "{{ 1 }} {{ 2 }}", 'No text with " " in it is valid for "kept". It has type integer, such as 12.'),
        (DATE, "{{ now }}", f'"kept" has type date, but this is datetime. {TODAY}'),
        (INTEGER, "{{ today }}", '"kept" has type integer, but this is date.'),
    ],
)
def test_a_text_that_can_never_fit_is_an_error(variable: tuple[str, str, str], text: str, message: str) -> None:
    assert kept(variable, text) == [f"type: {message}"]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        (DATE, "{{ today }}"),
        (DATE, "2026-{{ 12 }}-{{ 24 }}"),
        (DATE, "{{ kept if call.to else today }}"),
        (INTEGER, "{{ visits.start | number }}"),
        (INTEGER, "{{ (now | date) if call.from else call.to }}"),
        (("text", "Monday", ", values: [Monday, Tuesday]"), "{{ now | weekday }}"),
        (("text", "x", ""), "{{ now | date }}"),
        (("text", "x", ""), "no {{ visits.start }}"),
    ],
)
def test_what_may_fit_is_no_error(variable: tuple[str, str, str], text: str) -> None:
    assert kept(variable, text) == []


def test_the_variable_today_is_not_advised_to_read_itself() -> None:
    text = """
variables: {today: {type: date, default: "2026-01-01"}}
states:
  start: {decide: [{guard: call.from, set: {today: "{{ now | date }}"}, target: use}, use]}
  use: {decide: [{guard: today == '12-24', target: bye}, bye]}
"""
    assert codes(text) == ["type"]
    assert 'The fact "today" is that date; delete the variable.' in said(text)[0]
