"""The pytest plugin for call scripts: every `*.call.yaml` that pytest comes across is a test (docs/phone.md).

Nothing of the package is imported before there is a script: pytest loads this file in every project.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest._code.code import ExceptionInfo, TerminalRepr

SUFFIX = ".call.yaml"


class CallFailed(Exception):
    """A call went otherwise than its script; the text says where."""


class CallFile(pytest.File):
    """The file of a script."""

    def collect(self) -> Iterator[pytest.Item]:
        """Return its one test."""
        yield CallItem.from_parent(self, name="call")


class CallItem(pytest.Item):
    """The test that a call goes as it is written."""

    def runtest(self) -> None:
        """Make the call."""
        from ivr.cli.phone.call_scripts import run_script  # noqa: PLC0415  # see above
        from ivr.phone.platform import Target  # noqa: PLC0415

        bot = str(self.config.getini("ivr_bot"))
        played = asyncio.run(run_script(self.path, Target(bot)))
        if played.failure is not None:
            raise CallFailed(played.failure)
        if played.warning is not None:
            self.warn(pytest.PytestWarning(played.warning))

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: object = None) -> str | TerminalRepr:
        """Return where the call went otherwise, without any of our own code around it."""
        if isinstance(excinfo.value, CallFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the test by its file."""
        return self.path, None, self.path.name


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting."""
    parser.addini("ivr_bot", "The bot of call scripts that name none.", default="http://127.0.0.1:8080/call")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take every script for a test."""
    return CallFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None
