"""Calendars as they are written, and what a flow makes of them (LANGUAGE C15)."""

from datetime import date, datetime

import pytest

from ivr.engine.expressions.types import Type
from ivr.engine.flow import Flow
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.checks.names import facts_of_call
from ivr.flowfile.document import Document
from ivr.flowfile.holidays_data import country_meant, holiday_names, is_country, is_region, region_meant
from ivr.flowfile.load import asks_the_clock, rebuild
from ivr.flowfile.opening_hours import dates_of, weekdays_of
from ivr.flowfile.validate import validate
from ivr.flowfile.yaml.reader import read
from tests.caller import Caller
from tests.flowfile.reading import codes, load, said, whole
from tests.flows import flow_of

OFFICE = """
timeZone: Europe/Vienna
calendars:
  office:
    weekly: {mon-thu: "09:00-17:00", fri: ["09:00-12:00", "13:00-15:00"]}
    holidays: {country: AT, region: "9"}
    closed: {2026-12-24: Christmas Eve, 12-31: {en: the last day}, 2026-07-27/2026-08-07: summer}
    open: {2026-12-31: "09:00-12:00"}
states:
  start:
    decide: [{guard: calendar.office.open, target: open}, closed]
  open: {say: "Open until {{ calendar.office.closes | time }}.", next: bye}
  closed:
    say:
      - "{{ calendar.office.reason }} {{ calendar.office.notice }}"
      - "From {{ calendar.office.nextOpen | datetime }}."
      - "{{ calendar.office.days(2) | list }}"
    next: bye
"""


def heard(text: str, at: str) -> str:
    """Return what is heard at a time on the wall of the flow's own zone."""
    return heard_in(flow_of("\n" + whole(text)), at)


def heard_in(flow: Flow, at: str) -> str:
    when = datetime.fromisoformat(at).replace(tzinfo=flow.zone)
    return Caller(flow, now=when.timestamp()).heard.removesuffix(" Goodbye.")


@pytest.mark.parametrize(
    ("at", "spoken"),
    [
        ("2026-11-30 10:00", "Open until 5:00 PM."),
        ("2026-12-24 10:00", "closed Christmas Eve From Monday, December 28 at 9:00 AM."),
        ("2026-12-25 10:00", "holiday Christmas Day From Monday, December 28 at 9:00 AM."),
        ("2026-08-03 10:00", "closed summer From Monday, August 10 at 9:00 AM."),
        ("2027-12-31 10:00", "closed the last day From Monday, January 3 at 9:00 AM."),
        ("2026-12-31 10:00", "Open until 12:00 PM."),
        ("2026-12-05 10:00", "hours From Monday, December 7 at 9:00 AM."),
    ],
)
def test_a_flow_asks_its_calendar(at: str, spoken: str) -> None:
    assert heard(OFFICE, at).startswith(spoken)


def test_open_days_are_a_list_of_dates() -> None:
    assert "Monday, December 28 and Tuesday, December 29" in heard(OFFICE, "2026-12-24 10:00")


def test_a_calendar_has_a_zone_of_its_own_or_that_of_the_flow() -> None:
    zoned = OFFICE.replace("  office:\n", "  office:\n    timeZone: America/New_York\n")
    assert heard(OFFICE, "2026-11-30 09:30") == "Open until 5:00 PM."
    assert heard(zoned, "2026-11-30 09:30").startswith("hours")
    assert heard(zoned, "2026-11-30 16:00") == "Open until 5:00 PM."


@pytest.mark.parametrize(
    ("key", "weekdays"), [("mon", (0,)), ("mon-thu", (0, 1, 2, 3)), ("sat-mon", (5, 6, 0)), ("sun-sun", (6,))]
)
def test_weekdays_in_a_row_may_go_over_the_weekend(key: str, weekdays: tuple[int, ...]) -> None:
    assert weekdays_of(key) == weekdays


def test_days_are_a_date_a_day_of_every_year_or_several_in_a_row() -> None:
    assert dates_of("2026-12-24") == (date(2026, 12, 24),)
    assert len(dates_of("12-24")) == 46
    assert len(dates_of("02-29")) == 12
    assert dates_of("2026-12-31/2027-01-02")[1:] == (date(2027, 1, 1), date(2027, 1, 2))


def test_of_two_keys_for_one_day_the_one_for_fewer_days_counts() -> None:
    text = """
calendars:
  office:
    weekly: {mon-sun: "09:00-17:00"}
    closed: {2026-12-24: Christmas Eve, 12-24: every year, 2026-12-20/2027-01-10: holidays}
states:
  start: {say: "{{ calendar.office.notice }} {{ calendar.office.open }}", next: bye}
"""
    assert [heard(text, f"{day} 10:00") for day in ("2026-12-24", "2026-12-23", "2028-12-24")] == [
        "Christmas Eve false",
        "holidays false",
        "every year false",
    ]


# --- types -----------------------------------------------------------------------------------------------------------


def types(text: str) -> Type:
    reading = read("flow.yaml", whole(text).encode())
    model = validate(reading).model
    assert model is not None
    return facts_of_call(Document(reading.source, model))["calendar"]


@pytest.mark.parametrize(
    ("weekly", "may_be_none"),
    [
        ('{mon-fri: "09:00-17:00"}', False),
        ('{mon-sun: "00:00-24:00"}', True),
        ('{mon-sun: ["00:00-12:00", "11:00-24:00"]}', True),
        ('{mon-sun: "06:00-05:59"}', False),
        ("{}", True),
        ('{someday: "09:00-17:00"}', False),
    ],
)
def test_when_it_opens_and_closes_is_known_unless_it_never_does(weekly: str, may_be_none: bool) -> None:
    found = types(f"calendars: {{office: {{weekly: {weekly}}}}}\nstates:\n  start: {{say: Hello., next: bye}}\n")
    office = found.fields["office"]
    assert (office.fields["nextOpen"].optional, office.fields["closes"].optional) == (may_be_none, may_be_none)


def test_nothing_is_said_about_a_calendar_that_was_cut_out() -> None:
    text = """
calendars: {office: {weekly: {mon: 9-17}}, shop: 5}
states:
  start: {say: "{{ calendar.office.nextOpen | date }} {{ calendar.shop.anything }}", next: bye}
"""
    assert set(codes(text)) == {"value"}


@pytest.mark.parametrize(
    ("guard", "said_of_it"),
    [
        ("calendar.office.days(n)", "A number of days must be an integer, not text."),
        ("calendar.office.days(maybe)", '"maybe" may have no value here. Guard it, or write "maybe or …".'),
        ("calendar.office.days(3, 4)", '"days" takes one number. Write, for example, "days(5)".'),
        ("calendar.days(3)", 'Only a calendar has "days". Write "calendar.<name>.days(5)".'),
    ],
)
def test_open_days_are_asked_of_a_calendar_with_a_number(guard: str, said_of_it: str) -> None:
    text = f"""
variables: {{n: {{type: text, default: "3"}}, maybe: {{type: integer, default: none}}}}
calendars: {{office: {{weekly: {{mon-fri: "09:00-17:00"}}}}}}
states:
  start: {{decide: [{{guard: '{guard}', target: used}}, bye]}}
  used: {{say: "{{{{ n }}}} {{{{ maybe or 5 }}}}", next: bye}}
"""
    assert any(said_of_it in each for each in said(text))


@pytest.mark.parametrize("count", ['"0"', '"101"'])
def test_open_days_of_a_number_that_is_too_large_raise_an_error(count: str) -> None:
    text = f"""
variables: {{n: {{type: integer, default: {count}}}}}
calendars: {{office: {{weekly: {{mon-fri: "09:00-17:00"}}}}}}
states:
  start: {{say: "{{{{ calendar.office.days(n) | length }}}} {{{{ calendar.office.days(n)[0] or 'none' }}}}", next: bye}}
"""
    assert heard(text, "2026-11-30 10:00") == "Goodbye."


# --- what a flow is made of ------------------------------------------------------------------------------------------


def bundle_of(text: str) -> Bundle:
    bundle = load(whole(text)).bundle
    assert bundle is not None
    return bundle


def test_holidays_and_time_zones_of_calendars_stand_in_the_bundle() -> None:
    bundle = bundle_of(OFFICE.replace("  office:\n", "  office:\n    timeZone: Europe/London\n"))
    assert (bundle.format, [*bundle.zones], [*bundle.holidays]) == (2, ["Europe/London"], ["office"])
    assert bundle.holidays["office"]["2026-12-25"] == {"en-US": "Christmas Day"}


def test_a_flow_is_built_again_of_its_bundle_without_asking_for_holidays() -> None:
    bundle = bundle_of(OFFICE)
    other = {"office": {"2026-11-30": {"en-US": "Bundle Day"}}}
    stored = Bundle(bundle.file, bundle.text, bundle.audio, bundle.zone, bundle.zone_data, 2, holidays=other)
    read_again = Bundle.decode(stored.encode(), stored.hash)
    assert heard_in(rebuild(read_again).served(), "2026-11-30 10:00").startswith("holiday Bundle Day")


def test_other_holidays_or_another_zone_are_another_version_of_the_flow() -> None:
    bundle = bundle_of(OFFICE)
    parts = (bundle.file, bundle.text, bundle.audio, bundle.zone, bundle.zone_data, 2)
    hashes = {
        bundle.hash,
        Bundle(*parts).hash,
        Bundle(*parts, holidays={"office": {}}).hash,
        Bundle(*parts, holidays=bundle.holidays, zones={"Europe/London": b"TZif"}).hash,
    }
    assert len(hashes) == 4


def test_a_flow_with_calendars_alone_keeps_the_format_of_one_file() -> None:
    weekly = 'calendars: {office: {weekly: {mon: "09:00-17:00"}}}\n'
    assert bundle_of(f"{weekly}states:\n  start: {{say: Hello., next: bye}}\n").format == 1


def test_who_reads_a_calendar_asks_the_clock() -> None:
    assert asks_the_clock("flow.yaml", whole(OFFICE).encode())


# --- holidays --------------------------------------------------------------------------------------------------------


def test_holidays_of_a_region_belong_to_those_of_its_country() -> None:
    bavaria, germany = holiday_names("DE", "BY", ["de-DE"]), holiday_names("DE", None, ["de-DE"])
    assert set(germany) < set(bavaria)
    assert bavaria["2026-01-06"] == {"de-DE": "Heilige Drei Könige"}


def test_holidays_are_called_as_the_language_calls_them_or_else_as_the_country_does() -> None:
    names = holiday_names("FR", None, ["fr-FR", "en-GB", "fi-FI"])["2026-07-14"]
    assert names == {"fr-FR": "Fête nationale", "en-GB": "National Day", "fi-FI": "Fête nationale"}


def test_what_is_for_readers_is_not_spoken() -> None:
    assert holiday_names("US", None, ["en-US"])["2027-07-05"] == {"en-US": "Independence Day"}


def test_holidays_are_those_of_2015_to_2060() -> None:
    days = holiday_names("AT", None, ["de-AT"])
    assert (min(days)[:4], max(days)[:4]) == ("2015", "2060")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Austria", "AT"), ("aut", "AT"), ("UK", "GB"), ("united kingdom", "GB"), ("Germny", "DE"), ("at", "AT")],
)
def test_a_country_is_suggested_by_its_name_or_another_code(text: str, meant: str) -> None:
    assert (is_country(text), country_meant(text)) == (False, f'Did you mean "{meant}"?')


@pytest.mark.parametrize(
    ("country", "text", "suggestion"),
    [
        ("DE", "Bayern", 'Did you mean "BY"?'),
        ("DE", "Bayren", 'Did you mean "BY"?'),
        ("US", "california", 'Did you mean "CA"?'),
        ("SG", "X", "Leave it out."),
    ],
)
def test_a_region_is_suggested_by_its_name(country: str, text: str, suggestion: str) -> None:
    assert (is_region(country, text), region_meant(country, text)) == (False, suggestion)
