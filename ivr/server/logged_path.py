"""What the log may say of an address that was asked for.

Some addresses are keys: whoever has that of a recording may listen to it, and whoever has that of a WebSocket for sound
may speak in its call. Such a key is long, or stands deep, so neither is logged.
"""

from typing import Final

DEEPEST: Final = 3
"Parts of a path that are logged: `/jambonz/call/desk`."
LONGEST: Final = 40
"Characters of a part."


def logged_path(path: str) -> str:
    """Return the beginning of a path, with nothing in it that is a key."""
    shown = path[: (DEEPEST + 1) * (LONGEST + 1)].split("/")  # no more is looked at, however long it is
    parts = [part if len(part) <= LONGEST else "…" for part in shown[: DEEPEST + 1]]
    return "/".join([*parts, "…"] if len(shown) > DEEPEST + 1 else parts)
