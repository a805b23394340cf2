"""Where a hook leads, and how often it is tried: what follows `#` in its address is for jambonz alone.

`https://bot.example/step#rc=2&rp=ct,5xx`: two repeats, where nobody answered the connection, or the bot answered 5xx.
"""

from urllib.parse import parse_qsl, urldefrag, urlsplit

from msgspec import Struct

MOST_REPEATS = 5
FIRST_PAUSE = 0.5
"Seconds before the first repeat; doubled for each further one up to 2 s, and 2 s more for each after that."


class BadHook(Exception):
    """An address that jambonz does not ask; `str()` says why."""


class HookAddress(Struct, frozen=True):
    """An address, and its repeats."""

    url: str
    repeats: int = 0
    after: frozenset[str] = frozenset({"ct"})
    "Of `4xx`, `5xx`, `ct` (no connection), `rt` (no answer in time), `all`."

    def again(self, status: int, failure: str) -> bool:
        """Return whether it is tried again: after an answer's status, or after a failure (`BotFailed.code`)."""
        kind = {"connect": "ct", "broken": "ct", "timeout": "rt"}.get(failure, "") if failure else f"{status // 100}xx"
        return "all" in self.after or kind in self.after


def resolved(hook: str, base: str) -> HookAddress:
    """Return where a hook leads that a document names; `base` is the address of the first hook. Raise BadHook."""
    if hook.startswith("/"):
        if "#" in hook:
            raise BadHook(
                f"{hook}: of an address without a host jambonz sends what follows # as a part of the path. "
                "Write the whole address."
            )
        parts = urlsplit(base)
        return HookAddress(f"{parts.scheme}://{parts.netloc}{hook}")
    if hook.startswith(("ws://", "wss://")):
        raise BadHook(f"{hook}: this emulator calls bots by webhooks, not by WebSocket")
    if not hook.startswith(("http://", "https://")):
        raise BadHook(f"{hook}: must begin with http://, https:// or /")
    url, fragment = urldefrag(hook)
    wanted = dict(parse_qsl(fragment))
    count = wanted.get("rc", "0").lstrip("+-")
    repeats = min(int(count), MOST_REPEATS) if count.isascii() and count.isdigit() else 0
    return HookAddress(url, repeats, frozenset(one.strip() for one in wanted.get("rp", "ct").split(",")))


def pause_before(repeat: int) -> float:
    """Return the seconds before a repeat, counted from 1."""
    pause = FIRST_PAUSE
    for _ in range(repeat - 1):
        pause = pause * 2 if pause < 2 else pause + 2
    return pause
