"""Names of time zones: what was meant by those that there are not, and which are not what they seem (LANGUAGE C2)."""

import pytest

from ivr.flowfile.zones import never_summer, zone_data, zone_meant, zone_names
from tests.flowfile.reading import said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EUROPE/BERLIN", "Europe/Berlin"),
        ("Europe/BERLIN", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe / Berlin", "Europe/Berlin"),
        (r"Europe\Berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("Berln", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("america/new-york", "America/New_York"),
        ("Amerika/New_York", "America/New_York"),
        ("Europe/New_York", "America/New_York"),
        ("us/eastern", "US/Eastern"),
        ("Utc", "UTC"),
        ("cet", "CET"),
        ("PST", "America/Los_Angeles"),
        ("est", "America/New_York"),
        ("Eastern Time", "America/New_York"),
        ("Eastern Standard Time", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
    ],
)
def test_a_mistake_in_a_name_gets_the_name_that_was_meant(written: str, meant: str) -> None:
    assert zone_data(written) is None
    assert zone_meant(written) == f'Did you mean "{meant}"?'


def test_every_name_is_found_in_small_letters_unless_it_misleads() -> None:
    missed = {
        name: zone_meant(name.lower())
        for name in zone_names()
        if name[-1:] != "0" and zone_data(name.lower()) is None and not never_summer(name)
        if zone_meant(name.lower()) != f'Did you mean "{name}"?'
    }
    assert missed == {}


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("GMT-5", "America/New_York"),
        ("GMT+1", "Europe/Berlin"),
        ("UTC-08:00", "America/Los_Angeles"),
        ("UTC+0530", "Asia/Kolkata"),
        ("utc+2", "Europe/Athens"),
        ("+01:00", "Europe/Berlin"),
        ("EST-5", "America/New_York"),
        ("Etc/UTC-5", "America/New_York"),
    ],
)
def test_an_offset_gets_a_place_on_its_own_side_of_greenwich(written: str, place: str) -> None:
    advice = zone_meant(written)
    assert advice.startswith(f"Write the name of a place, such as {place}:")
    assert "Etc/" not in advice


@pytest.mark.parametrize("written", ["GMT-15", "etc/gmt-5", "Etc/GMT+99", "GMT5"])
def test_of_an_offset_that_says_nothing_no_place_is_guessed(written: str) -> None:
    assert zone_meant(written) == "Write the name of a place: an offset does not know when the clocks change."


@pytest.mark.parametrize("written", ["UTC+0", "GMT-00:00", "utc0", "z"])
def test_no_offset_is_utc(written: str) -> None:
    assert zone_meant(written) == 'Did you mean "UTC"?'


@pytest.mark.parametrize("written", ["Mars/Base", "", "XST", "_", "/"])
def test_what_is_like_no_zone_gets_no_advice(written: str) -> None:
    assert zone_meant(written) == ""


NEVER = "and never has summer time."


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        ("EST", '"EST" never has summer time. Write a place, such as America/New_York.'),
        ("MST", '"MST" never has summer time. Write a place, such as America/Denver.'),
        ("HST", '"HST" never has summer time. Write a place, such as Pacific/Honolulu.'),
        ("GMT", '"GMT" never has summer time. Write UTC, or a place, such as Europe/London.'),
        ("Etc/GMT-5", f'"Etc/GMT-5" is 5 hours ahead of UTC, {NEVER} Write a place, such as Asia/Karachi.'),
        ("Etc/GMT+1", f'"Etc/GMT+1" is 1 hour behind UTC, {NEVER} Write a place, such as Atlantic/Azores.'),
        ("Etc/GMT+12", '"Etc/GMT+12" is 12 hours behind UTC, and never has summer time.'),
    ],
)
def test_a_zone_that_is_not_what_it_seems_is_a_warning(zone: str, sentence: str) -> None:
    flow = f"timeZone: {zone}\nstates:\n  start: {{decide: [{{guard: now < '12:00', target: bye}}, bye]}}\n"
    assert said(flow) == [f"time-zone: {sentence}"]


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "EST5EDT", "CET", "America/Phoenix", "Etc/GMT+0", "Europe/London"])
def test_a_zone_that_is_what_it_is_called_is_none(zone: str) -> None:
    assert zone_data(zone) is not None
    assert never_summer(zone) == ""
