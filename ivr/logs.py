"""The log: one line of JSON for each thing that happened, with the call's id and the reason.

What must not be in a log is kept out by form, not by care. An exception is logged by its class and the lines of code it
came through, never by its text, which may hold a header, a key or a caller's words. Everything that is no printable
ASCII is escaped, so that no name can draw on a terminal or begin a line of its own.
"""

import asyncio
import json
import logging
import sys
import time
import traceback
from typing import Any, TextIO

FIELDS = (
    *("call", "platform_call", "flow", "service", "status", "reason", "path"),
    *("task", "tries", "removed", "file", "document", "job", "attempt", "phrase", "outcome", "state", "seconds"),
    *("code", "line", "keys", "findings", "left_out", "calendar", "worker"),
    *("calls", "channel", "end", "caller", "called", "trunk", "transport", "codec", "loss", "cause"),
)
"What a log call can add to its message with `extra`."

NOISY = ("asyncio", "aiohttp", "opentelemetry", "python_multipart", "requests", "urllib3")
"Libraries whose messages repeat what was sent; of these only errors are of interest."


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write `time`, `level`, `event`, and whatever else is known."""
        line: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = described(record.exc_info[1])
        return json.dumps(line, default=str)


def described(error: BaseException) -> list[str]:
    """Return an exception's class and where it came through, and the same of its causes; never its text."""
    found: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(found) < 5:
        frames = traceback.extract_tb(cause.__traceback__)[-4:]
        places = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
        found.append(f"{type(cause).__module__}.{type(cause).__qualname__} in {places or 'unknown'}")
        cause = cause.__cause__ or cause.__context__
    return found


def start_logging(level: str, *, to: TextIO | None = None) -> None:
    """Send everything that is logged in this process to one place as JSON lines (standard error, if not said)."""
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def quiet_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Log uncaught errors of the loop; asyncio's own message would repeat the exception's text."""
    log = logging.getLogger(__name__)

    def lost(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        log.error("unhandled in the event loop", exc_info=context.get("exception"))

    loop.set_exception_handler(lost)
