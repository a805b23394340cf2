"""Guards that no day, no time and no value decide, and what stands for all values (LANGUAGE C11)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.engine.expressions.check import check_guard
from ivr.engine.expressions.compile import compile_expression
from ivr.engine.expressions.types import ANY, DATE, DATETIME, DECIMAL, INTEGER, TEXT, TIME, Type, optional
from ivr.engine.flow import Variable
from ivr.engine.values import Value
from ivr.errors import ExpressionFailed
from ivr.flowfile.checks.constant_guards import Judges
from ivr.flowfile.checks.formulas import formula
from ivr.flowfile.checks.samples import Samples
from tests.flowfile.reading import codes, load, said, whole

FLOW = """
variables:
  opens: {type: time, default: "22:00"}
  closes: {type: time, default: "06:00"}
  first: {type: date, default: "2026-12-24"}
  holiday: false
  mode: normal
  rating: {type: integer, min: 1, max: 5}
  price: {type: decimal}
  size: {type: text, values: [small, large]}
  wish: {type: date}
  wakes: {type: time}
  name: {type: text}
  note: {type: text, default: none}
  mail: {type: recording, default: none}
  sure: {type: boolean, default: none}
states:
  start: {digits: {prompt: Rate., into: rating}, next: ask_price}
  ask_price: {digits: {prompt: What is the price?, into: price}, next: ask_size}
  ask_size:
    menu:
      prompt: For a small one press 1. For a large one press 2.
      choices: {small: {dtmf: "1"}, large: {dtmf: "2"}}
      into: size
    next: ask_wish
  ask_wish: {digits: {prompt: Which day?, minDigits: 8, maxDigits: 8, into: wish}, next: ask_time}
  ask_time: {digits: {prompt: When?, minDigits: 4, maxDigits: 4, into: wakes}, next: ask_name}
  ask_name: {digits: {prompt: Which name?, into: name}, next: keep}
  keep: {decide: [{guard: call.from, set: {note: x, sure: "true"}, target: tell}, tell]}
  tell: {record: {prompt: Speak., into: mail}, next: judge}
  judge: {decide: [{guard: "%s", target: bye}, bye]}
"""
DECIDED = {"never-true", "always-true"}


def found(guard: str) -> list[tuple[str, str]]:
    findings = load(whole(FLOW % guard)).findings
    assert not [each for each in findings if each.is_error], findings
    return [(each.code, each.excerpt[each.column - 1 :][: each.length]) for each in findings if each.code in DECIDED]


NEVER = [
    # times of day
    "now >= '22:00' and now < '06:00'",
    "'22:00' <= now < '06:00'",
    "opens <= now < closes",
    "now >= opens and closes > now",
    "call.from and now >= '22:00' and now < '06:00'",
    "now < '00:00'",
    "not (now >= '00:00')",
    "now + 2 hours < '06:00' and now > '05:00' and now < '12:00'",
    "wakes < '08:00' and wakes > '09:00'",
    "now < wakes and wakes < now",
    # days
    "(now | weekday) == 'Saturday' and (now | weekday) == 'Sunday'",
    "(now | weekday) in ['Saturday', 'Sunday'] and (now | weekday) not in ['Saturday', 'Sunday', 'Monday']",
    "'Samstag' in (now | weekday)",
    "today >= '12-24' and today <= '01-06'",
    "today == '12-24' and now == '12-25'",
    "today == '2026-12-24' and (today | weekday) == 'Sunday'",
    "first == today and (now | weekday) == 'Sunday'",
    "now > '2027-01-01' and today < '2026-01-01'",
    "now > '2026-12-24 18:00' and now < '2026-12-24T17:00Z'",
    "wish < today and wish > today + 30 days",
    "wish == '12-24' and (wish | date) == 'Friday, December 25'",
    "today + 1 week < today",
    # words
    "(now | date) == 'December 25'",
    "'Dezember' in (now | date)",
    "(now | longDate) == '24 December 2026'",
    "(now | longDate) == 'December 24, 2026' and now < '2026-12-24'",
    "(now | time) == '09:40 AM'",
    "'AM' in (now | time) and now > '13:00'",
    # values
    "rating == 0",
    "rating > 5",
    "rating > 2 and rating < 3",
    "rating == 2.5",
    "price > 3 and price < 3",
    "rating > visits.start and visits.start > rating",
    "visits.start < 0",
    "size != 'small' and size != 'large'",
    "name == 'a' and name == 'b'",
    "name and not name",
    "note is none and note == 'x'",
    "(name | lower) == 'ABC'",
    "'Cancel' in (name | lower)",
    "'a' in name and name == 'b'",
    "call.language == 'en' and call.language == 'de'",
    "mail and mail is none",
    "sure is none and sure == true",
]
ALWAYS = [
    "(now | weekday) != 'Saturday' or (now | weekday) != 'Sunday'",
    "now >= '08:00' or now < '17:00'",
    "today != '12-24' or today != '12-25'",
    "today >= '01-06' or today <= '12-24'",
    "wish >= today or wish <= today + 30 days",
    "name != 'a' or name != 'b'",
    "name not in ['a'] or name not in ['b']",
    "name == 'a' or 'b'",
    "'no'",
    "now >= '00:00'",
    "rating < 6",
    "visits.start >= 0",
    "sure is none or sure or not sure",
    "call.from is none or call.from != none",
]
NEITHER = [
    "now >= '22:00' or now < '06:00'",
    "'00:00' <= now < '08:00'",
    "opens <= now or now < closes",
    "(now | weekday) == 'Sunday' or (now | weekday) == 'Saturday'",
    "'Sun' in (now | weekday)",
    "'December' in (now | date)",
    "(now | date) == 'Friday, December 25' and (now | time) == '9:40 AM'",
    "(now | longDate) == 'December 24, 2026'",
    "'Tuesday, November 24 at 9:40 AM' == (now | datetime) or call.from",
    "today == '2026-12-24' and (today | weekday) == 'Thursday'",
    "today == '12-24' and (today | weekday) == 'Sunday'",
    "today == '02-29' and (today | weekday) == 'Monday'",
    "today > '2026-12-24' and today == '03-01' and (today | weekday) == 'Monday'",
    "today in ['12-24', '2026-12-31'] and now > '12:00'",
    "wish < today or wish > today + 30 days",
    "today <= wish <= today + 30 days",
    "today + rating days == wish and wish < today",
    "today + 200000 days < wish",
    "now + 2 hours < '06:00' and now > '23:00'",
    "call.startedAt < '08:00' and now > '20:00'",
    "now > '2026-12-24 16:00' and now < '2026-12-24 17:00'",
    # what is switched by hand, and what is looked at twice
    "holiday",
    "holiday and now < '08:00'",
    "mode == 'test' and (now | weekday) == 'Sunday'",
    "opens < closes",
    "true",
    "none",
    "wish is not none and wish < today",
    "mail",
    "mail is not none and mail.transcript",
    # values
    "name != 'a' and name != 'b'",
    "name == 'a' or name == 'b' or name == 'c' or name == 'd' or name == 'e' or name == 'f'",
    "'a' in name and 'b' in name and not 'c' in name",
    "'a' in name and 'b' in name and 'c' in name and 'd' in name",
    "name in 'small'",
    "name < 'm' and name > 'n'",
    "(name | lower) == 'abc'",
    "(now | weekday) == name",
    "rating >= 2 and rating <= 4",
    "price > 2 and price < 3",
    "(name | length) > 5",
    "name ~ note == 'x' if note else sure",
    "sure",
    "size == 'medium'",
]


@pytest.mark.parametrize("guard", NEVER)
def test_what_nothing_makes_true_is_found(guard: str) -> None:
    assert [code for code, _ in found(guard)] == ["never-true"]


@pytest.mark.parametrize("guard", ALWAYS)
def test_what_is_always_true_is_found(guard: str) -> None:
    assert found(guard) == [("always-true", guard)]


@pytest.mark.parametrize("guard", NEITHER)
def test_what_can_be_either_is_not_found(guard: str) -> None:
    assert found(guard) == []


@pytest.mark.parametrize(
    ("guard", "code", "marked"),
    [
        ("call.from or (now >= '22:00' and now < '06:00')", "never-true", "now >= '22:00' and now < '06:00'"),
        ("holiday or (now | date) == 'December 25'", "never-true", "now | date) == 'December 25'"),
        (
            "holiday and not (today != '12-24' or today != '12-25')",
            "always-true",
            "today != '12-24' or today != '12-25'",
        ),
        ("(name == 'a' or 'b') and call.from", "always-true", "name == 'a' or 'b'"),
        ("sure if rating > 5 else call.from is none", "never-true", "rating > 5"),
    ],
)
def test_the_smallest_part_is_told(guard: str, code: str, marked: str) -> None:
    assert found(guard) == [(code, marked)]


LIST = 'or use a list: "…'
DAY = "Compare the date: today == '12-25'."


@pytest.mark.parametrize(
    ("guard", "advice"),
    [
        ("now >= '22:00' and now < '06:00'", 'A range of hours over midnight needs "or".'),
        ("opens <= now < closes", 'A range of hours over midnight needs "or".'),
        ("today >= '12-24' and today <= '01-06'", 'A range of days over New Year needs "or".'),
        ("name == 'a' and name == 'b'", f"Write \"or\" between the comparisons, {LIST} in ['a', 'b']\"."),
        ("(now | date) == 'December 25'", f"\"date\" gives a text like \"Friday, December 25\". {DAY}"),
        ("(name | lower) == 'ABC'", ""),
        ("price > 3 and price < 3", ""),
        ("name != 'a' or name != 'b'", f"Write \"and\" between the comparisons, {LIST} not in ['a', 'b']\"."),
        ("name == 'a' or 'b'", f"Compare each text separately, {LIST} in ['a', 'b']\"."),
        ("now >= '08:00' or now < '17:00'", ""),
    ],
)  # fmt: skip
def test_it_is_told_what_was_probably_meant(guard: str, advice: str) -> None:
    assert [each.suggestion for each in load(whole(FLOW % guard)).findings if each.code in DECIDED] == [advice]


def test_a_branch_that_those_before_it_leave_out_is_found() -> None:
    text = """
start:
  decide:
    - {guard: now >= '08:00', target: open}
    - {guard: now >= '12:00', target: lunch}
    - {guard: now < '06:00', target: open}
    - bye
open: {say: We are here., next: bye}
lunch: {say: We are eating., next: bye}
"""
    message = "never-true: The branches before this one already cover its guard. Put it before them, or delete it."
    assert said(text) == [message]
    assert codes(text.replace("now >= '12:00'", "call.from")) == []
    assert codes(text.replace("{guard: now >= '08:00', target: open}", "{guard: call.from, target: open}")) == []


def test_many_branches_are_not_looked_at_together() -> None:
    branches = "\n".join(f"    - {{guard: now >= '{22 - hour:02}:00', target: open}}" for hour in range(12))
    text = f"start:\n  decide:\n{branches}\n    - {{guard: now > '23:00', target: open}}\n    - bye\n"
    assert codes(f"{text}open: {{say: We are here., next: bye}}\n") == []


def test_what_is_too_much_to_try_is_left_alone() -> None:
    several = " and ".join(f"visits.start > {number} and call.to != '{number}'" for number in range(14))
    assert found(several) == []
    many = " and ".join(f"('{letter}' in call.from or call.to == '{letter}')" for letter in "abcdefghijk")
    assert found(f"call.from and {many}") == []
    words = "(now | date) == (now | time) and (now | weekday) ~ (now | time) == 'x'"
    assert found(words) == []


# --- what is found is so ---------------------------------------------------------------------------------------------

ENV: dict[str, Type] = {
    "now": DATETIME,
    "today": DATE,
    "wish": DATE,
    "maybe": optional(DATE),
    "wakes": TIME,
    "name": TEXT,
    "note": optional(TEXT),
    "n": INTEGER,
    "price": DECIMAL,
    "closes": TIME,
    "holiday": Type("boolean"),
}
KEPT: dict[str, Value] = {"closes": time(17), "holiday": False}
CONDITIONS = [
    *("now < '08:00'", "now >= '17:00'", "now >= closes", "wakes < now", "wakes >= '08:00'", "wakes == '08:00'"),
    *("(now | weekday) == 'Sunday'", "(now | weekday) in ['Monday', 'Sunday']", "'day' in (wish | weekday)"),
    *("today == '12-24'", "now >= '12-24'", "wish <= '01-06'", "wish < today", "wish > today + 30 days"),
    *("today == '2026-12-24'", "now > '2026-12-24 18:00'", "now + 2 hours < '06:00'", "wish - 1 week == now"),
    *("(today | date) == 'Thursday, December 24'", "'December' in (now | date)", "(now | time) == '9:40 AM'"),
    *("maybe is none", "maybe == '12-24'", "note is none", "note == 'a'", "note", "holiday", "name in ['a', 'b']"),
    *("name == 'a'", "name != 'b'", "(name | lower) == 'a'", "'b' in name", "n > 2", "n < 3", "n != 2.5", "price > 2"),
    *("price <= 2.5", "n == price", "'08:00' <= now < '17:00'", "'12-20' <= today <= '12-31'", "true", "'x'"),
]
conditions = st.recursive(
    st.sampled_from(CONDITIONS),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)
days = st.one_of(
    st.sampled_from([date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 6), date(2028, 2, 29)]),
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
)
clocks = st.one_of(st.sampled_from([time(8), time(9, 40), time(17), time(0), time(6), time(4)]), st.times())


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """Make what a guard can meet in one call."""
    today = draw(days)
    near = st.integers(-40, 40).map(lambda by: today + timedelta(days=by))
    return {
        "now": datetime.combine(today, draw(clocks), UTC),
        "today": today,
        "wish": draw(days | near),
        "maybe": draw(st.none() | days),
        "wakes": draw(clocks),
        "name": draw(st.sampled_from(["", "a", "b", "A", "ab", "z"])),
        "note": draw(st.none() | st.sampled_from(["", "a", "z"])),
        "n": draw(st.integers(-3, 6)),
        "price": draw(st.decimals(-3, 6, places=2)),
        **KEPT,
        "holiday": draw(st.booleans()),
    }


@given(conditions, st.lists(calls(), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_said_to_be_decided_is_so_in_every_call(guard: str, met: list[dict[str, Any]]) -> None:
    expression = compile_expression(guard)
    if check_guard(expression, ENV):
        return
    judges = Judges(KEPT, Samples({"n": Variable("n", INTEGER)}))
    asked = formula(expression.node)
    verdict = judges.of(asked, ENV).get(id(asked))
    if verdict is None or (verdict.true and verdict.false):
        return
    for call in met:
        try:
            assert expression.test(call) is verdict.true, f"{guard} was said to be {verdict.true} always, with {call}"
        except ExpressionFailed:
            continue


def test_of_a_type_that_is_not_known_no_values_are_tried() -> None:
    assert list(Samples({}).of("x", ANY, [], [])) == []
