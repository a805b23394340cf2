"""The check `closed`, and what guards ask of calendars (LANGUAGE C15)."""

import pytest

from tests.flowfile.reading import codes, said

HEAD = """
calendars:
  office: {weekly: {mon-fri: "09:00-17:00"}}
  shop: {weekly: {mon-sat: "09:00-17:00"}, holidays: {country: AT}}
states:
"""
OPEN = "  open: {say: We are here., next: bye}\n"


def found(states: str) -> bool:
    return "closed" in codes(
        HEAD + states + "  used: {say: '{{ calendar.shop.open }} {{ calendar.office.open }}', next: bye}\n"
    )


@pytest.mark.parametrize(
    "decide",
    [
        "[{guard: calendar.office.open, target: open}, bye]",
        "[{guard: not calendar.office.open, target: bye}, open]",
        "[{guard: call.from and calendar.office.open, target: open}, {guard: call.from, target: used}, bye]",
        "[{guard: calendar.office.open == true, target: open}, bye]",
        "[{guard: calendar.office.open, target: open}, {guard: call.from, say: We are closed., target: bye}, bye]",
    ],
)
def test_who_calls_while_it_is_closed_must_not_only_be_sent_away(decide: str) -> None:
    assert found(f"  start: {{decide: {decide}}}\n{OPEN}")


@pytest.mark.parametrize(
    "closed",
    [
        '{say: "We open on {{ calendar.office.nextOpen | datetime }}.", next: bye}',
        '{say: "We open on {{ calendar.office.days(3) | list }}.", next: bye}',
        "{say: We open at 9., next: bye}",
        "{record: {prompt: Please leave a message., into: message}, next: bye}",
        "{say: Please wait., next: later}\n  later: {say: We open at 9., next: bye}",
    ],
)
def test_a_message_or_a_time_is_enough(closed: str) -> None:
    assert not found(
        f"  start: {{decide: [{{guard: calendar.office.open, target: open}}, closed]}}\n{OPEN}  closed: {closed}\n"
    )


def test_a_time_can_be_said_on_the_way() -> None:
    branches = "[{guard: calendar.office.open, target: open}, {guard: call.from, say: We open at 9., target: bye}, bye]"
    assert not found(f"  start: {{decide: {branches}}}\n{OPEN}")


def test_what_only_an_open_calendar_leads_to_helps_nobody_while_it_is_closed() -> None:
    states = """\
  start: {decide: [{guard: calendar.office.open, target: open}, again]}
  again: {say: Again., next: [{guard: calendar.office.open, target: message}, bye]}
  message: {record: {prompt: Please leave a message., into: message}, next: bye}
"""
    assert found(states + OPEN)


def test_each_calendar_is_looked_at_once_and_one_of_two_is_no_reason() -> None:
    both = "{decide: [{guard: calendar.office.open or calendar.shop.open, target: open}, bye]}"
    assert not found(f"  start: {both}\n{OPEN}")


def test_of_ways_that_are_not_all_known_nothing_is_said() -> None:
    start = "  start: {decide: [{guard: calendar.office.open, target: open}, odd]}\n"
    assert not found(f"{start}{OPEN}  odd: {{sya: We are closed., next: bye}}\n")
    assert found(f"{start}{OPEN}  odd: {{say: We are closed., next: bye}}\n  other: {{sya: Hello.}}\n")


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        (
            "calendar.shop.reason == 'holidays'",
            '"calendar.shop.reason" is never "holidays" here. Did you mean "holiday"?',
        ),
        ("calendar.office.reason == 'holiday'", '"calendar.office.reason" is never "holiday" here.'),
        ("calendar.shop.reason in ['holiday', 'closed', 'hours', 'open']", None),
        ("calendar.museum.reason == 'shut'", None),
    ],
)
def test_a_reason_is_one_of_four_words(guard: str, says: str | None) -> None:
    states = f'  start: {{decide: [{{guard: "{guard}", target: used}}, bye]}}\n'
    museum = "  museum: {weekly: {mon: 9-17}}\nstates:\n"
    text = HEAD.replace("states:\n", museum) + states
    text += "  used: {say: '{{ calendar.shop.open }} {{ calendar.office.open }}', next: bye}\n"
    found = [each for each in said(text) if each.startswith("never-equal")]
    assert bool(found) == (says is not None)
    assert says is None or says in found[0]


def test_a_calendar_that_is_never_read_is_told() -> None:
    assert codes(HEAD + "  start: {say: '{{ calendar.shop.reason }}', next: bye}\n") == ["unused"]
    assert codes(HEAD + "  start: {say: '{{ calendar.shop.reason }} {{ calendar.office. }}', next: bye}\n") == [
        "expression"
    ]


def test_a_notice_is_spoken_as_it_is_written() -> None:
    text = """
calendars:
  office: {weekly: {mon-fri: "09:00-17:00"}, closed: {12-24: "Until {{ now }}", 12-31: {en: "Until { now }"}}}
states:
  start: {say: "{{ calendar.office.notice }}", next: bye}
"""
    assert [each for each in said(text) if "notice" in each] == [
        (
            "unread-braces: No expression is evaluated here: a notice is spoken as it is written. "
            "Write out what is meant; for several cases, use several states or parts with guards."
        )
    ]
