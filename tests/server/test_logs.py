"""The log: one line of JSON a time, and no way to get a secret or a line break into it."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from ivr.logs import NOISY, JsonLines, quiet_loop, start_logging


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in NOISY}
    to = io.StringIO()
    start_logging("info", to=to)
    yield to
    root.handlers, root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_a_line_has_time_level_event_and_what_was_added(lines: io.StringIO) -> None:
    logging.getLogger("ivr.x").info("job done", extra={"call": "ab12", "reason": "answered", "secret": "4711"})
    line = json.loads(lines.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "event": "job done", "call": "ab12", "reason": "answered"}


def test_what_a_platform_sends_cannot_draw_or_begin_a_line(lines: io.StringIO) -> None:
    hostile = 'a"\n{"level": "info"}\r\x1b[31mred\x00\u202e\ud800\u2028'
    logging.getLogger("ivr.x").warning("refused", extra={"path": hostile})
    written = lines.getvalue()
    assert written.count("\n") == 1
    assert written.isascii()
    assert all(char.isprintable() or char == "\n" for char in written)
    assert json.loads(written)["path"] == hostile


def test_an_exception_is_told_by_class_and_place_never_by_its_text(lines: io.StringIO) -> None:
    def deep() -> None:
        try:
            int("pin 4711")
        except ValueError as error:
            raise RuntimeError("Bearer eyJ") from error

    try:
        deep()
    except RuntimeError:
        logging.getLogger("ivr.x").exception("request failed")
    line = json.loads(lines.getvalue())
    assert line["error"][0].startswith("builtins.RuntimeError in ")
    assert line["error"][1].startswith("builtins.ValueError in deep:")
    assert "4711" not in lines.getvalue()
    assert "eyJ" not in lines.getvalue()


def test_levels_below_the_setting_are_left_out(lines: io.StringIO) -> None:
    logging.getLogger("ivr.x").debug("quiet")
    logging.getLogger("aiohttp.server").error("Error handling request, Bearer eyJ")
    logging.getLogger("python_multipart.multipart").warning("Found invalid character")
    assert lines.getvalue() == ""


async def test_what_nobody_caught_is_logged_without_its_text(lines: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    quiet_loop(loop)
    try:
        loop.call_exception_handler({"message": "Task exception: 4711", "exception": ValueError("4711")})
    finally:
        loop.set_exception_handler(None)
    assert json.loads(lines.getvalue())["event"] == "unhandled in the event loop"
    assert "4711" not in lines.getvalue()


def test_an_odd_value_is_still_a_line() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "event", (), None)
    record.call = object()
    assert json.loads(JsonLines().format(record))["call"].startswith("<object")
