"""`ivr replay`: an author sees what an edit does to calls that were taken."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.stored_calls import call_id, ivr, project
from tests.trace.recorded_calls import ROOT

REWORDED = ("Flights to Vienna leave at", "To Vienna you can fly at")
TURNED = ("{problem: report, times: times}", "{problem: times, times: report}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVR_DATA", "data")
    for number in range(12):
        case = tmp_path / "recordings" / "cases" / "desk" / f"{number}.jsonl"
        case.parent.mkdir(parents=True, exist_ok=True)
        case.write_bytes(ivr("calls", "export", call_id(number)).stdout_bytes)
    return tmp_path


def edit(folder: Path, *changes: tuple[str, str]) -> None:
    flow = folder / "flows" / "flight-desk.yaml"
    text = flow.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    flow.write_text(text)


def test_without_an_edit_every_call_is_the_same(folder: Path) -> None:
    result = ivr("replay")
    assert (result.exit_code, result.output) == (0, "12 calls replayed: 12 same, 0 changed, 0 undetermined.\n")
    assert ivr("replay", "--live").output == result.output


def test_an_edited_prompt_is_changed_at_the_right_line_and_can_be_allowed(folder: Path) -> None:
    edit(folder, REWORDED)
    result = ivr("replay")
    assert result.exit_code == 1
    assert "changed (wording)" in result.output
    assert "  flows/flight-desk.yaml:37:10\n" in result.output
    assert "more like it: recordings/cases/desk/" in result.output
    assert ivr("replay", "--allow", "way").exit_code == 1
    allowed = ivr("replay", "--allow", "wording")
    assert allowed.exit_code == 0
    assert "of these allowed." in allowed.output


def test_stored_calls_show_the_line_of_that_day_as_well(folder: Path) -> None:
    edit(folder, REWORDED)
    result = ivr("replay", "--live")
    assert result.exit_code == 1
    assert "  recorded with flows/flight-desk.yaml:37:10\n      say: Flights to Vienna leave at" in result.output


def test_another_way_is_another_kind(folder: Path) -> None:
    edit(folder, TURNED)
    assert "changed (way)" in ivr("replay").output
    assert ivr("replay", "--allow", "wording").exit_code == 1
    assert ivr("replay", "--allow", "wording", "--allow", "way").exit_code == 0


def test_programs_get_json(folder: Path) -> None:
    edit(folder, REWORDED)
    document = json.loads(ivr("replay", "--json").output)
    assert document["same"] + document["changed"] == 12
    assert document["refused"] == document["changed"] > 0
    (group,) = document["groups"]
    assert group["count"] == len(group["cases"]) == document["changed"]
    assert group["first"]["place"]["line"] == 37
    assert group["first"]["kinds"] == ["wording"]


def test_one_flow_file_is_replayed_alone(folder: Path) -> None:
    other = folder / "other.yaml"
    other.write_text((folder / "flows" / "flight-desk.yaml").read_text().replace(*REWORDED))
    assert ivr("replay").exit_code == 0
    assert ivr("replay", "--flow", other).exit_code == 1
    support = folder / "recordings" / "cases" / "support.jsonl"
    shutil.copy(ROOT / "recordings" / "cases" / "support" / "main-hangup.jsonl", support)
    left_out = ivr("replay", "--flow", "flows/support.yaml")
    assert left_out.exit_code == 0
    assert left_out.output.startswith("1 call replayed: 1 same, ")
    assert "12 of other flows left out" in left_out.output


def test_a_flow_that_none_of_the_calls_is_of_does_not_pass(folder: Path) -> None:
    edit(folder, ("flow: flight-desk", "flow: flight-dsk"))
    warned = 'holds the flow "flight-dsk"; the calls are of: "flight-desk" (12). Did you mean "flight-desk"?\n'
    for live in ([], ["--live"]):
        result = ivr("replay", *live, "--flow", "flows/flight-desk.yaml")
        assert result.exit_code == 1
        assert result.stdout == ("0 calls replayed: 0 same, 0 changed, 0 undetermined, 12 of other flows left out.\n")
        assert result.stderr == f"Warning: nothing was replayed. flows/flight-desk.yaml {warned}"


def test_a_flow_with_mistakes_is_refused_whatever_its_file_is_called(folder: Path) -> None:
    edit(folder, ("times: times}", "times: time}"))
    (folder / "flows" / "flight-desk.yaml").rename(folder / "flows" / "desk-2.yaml")
    for flow in ([], ["--flow", "flows/desk-2.yaml"]):
        result = ivr("replay", *flow)
        assert result.exit_code == 2
        assert "flows/desk-2.yaml:" in result.stderr
        assert 'No state is called "time".' in result.stderr
        assert result.stdout == ""


def test_flows_that_lie_beside_no_folder_of_flows_are_found(folder: Path) -> None:
    for flow in (folder / "flows").iterdir():
        flow.rename(folder / flow.name)
    (folder / "flows").rmdir()
    assert ivr("replay").output == "12 calls replayed: 12 same, 0 changed, 0 undetermined.\n"
    (folder / "flight-desk.yaml").unlink()
    assert 'undetermined: no flow in this folder is called "flight-desk"' in ivr("replay").output
    assert ivr("replay", "--flows", "flows").exit_code == 2


def test_without_cases_it_is_said_how_one_is_made(folder: Path) -> None:
    shutil.rmtree(folder / "recordings")
    result = ivr("replay")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: there are no cases yet, since the folder recordings/cases does not exist; make one with "
        "`ivr calls export CALL --to NAME`, or with the browser phone after a call\n"
    )


def test_a_call_whose_flow_is_gone_is_undetermined(folder: Path) -> None:
    (folder / "flows" / "flight-desk.yaml").unlink()
    result = ivr("replay")
    assert result.exit_code == 1
    assert 'undetermined: no flow in flows is called "flight-desk"' in result.output


def test_a_stored_call_that_cannot_be_read_any_more_hides_no_other(folder: Path) -> None:
    database = sqlite3.connect(folder / "data" / "calls.db")
    database.execute("UPDATE flow SET source = x'00'")
    database.commit()
    database.close()
    result = ivr("replay", "--live")
    assert result.exit_code == 1
    assert "undetermined: a stored flow cannot be read" in result.output
    assert "12 calls replayed: 0 same, 0 changed, 12 undetermined." in result.output
    assert ivr("calls").output.count("flight-desk") == 0
    assert "a stored flow cannot be read" in ivr("calls", "show", call_id(3)).output


def test_what_cannot_be_read_ends_with_2(folder: Path) -> None:
    broken = folder / "broken.jsonl"
    broken.write_text("{}\n")
    result = ivr("replay", broken)
    assert (result.exit_code, "broken.jsonl:1: " in result.output) == (2, True)
    assert ivr("replay", "--live", broken).exit_code == 2
    assert ivr("replay", "nowhere").exit_code == 2
    assert ivr("replay", "flows").exit_code == 2
    edit(folder, ("times: times}", "times: time}"))
    mistaken = ivr("replay")
    assert mistaken.exit_code == 2
    assert 'No state is called "time".' in mistaken.output
