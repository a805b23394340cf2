"""The item that is chosen from a list, kept by `into`: a variable of the type of the items (LANGUAGE C5, C10)."""

import pytest

from ivr.flowfile.included_files import from_bundle
from ivr.flowfile.invoked_flows import ReadFlow
from ivr.flowfile.variables import variables
from tests.flowfile.reading import codes, said, whole

HEAD = """\
on: {exhausted: bye, error: bye, empty: bye}
VARIABLES
states:
  start:
    http:
      url: http://127.0.0.1:8090/slots
      returns: {days: [{day: date, times: [{at: time}]}]}
      into: offered
    next: day
  told: {say: "{{ chosen.day | date }}, {{ moment.at | time }}.", next: bye}
"""
DAY = """\
  day:
    menu:
      choices:
        one: {foreach: LISTED, prompt: "For {{ one.day | date }} press {{ key }}.", page: 3, into: chosen,
          more: {dtmf: "9", prompt: "For others press {{ key }}."}}
    next: times
"""
TIMES = """\
  times:
    menu:
      choices:
        one: {foreach: chosen.times, prompt: "For {{ one.at | time }} press {{ key }}.", page: 3, into: moment,
          more: {dtmf: "9", prompt: "For others press {{ key }}."}}
    next: told
"""


def written(listed: str = "offered.days", declared: str = "") -> str:
    return (HEAD + DAY + TIMES).replace("LISTED", listed).replace("VARIABLES\n", declared)


def types(text: str) -> dict[str, str]:
    document = ReadFlow("flow.yaml", whole(text).encode(), from_bundle({})).document
    assert document is not None
    return {name: str(variable.type) for name, variable in variables(document).items() if " " not in name}


def test_an_item_has_the_type_of_the_items_of_its_list_also_where_that_is_in_another_item() -> None:
    found = types(written())
    assert found["chosen"] == "{day: date, times: [{at: time}]}"
    assert found["moment"] == "{at: time}"
    assert said(written()) == []


def test_the_order_of_states_in_the_file_does_not_matter() -> None:
    text = (HEAD + TIMES + DAY).replace("LISTED", "offered.days").replace("VARIABLES\n", "")
    assert types(text) == types(written())


def test_a_field_that_an_item_does_not_have_is_not_known() -> None:
    text = written().replace("{{ chosen.day | date }}", "{{ chosen.dya | date }}")
    assert said(text) == ['undefined: Unknown field "dya". Did you mean "day"?']


def test_an_item_that_was_not_chosen_on_every_way_may_have_no_value() -> None:
    text = written().replace("    next: day\n", "    next: day\n    on: {error.http: told}\n")
    assert codes(text) == ["unset", "unset"]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("variables: {chosen: {type: {day: date, times: [{at: time}]}}}\n", []),
        ("variables: {chosen: {sensitive: false}}\n", []),
        (
            "variables: {chosen: {type: integer}}\n",
            ['type: "chosen" has type integer, but an item of type {day: date, times: [{at: time}]} is stored here.'],
        ),
    ],
)
def test_a_declared_variable_keeps_an_item_of_its_type(declared: str, found: list[str]) -> None:
    assert [
        one.removesuffix(" Use another variable.") for one in said(written(declared=declared)) if "stored" in one
    ] == found


CALENDAR = 'calendars: {office: {weekly: {mon-fri: "09:00-17:00"}}}\n'


def test_a_day_of_a_calendar_is_a_date() -> None:
    text = CALENDAR + written("calendar.office.days(9)").replace("one.day", "one").replace(
        "chosen.times", "offered.days[0].times"
    )
    assert types(text)["chosen"] == "date"
