"""The pytest plugin: every case below `recordings/cases` is a test, wherever this package is installed.

    pytest                  replays the cases beside all other tests
    pytest --ivr-update     writes those again that changed on purpose, and prints which

Nothing else of the package is imported before there is a case: pytest loads this file in every project.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ivr.trace.folders import CASES, FLOWS, SUFFIX, UPDATED, cases_folder

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the two settings."""
    group = parser.getgroup("ivr", "recorded calls")
    group.addoption(
        "--ivr-update", action="store_true", help="Update recorded calls whose flow was changed on purpose."
    )
    parser.addini("ivr_cases", "The folder of the recorded calls.", default=str(CASES))
    parser.addini(
        "ivr_flows",
        f"The folder of the flows they are replayed against (default: {FLOWS}, or else the root).",
        default="",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let `pytest` alone find the cases, also where `testpaths` names other folders."""
    cases = cases_folder(config)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and cases.is_dir():
        config.args.append(str(cases))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take every case for a test."""
    if file_path.suffix != SUFFIX or cases_folder(parent.config) not in file_path.parents:
        return None
    from ivr.trace.pytest_items import CaseFile  # noqa: PLC0415  # see above

    return CaseFile.from_parent(parent, path=file_path)


def pytest_terminal_summary(terminalreporter: "TerminalReporter") -> None:
    """Show what was made anew."""
    written_again = [
        str(text)
        for report in terminalreporter.getreports("passed")
        for name, text in report.user_properties
        if name == UPDATED
    ]
    if written_again:
        terminalreporter.section("recorded calls updated")
        for text in written_again:
            terminalreporter.write_line(text)
