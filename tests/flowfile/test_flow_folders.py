"""Which files of a folder are flows: one rule for whoever checks, serves or replays them."""

import os
from pathlib import Path

import pytest

from ivr.flowfile.flow_folder import find_flows, flow_files, same_name, twin_of

FLOW = "flow: desk\ninitial: a\nstates: {a: {say: Hello., final: true}}\n"
SCRIPT = "script: again\nflow: desk.yaml\nsteps: [hangup]\n"


def write(folder: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / f"{name.replace('__', '.')}.yaml").write_bytes(data)


def reasons(folder: Path) -> dict[str, str]:
    return {skipped.file.name: skipped.reason for skipped in find_flows([folder]).skipped}


def test_scripts_and_notes_beside_flows_are_skipped_and_said(tmp_path: Path) -> None:
    write(tmp_path, desk=FLOW, desk__call=SCRIPT, again=SCRIPT, notes="todo: [hours, prices]\n", empty="")
    assert flow_files([tmp_path]) == [tmp_path / "desk.yaml"]
    assert reasons(tmp_path) == {
        "again.yaml": "it is a call script, for ivr phone --script",
        "desk.call.yaml": "it is a call script, for ivr phone --script",
        "empty.yaml": 'it has no "flow", "initial" or "states"',
        "notes.yaml": 'it has no "flow", "initial" or "states"',
    }


@pytest.mark.parametrize(
    "text",
    [
        "initial: a\nstates: {a: {say: Hello., final: true}}\n",  # its name is missing, which is to be told
        "flow desk\n",
        "flow\uff1a desk\n",
        "{flow: desk, initial: a}\n",
        '"flow": desk\n',
        "\ufeffflow: desk\n",
        "flow: desk\n\tinitial: a\n",
        "flow: desk\nsteps: [x]\nstates: {}\n",
        "flow: desk\n".encode("utf-16"),
        b"flow: Gr\xfc\xdfe\n",
    ],
)
def test_what_is_meant_as_a_flow_and_broken_is_not_passed_over(tmp_path: Path, text: str | bytes) -> None:
    write(tmp_path, broken=text)
    assert flow_files([tmp_path]) == [tmp_path / "broken.yaml"]


def test_a_file_that_is_named_is_a_flow_unless_it_is_called_like_a_script(tmp_path: Path) -> None:
    write(tmp_path, empty="", a__call=SCRIPT)
    assert flow_files([tmp_path / "empty.yaml"]) == [tmp_path / "empty.yaml"]
    assert flow_files([tmp_path / "a.call.yaml"]) == []


def test_what_an_editor_leaves_is_no_flow(tmp_path: Path) -> None:
    write(tmp_path, desk=FLOW)
    (tmp_path / ".#desk.yaml").symlink_to("nobody@nowhere.1")
    (tmp_path / "._desk.yaml").write_bytes(b"\0\5\26\7flow:")
    assert flow_files([tmp_path]) == [tmp_path / "desk.yaml"]


def test_a_file_comes_once_however_many_names_lead_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, desk=FLOW)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "same.yaml").symlink_to("desk.yaml")
    assert flow_files([Path("desk.yaml"), tmp_path, tmp_path / "same.yaml"]) == [Path("desk.yaml")]


def test_what_cannot_be_read_is_left_for_whoever_reads_it(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "one.yaml").symlink_to("two.yaml")
    (tmp_path / "two.yaml").symlink_to("one.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert len(flow_files([tmp_path])) == 4


def test_an_edit_makes_a_flow_of_a_note(tmp_path: Path) -> None:
    write(tmp_path, notes="todo: hours\n")
    assert flow_files([tmp_path]) == []
    write(tmp_path, notes=FLOW)
    assert flow_files([tmp_path]) == [tmp_path / "notes.yaml"]


def test_two_files_quarrel_about_one_name() -> None:
    one, two = Path("one.yaml"), Path("two.yaml")
    assert twin_of(two, "desk", {one: "desk", two: "desk"}) == one
    assert twin_of(two, "shop", {one: "desk"}) is None
    assert same_name(two, one, "desk") == 'two.yaml and one.yaml are both called "desk"; give one of them another name'
