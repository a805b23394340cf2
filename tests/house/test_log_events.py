"""Every event that can be logged is in the table of operations.md or gateway.md, and none of them holds data."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ivr.logs import FIELDS
from ivr.server import fatal

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged() -> Iterator[tuple[str, ast.expr, ast.Call]]:
    """Go through the log calls of the server: where, the event, the call."""
    for file in sorted((ROOT / "ivr").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            where, whose = f"{file.relative_to(ROOT)}:{node.lineno}", ast.unparse(node.func.value)
            if whose.endswith("refusals") and node.func.attr == "report":
                yield where, node.args[0], node
            if whose not in {"log", "logging", "logger"} or file.name == "refusals.py":  # which logs what it is told
                continue
            if node.func.attr in LEVELS:
                assert len(node.args) == 1, f"{where}: data belongs into `extra`"
                yield where, node.args[0], node
            elif node.func.attr == "log":
                assert len(node.args) == 2, f"{where}: data belongs into `extra`"
                yield where, node.args[1], node


def table() -> set[str]:
    """Return the events of the tables."""
    pages = [(ROOT / "docs" / page).read_text("utf-8") for page in ("operations.md", "gateway.md")]
    rows = [page.partition("| event | what to do |")[2].partition("\n\n")[0] for page in pages]
    return {
        name
        for row in "\n".join(rows).splitlines()
        if row.startswith("| `")
        for name in re.findall("`([^`]+)`", row.split("|")[1])
    }


def events() -> set[str]:
    names = set()
    for where, event, _ in logged():
        assert isinstance(event, ast.Constant), f"{where}: an event is a word of its own, written out"
        names.add(str(event.value))
    return names


def test_every_event_is_in_the_table_and_the_table_has_no_other() -> None:
    assert events() | {fatal.EVENT} == table()


def test_what_is_told_beside_an_event_has_a_field() -> None:
    for where, _, call in logged():
        extra = next((keyword.value for keyword in call.keywords if keyword.arg == "extra"), None)
        names = (
            [key.value for key in extra.keys if isinstance(key, ast.Constant)] if isinstance(extra, ast.Dict) else []
        )
        assert set(names) <= set(FIELDS), where
