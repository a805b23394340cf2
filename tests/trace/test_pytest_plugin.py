"""The pytest plugin, in a project of its own: cases are tests, failures speak of callers."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trace.recorded_calls import ROOT

CASE = "recordings/cases/support/main-hangup.jsonl"
PROMPT, REWORDED = "If you want to report technical issues, press 1", "To report an issue, press 1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_own.py").write_text("def test_own() -> None:\n    assert True\n")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    (tmp_path / CASE).parent.mkdir(parents=True)
    shutil.copy(ROOT / CASE, tmp_path / CASE)
    return tmp_path


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as somebody would who has this package installed."""
    command = [sys.executable, "-m", "pytest", "-p", "ivr.trace.plugin", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "120", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def reword(project: Path) -> None:
    flow = project / "flows" / "support.yaml"
    flow.write_text(flow.read_text().replace(PROMPT, REWORDED))


def test_a_server_knows_the_folders_without_pytest() -> None:
    code = "import sys, ivr.cli.serve, ivr.trace.folders; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False).returncode == 0


def test_pytest_alone_replays_the_cases_beside_all_other_tests(project: Path) -> None:
    done = run(project, "-v")
    assert f"{CASE}::replay PASSED" in done.stdout
    assert "2 passed" in done.stdout


def test_flows_that_lie_beside_no_folder_of_flows_are_found(project: Path) -> None:
    for flow in (project / "flows").iterdir():
        flow.rename(project / flow.name)
    (project / "flows").rmdir()
    assert "2 passed" in run(project, "-v").stdout


def test_a_failure_says_what_a_caller_would_hear_and_which_line_makes_it_so(project: Path) -> None:
    reword(project)
    done = run(project)
    assert done.returncode == 1
    assert f"  heard before: {PROMPT} or say" in done.stdout
    assert f"  hears now:    {REWORDED} or say" in done.stdout
    assert "  flows/support.yaml:15:7\n" in done.stdout
    assert "If this change is intended, run: pytest --ivr-update" in done.stdout
    assert "Traceback" not in done.stdout
    summary = done.stdout.splitlines()[-2]
    assert summary.startswith(f"FAILED {CASE}::replay - changed: a caller")


def test_what_changed_on_purpose_is_made_anew_and_shown(project: Path) -> None:
    before = (project / CASE).read_bytes()
    reword(project)
    done = run(project, "--ivr-update")
    assert done.returncode == 0
    assert "recorded calls updated" in done.stdout
    assert f"{CASE}\n  heard before: {PROMPT}" in done.stdout
    assert (project / CASE).read_bytes() == before.replace(PROMPT.encode(), REWORDED.encode()).replace(
        _hash(before), _hash((project / CASE).read_bytes())
    )
    again = run(project, "--ivr-update")
    assert "made anew" not in again.stdout
    assert run(project).returncode == 0


def _hash(data: bytes) -> bytes:
    return data.split(b'"hash": "')[1].split(b'"')[0]


def test_a_question_that_nobody_answered_cannot_be_made_anew(project: Path) -> None:
    flow = project / "flows" / "support.yaml"
    who = "  who: {menu: {prompt: 'Press 1.', choices: {me: {dtmf: '1'}}}, on: {me: main}}\n"
    flow.write_text(flow.read_text().replace("initial: main", "initial: who").replace("states:\n", f"states:\n{who}"))
    before = (project / CASE).read_bytes()
    done = run(project, "--ivr-update")
    assert done.returncode == 1
    assert 'undetermined: "who" asks something that this caller never answered' in done.stdout
    assert "It cannot be updated: make the call again, and export it." in done.stdout
    assert (project / CASE).read_bytes() == before


def test_a_case_that_cannot_be_read_and_a_flow_with_a_mistake_are_told_as_such(project: Path) -> None:
    (project / CASE).write_text("{}\n")
    assert "main-hangup.jsonl:1: Object missing required field `case`" in run(project).stdout
    shutil.copy(ROOT / CASE, project / CASE)
    flow = project / "flows" / "support.yaml"
    flow.write_text(flow.read_text().replace("products: products}", "products: product}"))
    done = run(project)
    assert 'No state is called "product".' in done.stdout
    assert re.search(r"^flows/support\.yaml:\d+:\d+  unknown-target$", done.stdout, re.MULTILINE)


def test_a_case_of_a_flow_that_is_gone_says_so(project: Path) -> None:
    (project / "flows" / "support.yaml").unlink()
    assert 'is called "support"' in run(project).stdout
