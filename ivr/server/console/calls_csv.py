"""Calls as a file for a spreadsheet (RFC 4180): written as they are read, however many they are.

What a caller is called is a stranger's text. A spreadsheet takes a cell that begins with certain characters for a
formula, so an apostrophe stands before these (OWASP, "CSV Injection"): wherever a cell may begin, since some programs
take a semicolon or a tab for the end of one. A number with its plus, and nothing but digits, stays as it is.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from ivr.call_search import FoundCall

COLUMNS: Final = (
    *("call", "flow", "version", "channel", "direction", "caller", "called", "started", "ended", "seconds"),
    *("state", "outcome"),
)
BEGINNING: Final = b"\xef\xbb\xbf"
"A byte order mark, without which spreadsheets take UTF-8 for something else."

_NUMBER = re.compile(r"\+?[0-9]+")
_FORMULA = re.compile(r"""(^|[;,|'"])(\s*)(?=[=+\-@＝＋－＠])""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def head() -> bytes:
    """Return the first line: the names of the columns."""
    return BEGINNING + _lines([COLUMNS])


def rows(calls: Iterable[tuple[FoundCall, str]]) -> bytes:
    """Return a line for each call, with the name of its flow."""
    return _lines(_row(call, flow) for call, flow in calls)


def _row(call: FoundCall, flow: str) -> tuple[str, ...]:
    ended = call.ended
    return (
        call.id,
        harmless(flow),
        call.flow[:12],
        harmless(call.channel),
        "outgoing" if call.placed else "incoming",
        harmless(call.caller or ""),
        harmless(call.called),
        _moment(call.started),
        "" if ended is None else _moment(ended),
        "" if ended is None else f"{max(ended - call.started, 0.0):.0f}",
        harmless(call.state),
        harmless(call.kind),
    )


def harmless(text: str) -> str:
    """Return a text as a cell that no program takes for a formula, or for more than one cell."""
    plain = _CONTROL.sub(" ", text.encode("utf-8", "replace").decode())
    return plain if _NUMBER.fullmatch(plain) else _FORMULA.sub(r"\1\2'", plain)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(max(seconds, 0.0), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _lines(cells: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(cells)
    return text.getvalue().encode()
