"""How an author writes how long something is kept of a caller (LANGUAGE C10): in hours, days, weeks or years."""

import re

from ivr.flowfile.fields import Json, ScalarField, refused

_UNITS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_WRITTEN = re.compile(r"(\d{1,6}) ?([hdwy])", re.ASCII)


class Retention(ScalarField):
    """How long something is kept, in seconds; both limits are in seconds and allowed."""

    def __init__(self, least: float, most: float) -> None:
        self.least = least
        self.most = most

    def read(self, text: str) -> float:
        """Read `12h`, `90d`, `8w`, `1y`."""
        found = _WRITTEN.fullmatch(text.strip())
        if not found:
            raise refused("unit", f'"{text}" is not a time to keep something.', "Write a number and h, d, w or y.")
        seconds = int(found[1]) * _UNITS[found[2]]
        if not self.least <= seconds <= self.most:
            least, most = (_span(limit) for limit in (self.least, self.most))
            raise refused("value", f'"{text}" is out of range.', f"{least} to {most} is possible.")
        return seconds

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": "^[0-9]+ ?(h|d|w|y)$"}


def _span(seconds: float) -> str:
    unit = next(unit for unit in ("y", "w", "d", "h") if seconds % _UNITS[unit] == 0)
    return f"{seconds / _UNITS[unit]:g}{unit}"
