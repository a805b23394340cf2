"""Time zone data as bytes, so that a flow can carry the rules it was loaded with (LANGUAGE C16)."""

import re
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo

from ivr.nearest import did_you_mean

_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)


def zone_data(name: str) -> bytes | None:
    """Give the TZif data of a time zone; None: there is none of this name."""
    if not _NAME.fullmatch(name):
        return None
    try:
        data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    return data if data.startswith(b"TZif") else None


def zone_names() -> tuple[str, ...]:
    """Name all time zones."""
    return tuple(resources.files("tzdata").joinpath("zones").read_text().split())


def zone_meant(name: str) -> str:
    """Suggest the time zone that was probably meant: one of the same region, or of the same city; empty: none."""
    region, _, city = name.rpartition("/")
    here = [known for known in zone_names() if region and known.startswith(f"{region}/")]
    return did_you_mean(name, [*here, *(known for known in zone_names() if known.endswith(f"/{city}"))])


def zone_of(name: str, data: bytes) -> ZoneInfo:
    """Make a time zone of its data."""
    return ZoneInfo.from_file(BytesIO(data), key=name)
