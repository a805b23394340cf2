"""Time zone data as bytes, so that a flow can carry the rules it was loaded with (LANGUAGE C16)."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo

from ivr.nearest import nearest

_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)


def zone_data(name: str) -> bytes | None:
    """Return the TZif data of a time zone; None: there is none of this name."""
    if not _NAME.fullmatch(name):
        return None
    try:
        data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    return data if data.startswith(b"TZif") else None


def zone_names() -> tuple[str, ...]:
    """Return all time zones."""
    return tuple(resources.files("tzdata").joinpath("zones").read_text().split())


def zone_meant(name: str) -> str:
    """Suggest the time zone that was probably meant; empty: there is no telling."""
    if (offset := _OFFSET.fullmatch(name.strip())) is not None:
        return _with_offset(offset)
    plain = _plain(name)
    known = {_plain(known): known for known in zone_names() if not never_summer(known)}
    short = _SHORT.get(plain) or _SHORT.get(plain.removesuffix("_time"))
    meant = short or known.get(plain) or _nearest(plain, known)
    return f'Did you mean "{meant}"?' if meant else ""


def _nearest(plain: str, known: Mapping[str, str]) -> str:
    """Find a place with a mistake in its name: one of the same region, or of the same city."""
    region, _, city = plain.rpartition("/")
    of_region = [name for name in known if region and name.startswith(f"{region}/")]
    cities = {name.rpartition("/")[2]: name for name in known if not name.startswith("etc/")}
    # Only so many names are compared: a city without its region must share its first letter, and nearly its length.
    like_it = [name for name in cities if name[:1] == city[:1] and abs(len(name) - len(city)) <= 2]
    found = (
        cities.get(city) or nearest(plain, of_region) or cities.get(nearest(city, like_it if not region else ()) or "")
    )
    return known[found] if found else ""


def never_summer(name: str) -> str:
    """Return a sentence that a time zone's clock never changes, where its author may think it does; or nothing.

    A place without summer time is what it is called. These are called like what changes elsewhere, or like an offset,
    whose sign is reversed besides.
    """
    if place := _FIXED.get(name):
        utc = "UTC, or " if name == "GMT" else ""
        return f'"{name}" never has summer time. Write {utc}a place, such as {place}.'
    found = _REVERSED.fullmatch(name)
    if not found or found["hours"] == "0":
        return ""
    hours = int(found["hours"])
    away = f"{hours} hour{'' if hours == 1 else 's'} {'ahead of' if found['sign'] == '-' else 'behind'} UTC"
    place = _place(hours * (60 if found["sign"] == "-" else -60))
    return f'"{name}" is {away}, and never has summer time.' + (f" Write a place, such as {place}." if place else "")


_OFFSET = re.compile(
    r"(?P<prefix>Etc/GMT|[A-Z]{0,5}(?:/[A-Z]{3})?) ?(?P<sign>[+\-\u2212])?"
    r"(?P<hours>[0-9]{1,2})(:?(?P<minutes>[0-9]{2}))?",
    re.IGNORECASE,
)
_REVERSED = re.compile(r"Etc/GMT(?P<sign>[+-])(?P<hours>[0-9]{1,2})")
"POSIX counts westwards: `Etc/GMT-5` is five hours ahead."
_FIXED = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu", "GMT": "Europe/London"}
_SHORT = {
    word: place
    for place, words in {
        "America/New_York": "est edt et eastern eastern_standard_time",
        "America/Chicago": "cst cdt ct central central_standard_time",
        "America/Denver": "mst mdt mt mountain mountain_standard_time",
        "America/Los_Angeles": "pst pdt pt pacific pacific_standard_time",
        "America/Anchorage": "akst akdt alaska",
        "Pacific/Honolulu": "hst hawaii",
        "Europe/London": "bst gmt gmt_standard_time",
        "Europe/Lisbon": "west",
        "Europe/Berlin": "cest mez mesz w._europe_standard_time",
        "Europe/Budapest": "central_europe_standard_time",
        "Europe/Warsaw": "central_european_standard_time",
        "Europe/Paris": "romance_standard_time",
        "Europe/Athens": "eest gtb_standard_time",
        "Europe/Kyiv": "fle_standard_time",
        "Europe/Moscow": "msk russian_standard_time",
        "Asia/Kolkata": "ist india_standard_time",
        "Asia/Shanghai": "china_standard_time",
        "Asia/Singapore": "sgt singapore_standard_time",
        "Asia/Tokyo": "jst tokyo_standard_time",
        "Australia/Perth": "awst w._australia_standard_time",
        "Australia/Sydney": "aest aedt aus_eastern_standard_time",
        "Pacific/Auckland": "nzst nzdt new_zealand_standard_time",
        "UTC": "z coordinated_universal_time",
    }.items()
    for word in words.split()
}
"Short names, and those of Windows, each with the place that is meant by it most often."
_PLACES = (
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Asia/Dubai", "Asia/Karachi", "Asia/Kolkata"),
    *("Asia/Kathmandu", "Asia/Dhaka", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Adelaide"),
    *("Australia/Sydney", "Pacific/Noumea", "Pacific/Auckland", "Pacific/Apia", "Atlantic/Azores", "America/Noronha"),
    *("America/Sao_Paulo", "America/St_Johns", "America/Halifax", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "Asia/Tehran", "Asia/Kabul"),
    *("Asia/Yangon", "Pacific/Pago_Pago", "Pacific/Marquesas", "Pacific/Kiritimati", "Australia/Eucla"),
)
"One well-known place for each offset from UTC that there is in winter; the first of two is named."


def _with_offset(offset: re.Match[str]) -> str:
    minutes = int(offset["hours"]) * 60 + int(offset["minutes"] or 0)
    if not minutes:
        return 'Did you mean "UTC"?'
    # Nobody knows which sign is meant by who leaves it out, or writes one of the names that have it reversed wrong.
    is_clear = offset["sign"] and offset["prefix"].lower() != "etc/gmt"
    place = _place(minutes if offset["sign"] == "+" else -minutes) if is_clear else ""
    named = f", such as {place}" if place else ""
    return f"Write the name of a place{named}: an offset does not know when the clocks change."


@cache
def _offsets() -> Mapping[int, str]:
    offsets: dict[int, str] = {}
    for place in _PLACES:
        zone = zone_of(place, zone_data(place) or b"")
        at = [datetime(2024, month, 1, tzinfo=zone).utcoffset() or timedelta() for month in (1, 7)]
        offsets.setdefault(int(min(at).total_seconds()) // 60, place)
    return offsets


def _place(minutes: int) -> str:
    """Return a place that is so many minutes ahead of UTC in winter; empty: there is none."""
    return _offsets().get(minutes, "")


def _plain(name: str) -> str:
    """Write a name as all mistakes of case and of blanks have it: `America/New York`, `EUROPE/BERLIN`."""
    return re.sub(r"[\s_-]+", "_", re.sub(r"\s*[/\\]\s*", "/", name.strip())).lower()


def zone_of(name: str, data: bytes) -> ZoneInfo:
    """Make a time zone of its data."""
    return ZoneInfo.from_file(BytesIO(data), key=name)
