"""`ivr check --fix`: files are corrected as a whole or not at all, and what is not a mistake keeps every byte."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import file_fixer, main

GOOD = """\
flow: hello   # a comment
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu: {prompt: "For sales, press star.", choices: {sales: {dtmf: "*"}}}
    on: {sales: bye}
  bye: {say: Goodbye., final: true}
"""
BAD = GOOD.replace('"*"', "*").replace("final: true", "final: yes")
WORSE = BAD.replace("on: {sales: bye}", "on: {sales: sales}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("check", *arguments))


def test_what_was_fixed_is_shown_with_line_and_code(folder: Path) -> None:
    file = folder / "hello.yaml"
    file.write_text(BAD, "utf-8")
    result = ivr("--fix", "hello.yaml")
    assert result.output == (
        'Fixed hello.yaml:6:70  star  A text that begins with "*" must be in quotes.\n'
        'Fixed hello.yaml:8:31  value  "yes" is not possible here.\n'
        "\n"
        "1 flow checked: 2 fixed, nothing left.\n"
    )
    assert (result.exit_code, file.read_text("utf-8")) == (0, GOOD)
    assert ivr("--fix", "hello.yaml").output == "1 flow checked: nothing found.\n"


def test_what_is_left_is_shown_as_without_fix_and_decides_how_it_ends(folder: Path) -> None:
    (folder / "hello.yaml").write_text(WORSE, "utf-8")
    result = ivr("--fix", "hello.yaml")
    assert result.exit_code == 1
    assert "unknown-target\n" in result.output
    assert result.output.endswith("1 flow checked: 2 fixed, 1 error, 0 warnings.\n")
    assert result.output.split("\n\n", 1)[1] == ivr("hello.yaml").output.replace("checked: 1", "checked: 2 fixed, 1")


def test_every_other_byte_stays(folder: Path) -> None:
    file = folder / "hello.yaml"
    for shape in (lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.rstrip()):
        file.write_bytes(shape(BAD).encode())
        assert ivr("--fix", "hello.yaml").exit_code == 0
        assert file.read_bytes() == shape(GOOD).encode()


def test_a_file_keeps_its_mode_and_nothing_lies_beside_it(folder: Path) -> None:
    file = folder / "hello.yaml"
    file.write_text(BAD, "utf-8")
    file.chmod(0o640)
    ivr("--fix", ".")
    assert file.stat().st_mode & 0o777 == 0o640
    assert [found.name for found in folder.iterdir()] == ["hello.yaml"]


@pytest.mark.parametrize("text", [BAD, BAD.rstrip("\n"), BAD.replace("\n", "\r\n")])
def test_a_diff_changes_nothing_and_is_what_patch_takes(folder: Path, text: str) -> None:
    file = folder / "hello.yaml"
    file.write_bytes(text.encode())
    result = ivr("--fix", "--diff", "hello.yaml")
    assert file.read_bytes() == text.encode()
    assert "Would fix hello.yaml:6:70  star" in result.stderr
    assert "1 flow checked: 2 would be fixed, nothing left." in result.stderr
    subprocess.run(["patch", "-p1", "--binary"], input=result.stdout_bytes, cwd=folder, check=True, capture_output=True)
    ivr("--fix", "hello.yaml")
    assert file.read_bytes() == text.replace("dtmf: *", 'dtmf: "*"').replace("yes", "true").encode()


def test_a_diff_for_a_terminal_moves_no_cursor(folder: Path) -> None:
    file = folder / "hello.yaml"
    file.write_text(BAD.replace("a comment", "a \u009b2J comment"), "utf-8")
    fixer = file_fixer.FileFixer(file_fixer.Checker(), write=False)
    fixer.fix(file, file.read_bytes())
    assert "\u009b" in fixer.diff(for_people=False)
    assert "\u009b" not in fixer.diff(for_people=True)


def test_json_lists_what_is_left_alone_on_the_output(folder: Path) -> None:
    (folder / "hello.yaml").write_text(WORSE, "utf-8")
    assert [found["code"] for found in json.loads(ivr("--fix", "--json", "hello.yaml").stdout)] == ["unknown-target"]


def test_json_carries_each_fix(folder: Path) -> None:
    (folder / "hello.yaml").write_text(BAD, "utf-8")
    found = json.loads(ivr("--json", "hello.yaml").stdout)
    edits = [one["fix"] for one in found]
    assert [(BAD[edit["start"] : edit["end"]], edit["text"]) for edit in edits] == [("*", '"*"'), ("yes", "true")]


@pytest.mark.parametrize("data", [BAD.encode("utf-16"), BAD.replace("Goodbye", "Tsch\u00fcss").encode("latin-1")])
def test_what_is_no_utf_8_stays(folder: Path, data: bytes) -> None:
    (folder / "hello.yaml").write_bytes(data)
    assert "The file is not UTF-8." in ivr("--fix", "hello.yaml").output
    assert (folder / "hello.yaml").read_bytes() == data


def test_a_read_only_file_stays_and_is_named(folder: Path) -> None:
    file = folder / "hello.yaml"
    file.write_text(BAD, "utf-8")
    file.chmod(0o444)
    result = ivr("--fix", "hello.yaml")
    assert result.stderr == "Error: hello.yaml was not changed: it is read-only.\n"
    assert (result.exit_code, file.read_text("utf-8")) == (1, BAD)
    assert result.stdout.endswith("1 flow checked: 2 errors, 0 warnings.\n")


def test_a_link_is_not_followed(folder: Path) -> None:
    (folder / "flows").mkdir()
    (folder / "hello.yaml").write_text(BAD, "utf-8")
    (folder / "flows" / "hello.yaml").symlink_to(folder / "hello.yaml")
    result = ivr("--fix", "flows")
    assert "was not changed: it is a symbolic link; name the file that it leads to." in result.stderr
    assert (folder / "hello.yaml").read_text("utf-8") == BAD


def test_a_pipe_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "hello.yaml")
    result = ivr("--fix", "hello.yaml")
    assert result.exit_code == 1
    assert "The file cannot be read: it is not a regular file." in result.output


def test_a_file_that_is_edited_meanwhile_stays(folder: Path) -> None:
    file = folder / "hello.yaml"
    file.write_text(GOOD, "utf-8")
    with pytest.raises(file_fixer.NotWritten, match="it was changed meanwhile"):
        file_fixer.replace_file(file, BAD.encode(), b"new")
    assert [found.read_text("utf-8") for found in folder.iterdir()] == [GOOD]


def test_what_the_system_refuses_is_told(folder: Path) -> None:
    with pytest.raises(file_fixer.NotWritten, match="no such file or directory"):
        file_fixer.replace_file(folder / "gone.yaml", b"", b"new")


def test_a_diff_without_fix_is_a_mistake_of_the_command(folder: Path) -> None:
    (folder / "hello.yaml").write_text(BAD, "utf-8")
    result = ivr("--diff", "hello.yaml")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "Error: --diff goes with --fix.")


INVOKING = "flow: desk\ninitial: go\non: {error: bye}\nstates:\n  go: {invoke: hours, next: bye}\n  bye: {hangup: {}}\n"
INVOKED = (
    INVOKING.replace("desk", "hours")
    .replace("invoke: hours", "say: From the the nine.")
    .replace("{hangup: {}}", "{return: told}")
)


def test_what_is_found_in_an_invoked_flow_is_told_once_and_fixed_in_its_own_file(folder: Path) -> None:
    (folder / "desk.yaml").write_text(INVOKING, "utf-8")
    (folder / "hours.yaml").write_text(INVOKED, "utf-8")
    assert [found["file"] for found in json.loads(ivr("--json", ".").output)] == ["hours.yaml"]
    assert [found["file"] for found in json.loads(ivr("--json", "desk.yaml").output)] == ["hours.yaml"]
    assert "1 fixed" in ivr("--fix", "desk.yaml", "hours.yaml").output
    assert (folder / "desk.yaml").read_text("utf-8") == INVOKING
    assert (folder / "hours.yaml").read_text("utf-8") == INVOKED.replace("the the", "the")
