"""Time zone data as bytes, so that a flow can carry the rules it was loaded with (LANGUAGE C16)."""

import re
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo

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


def zone_of(name: str, data: bytes) -> ZoneInfo:
    """Make a time zone of its data."""
    return ZoneInfo.from_file(BytesIO(data), key=name)
