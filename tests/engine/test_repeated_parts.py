"""`foreach` in a prompt: one text for each item of a list (LANGUAGE C9)."""

import pytest
from msgspec.structs import replace

from tests.caller import Caller
from tests.engine.test_languages import heard
from tests.flowfile.reading import flow, load, said, whole

OPEN = """
calendars: {office: {weekly: {mon-sat: "09:00-17:00"}}}
states:
  start: {say: ["We are open on:", %s], next: bye}
"""


def words(caller: Caller) -> list[str]:
    return [text for _, text in heard(caller)]


def test_a_part_is_said_once_for_each_item() -> None:
    part = '{foreach: calendar.office.days(3), text: "{{ item | weekday }},", voice: female}'
    assert words(Caller(flow(OPEN % part)))[1:4] == ["Friday,", "Saturday,", "Monday,"]


def test_an_item_has_a_name_that_guards_and_other_parts_inside_read() -> None:
    part = """{foreach: calendar.office.days(2), item: day, text: [
        {text: "{{ day | weekday }}", guard: day | weekday != 'Friday'}, {silence: 1s},
        {foreach: calendar.office.days(1), item: first, text: [
            {text: "after {{ first | weekday }}", guard: day != first}]}
    ]}"""
    assert words(Caller(flow(OPEN % part)))[1:3] == ["Saturday", "after Friday"]


def test_ten_items_are_said_at_most() -> None:
    part = '{foreach: calendar.office.days(14), text: "{{ item | weekday }}"}'
    assert len(words(Caller(flow(OPEN % part)))) == 1 + 10 + 1


def test_a_repeated_part_is_by_language() -> None:
    flow_ = flow("""
languages: [en-US, de-DE]
calendars: {office: {weekly: {mon-sat: "09:00-17:00"}}}
states:
  start:
    say: {foreach: calendar.office.days(1), text: {en: "On {{ item | weekday }}.", de: "Am {{ item | weekday }}."}}
    next: bye
  bye: {say: {en: Goodbye., de: Auf Wiederhören.}, final: true, outcome: unresolved}
on: {error: bye}
""")
    assert words(Caller(flow_, language="de"))[0] == "Am Freitag."


def test_a_shared_prompt_is_said_for_each_item() -> None:
    flow_ = flow("""
calendars: {office: {weekly: {mon-sat: "09:00-17:00"}}}
prompts: {day: "{{ item | weekday }}."}
states:
  start: {say: {foreach: calendar.office.days(2), text: {ref: day}}, next: bye}
""")
    assert words(Caller(flow_))[:2] == ["Friday.", "Saturday."]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "Goodbye."), ((), "Goodbye."), (("a", "b"), "a"), ("text", "Something is wrong.")],
)
def test_nothing_is_said_of_no_list_and_what_is_no_list_is_an_error(value: object, expected: str) -> None:
    flow_ = load(
        whole("""
variables: {names: {type: [text], default: none}}
states:
  start: {say: {foreach: names, text: "{{ item }}"}, next: bye, on: {error.expression: wrong}}
  wrong: {say: Something is wrong., next: bye}
""")
    ).served()
    variables = {"names": replace(flow_.variables["names"], default=value)}
    caller = Caller(replace(flow_, variables=variables))
    assert words(caller)[0] == expected


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("{foreach: call.to, text: Hi.}",
         ['type: "foreach" needs a list, and this is text. Name a variable with a type such as [text].']),
        ("{foreach: nobody, text: Hi.}", ['undefined: Unknown name "nobody".']),
        ("{foreach: calendar.office.days(1), item: now, text: Hi.}",
         ['name: "now" is a reserved word. Choose another name.']),
        ("{foreach: calendar.office.days(1), item: company, text: '{{ company }}'}",
         ['name: "company" is a variable of the flow. Give the item another name with "item".']),
        ("{foreach: calendar.office.days(1), text: '{{ item }}'}",
         ['format: A date is spoken here without a format. Write "… | date".']),
        ("{foreach: calendar.office.days(1), text: '{{ itm | date }}'}",
         ['undefined: Unknown name "itm". Did you mean "item"?']),
        ("{foreach: calendar.office.days(1)}", ['missing: An item of "say" needs "text".']),
    ],
)  # fmt: skip
def test_what_is_repeated_is_a_list_and_its_items_have_a_type(part: str, found: list[str]) -> None:
    told = said("variables: {company: Contoso}" + (OPEN % (part + ', "{{ company }}"')))
    assert [one for one in told if not one.startswith("unused: ")][:1] == found


def test_a_private_list_is_not_said() -> None:
    text = """
variables: {codes: {type: [text], default: none, sensitive: true}}
states:
  start: {say: {foreach: codes, text: "{{ item }}"}, next: bye}
"""
    assert "sensitive: A private value would be spoken. Only guards may read it." in said(text)


def test_the_key_of_a_choice_is_known_in_a_shared_prompt() -> None:
    flow_ = flow("""
prompts: {press: "To go on, press {{ key }}."}
states:
  start:
    menu: {prompt: Hello., choices: {go: {dtmf: "7", prompt: {ref: press}}}}
    next: bye
""")
    assert words(Caller(flow_)) == ["Hello.", "To go on, press 7."]
