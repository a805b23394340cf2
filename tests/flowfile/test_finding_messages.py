"""Messages are asserted to the letter, from a file beside each bad flow."""

from pathlib import Path

import pytest

from ivr.flowfile.checks import CHECKS
from ivr.flowfile.finding import Edit, Finding, as_text, in_order
from ivr.flowfile.load import load_text
from tests.flowfile.reading import HERE, NOWHERE

BAD = sorted((HERE / "bad").glob("*.yaml"))


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_what_is_said_about_a_bad_flow(file: Path) -> None:
    loaded = load_text(file.read_bytes(), file=file.name, folder=NOWHERE)
    assert as_text(loaded.findings) + "\n" == file.with_suffix(".txt").read_text("utf-8")


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_flow_with_an_error_is_never_served_and_one_without_is(file: Path) -> None:
    loaded = load_text(file.read_bytes(), file=file.name, folder=NOWHERE)
    assert (loaded.flow is None) == any(found.is_error for found in loaded.findings)


def test_every_check_has_a_bad_flow_with_its_message() -> None:
    shown = "".join(file.with_suffix(".txt").read_text("utf-8") for file in BAD)
    unseen = {code for code in CHECKS if f"  {code}\n" not in shown and f"  {code}  (" not in shown}
    assert unseen == {"channel", "speech", "settings", "unreadable"}, (
        "these need a line, an engine, settings, a file system"
    )


def test_a_finding_looks_as_the_design_shows_it() -> None:
    found = Finding(
        "unknown-target",
        "error",
        "flows/front-desk.yaml",
        14,
        18,
        4,
        'No state is called "sale".',
        'Did you mean "sales" (line 16)?',
        "    on: {sales: sale, message: voicemail}",
    )
    assert found.as_text() == (
        "flows/front-desk.yaml:14:18  unknown-target\n"
        "        on: {sales: sale, message: voicemail}\n"
        "                     ^^^^\n"
        '  No state is called "sale". Did you mean "sales" (line 16)?'
    )


def test_a_finding_as_json_has_the_six_words_and_how_bad_it_is() -> None:
    found = Finding("unit", "error", "flow.yaml", 3, 4, 1, "No unit.", "Write 5s.", "  5")
    assert found.as_json() == {
        "code": "unit",
        "severity": "error",
        "file": "flow.yaml",
        "line": 3,
        "column": 4,
        "message": "No unit.",
        "suggestion": "Write 5s.",
    }


def test_a_finding_as_json_carries_its_fix() -> None:
    found = Finding("unit", "error", "flow.yaml", 3, 4, 1, "No unit.", fix=Edit(30, 31, "5s"))
    assert found.as_json()["fix"] == {"start": 30, "end": 31, "text": "5s"}


def test_of_a_long_line_the_part_around_the_caret_is_shown() -> None:
    found = Finding("unit", "error", "flow.yaml", 1, 5001, 3, "Here.", excerpt="x" * 5000 + "abc" + "y" * 5000)
    _, line, carets, _ = found.as_text().splitlines()
    assert len(line) < 170
    assert line[carets.index("^") : carets.index("^") + 3] == "abc"


def test_a_terminal_is_not_moved_by_what_a_file_holds() -> None:
    found = Finding("unit", "error", "flow.yaml", 1, 8, 1, "Here.", excerpt="a\x1b[2J\tbc")
    assert "\x1b" not in found.as_text()
    assert found.as_text().splitlines()[1] == "    a [2J bc"


def test_findings_come_in_file_order_and_once() -> None:
    first, second = (Finding("unit", "error", "f", line, 1, 1, "m") for line in (2, 10))
    assert in_order([second, first, second]) == (first, second)
