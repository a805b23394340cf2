"""A case as a test of pytest; see `ivr.trace.plugin`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ivr.errors import IvrError
from ivr.trace.current_flows import CurrentFlows
from ivr.trace.files import dumps, read_case
from ivr.trace.folders import UPDATED, flows_folder
from ivr.trace.replay import CannotRewrite, replay, rewrite
from ivr.trace.report import Report, as_text, report

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

_REGISTRY = pytest.StashKey[CurrentFlows]()


class CaseFailed(Exception):
    """A caller would hear or reach something else; the text says what."""


class CaseFile(pytest.File):
    """The file of a case."""

    def collect(self) -> Iterator[pytest.Item]:
        """Return its one test."""
        yield CaseItem.from_parent(self, name="replay")


class CaseItem(pytest.Item):
    """The test that nobody hears anything else."""

    def runtest(self) -> None:
        """Replay the case."""
        shown = self._shown()
        recorded = read_case(self.path)
        today = _registry(self.config).get(recorded)
        verdict = replay(recorded, today.flow)
        if verdict.verdict == "same":
            return
        told = report(shown, recorded, verdict, today.places)
        if not self.config.getoption("--ivr-update"):
            raise _failed(told, "If this change is intended, run: pytest --ivr-update")
        if verdict.why is not None:
            raise _failed(told, "It cannot be updated: make the call again, and export it.")
        try:
            anew = rewrite(recorded, today.flow, today.places.lines())
        except CannotRewrite as cannot:
            raise _failed(told, f"It cannot be updated: {cannot}.") from cannot
        self.path.write_bytes(dumps(anew))
        self.user_properties.append((UPDATED, _made_anew(told)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> "str | TerminalRepr":
        """Return what a caller would hear, without any of our own code around it."""
        if isinstance(excinfo.value, CaseFailed | IvrError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the test by its file."""
        return self.path, None, self._shown()

    def _shown(self) -> str:
        try:
            return str(self.path.relative_to(self.config.rootpath))
        except ValueError:
            return str(self.path)


def _registry(config: pytest.Config) -> CurrentFlows:
    """Return the flows, read once in a run."""
    registry = config.stash.get(_REGISTRY, None)
    if registry is None:
        registry = config.stash[_REGISTRY] = CurrentFlows.of(flows_folder(config))
    return registry


def _failed(told: Report, advice: str) -> CaseFailed:
    """Put what matters first: pytest's summary shows the first line alone."""
    lead = told.why or f"a caller would now hear: {told.now or '(nothing)'}"
    return CaseFailed(f"{told.verdict}: {lead}\n\n{as_text(told)}\n  {advice}")


def _made_anew(told: Report) -> str:
    return f"{told.case}\n  heard before: {told.before}\n  hears now:    {told.now}"
