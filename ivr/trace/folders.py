"""Where the cases and the flows of a project lie, for commands, for the server and for pytest.

It imports nothing of the package, since pytest loads it in every project, and no pytest, which servers do without.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

CASES: Final = Path("recordings/cases")
"The folder of the cases in a project, unless pytest is told another."
FLOWS: Final = Path("flows")
"That of the flows; where there is none, they lie in the project's own folder."
SUFFIX: Final = ".jsonl"
"Of a case."
UPDATED: Final = "ivr-update"
"The user property of a test that holds what was written again; it survives the way between processes."


def flows_in(project: Path) -> Path:
    """Return the folder of a project's flows."""
    return project / FLOWS if (project / FLOWS).is_dir() else project


def cases_folder(config: "pytest.Config") -> Path:
    """Return the folder of the cases that pytest runs."""
    return config.rootpath / str(config.getini("ivr_cases"))


def flows_folder(config: "pytest.Config") -> Path:
    """Return the folder of the flows that pytest replays them against."""
    named = str(config.getini("ivr_flows"))
    return config.rootpath / named if named else flows_in(config.rootpath)
