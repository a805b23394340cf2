"""A pretended time, to try a flow out as it will be on Christmas Eve at six.

Written as `10:00` (today), `2026-12-24`, or `2026-12-24 18:00`, in the flow's time zone. Only `now` and
`call.startedAt` are moved by it; deadlines and limits go by the real time.
"""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

FIRST, LAST = date(1970, 1, 2), date(2999, 12, 30)
"Far enough from the ends of what a `datetime` can hold for any flow to calculate with."

_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?|[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
"Python alone would accept more: `1985` is a time of day to it, and so is a time with a NUL behind it."


def read_time(text: str) -> datetime | time:
    """Return a date and time without a zone, or a time of any day; raise ValueError for a text that is neither."""
    for read in (time.fromisoformat, datetime.fromisoformat) if _SHAPE.fullmatch(text) else ():
        with suppress(ValueError):
            moment = read(text)
            if isinstance(moment, time) or FIRST <= moment.date() <= LAST:
                return moment
    raise ValueError(f'"{text}" is not a time. Write 10:00, 2026-12-24 or "2026-12-24 10:00".')


def ahead(text: str, zone: ZoneInfo, *, now: float) -> float:
    """Return by how many seconds a clock must run ahead to show this time at `now` (seconds since 1970, UTC).

    Negative for a time that has passed. Raises ValueError for what is not a time.
    """
    moment = read_time(text)
    if isinstance(moment, time):
        moment = datetime.combine(datetime.fromtimestamp(now, UTC).astimezone(zone), moment)
    return moment.replace(tzinfo=zone).timestamp() - now
