"""`ivr check`, `ivr schema`, `ivr graph`: what an author sees, and how a command ends."""

import json
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.cli.flowfiles import load_or_exit

GOOD = """\
flow: hello
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu: {prompt: "For sales, press 1.", choices: {sales: {dtmf: "1"}}}
    on: {sales: bye}
  bye: {say: Goodbye., final: true}
"""
TYPO = GOOD.replace("sales: bye", "sales: by")
DOUBTFUL = GOOD.replace("press 1", "press 4")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ivr(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_check_shows_the_place_the_mistake_and_what_was_meant(folder: Path) -> None:
    (folder / "hello.yaml").write_text(TYPO, "utf-8")
    result = ivr("check", "hello.yaml")
    assert result.exit_code == 1
    assert result.output == (
        "hello.yaml:7:17  unknown-target\n"
        "        on: {sales: by}\n"
        "                    ^^\n"
        '  No state is called "by". Did you mean "bye" (line 8)?\n'
        "\n"
        "1 flow checked: 1 error, 0 warnings.\n"
    )


def test_check_of_a_good_flow_says_so(folder: Path) -> None:
    (folder / "hello.yaml").write_text(GOOD, "utf-8")
    result = ivr("check", "hello.yaml")
    assert (result.exit_code, result.output) == (0, "1 flow checked: nothing found.\n")


def test_check_takes_folders(folder: Path) -> None:
    (folder / "one.yaml").write_text(GOOD, "utf-8")
    (folder / "two.yml").write_text(DOUBTFUL.replace("flow: hello", "flow: two"), "utf-8")
    (folder / "notes.txt").write_text("no flow", "utf-8")
    result = ivr("check", ".", "one.yaml")
    assert result.exit_code == 0
    assert result.output.endswith("2 flows checked: 0 errors, 1 warning.\n")


def test_check_refuses_two_flows_of_one_name_as_serve_does(folder: Path) -> None:
    (folder / "one.yaml").write_text(GOOD, "utf-8")
    (folder / "two.yml").write_text(TYPO, "utf-8")
    result = ivr("check", ".")
    assert result.exit_code == 1
    assert (
        "two.yml:1:7  name\n"
        "    flow: hello\n"
        "          ^^^^^\n"
        '  two.yml and one.yaml are both called "hello"; give one of them another name.\n'
    ) in result.output
    assert result.output.endswith("2 flows checked: 2 errors, 0 warnings.\n")


def test_check_says_what_it_skips_and_still_prints_json(folder: Path) -> None:
    (folder / "hello.yaml").write_text(GOOD, "utf-8")
    (folder / "hello.call.yaml").write_text("flow: hello.yaml\nsteps: [hangup]\n", "utf-8")
    (folder / "notes.yaml").write_text("todo: hours\n", "utf-8")
    result = ivr("check", "--json", ".")
    assert json.loads(result.stdout) == []
    assert result.stderr == (
        "Skipped hello.call.yaml: it is a call script, for ivr phone --script.\n"
        'Skipped notes.yaml: it has no "flow", "initial" or "states".\n'
    )


def test_warnings_fail_where_they_are_told_to(folder: Path) -> None:
    (folder / "hello.yaml").write_text(DOUBTFUL, "utf-8")
    assert ivr("check", "hello.yaml").exit_code == 0
    assert ivr("check", "--strict", "hello.yaml").exit_code == 1


def test_check_as_json_is_a_list_for_programs(folder: Path) -> None:
    (folder / "hello.yaml").write_text(TYPO, "utf-8")
    result = ivr("check", "--json", "hello.yaml")
    assert result.exit_code == 1
    assert json.loads(result.output) == [
        {
            "code": "unknown-target",
            "severity": "error",
            "file": "hello.yaml",
            "line": 7,
            "column": 17,
            "message": 'No state is called "by".',
            "suggestion": 'Did you mean "bye" (line 8)?',
            "fix": {"start": TYPO.index("sales: by") + 7, "end": TYPO.index("sales: by") + 9, "text": "bye"},
        }
    ]


def test_check_as_json_of_a_good_flow_is_an_empty_list(folder: Path) -> None:
    (folder / "hello.yaml").write_text(GOOD, "utf-8")
    assert json.loads(ivr("check", "--json", "hello.yaml").output) == []


@pytest.mark.parametrize("options", [(), ("--channel", "skype")])
def test_check_finds_what_the_channel_cannot_do(folder: Path, options: tuple[str, ...]) -> None:
    (folder / "hallo.yaml").write_text(GOOD.replace("initial:", "language: de-AT\ninitial:"), "utf-8")
    result = ivr("check", *options, "hallo.yaml")
    assert result.exit_code == 1
    assert "supports only en-US, not de-AT" in result.output


def test_check_looks_at_no_channel_where_it_is_told_so(folder: Path) -> None:
    (folder / "hallo.yaml").write_text(GOOD.replace("initial:", "language: de-AT\ninitial:"), "utf-8")
    assert ivr("check", "--channel", "none", "hallo.yaml").output == "1 flow checked: nothing found.\n"


def test_check_for_a_speech_engine_warns_of_what_it_has_not(folder: Path) -> None:
    flow = """\
flow: hallo
language: de-AT
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {record: {prompt: Ja bitte?, transcribe: true}, next: bye}
  bye: {say: Danke., final: true}
"""
    (folder / "hallo.yaml").write_text(flow, "utf-8")

    def checked(*engine: str) -> Result:
        return ivr("check", "--channel", "none", *engine, "hallo.yaml")

    assert checked().output == "1 flow checked: nothing found.\n"
    result = checked("--stt", "pocketsphinx")
    assert result.exit_code == 0
    assert "hallo.yaml:6:37  speech  (warning)\n" in result.output
    assert "The speech engine does not understand de-AT, but en only." in result.output
    assert "The speech engine gives no transcript without phrases" in result.output
    assert "gives no transcripts" in checked("--stt", "none").output
    assert "nothing found" in checked("--stt", "openai").output


def test_check_takes_the_engine_of_the_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mail.yaml").write_text(
        "flow: mail\ninitial: ask\non: {exhausted: bye, error: bye}\nstates:\n"
        "  ask: {record: {prompt: Speak., transcribe: true}, next: bye}\n  bye: {say: Goodbye., final: true}\n"
    )
    monkeypatch.setenv("IVR_STT", "pocketsphinx")
    assert "speech  (warning)" in ivr("check", "mail.yaml").output
    monkeypatch.setenv("IVR_STT_DICTATION", "on")
    assert "nothing found" in ivr("check", "mail.yaml").output
    monkeypatch.setenv("IVR_STT", "no-such-engine")
    assert "IVR_STT" in ivr("check", "mail.yaml").output


def test_a_folder_without_flows_is_no_success(folder: Path) -> None:
    result = ivr("check", ".")
    assert result.exit_code == 1
    assert "There is no flow" in result.output


def test_a_path_that_there_is_not_is_a_mistake_of_use(folder: Path) -> None:
    result = ivr("check", "nothing.yaml")
    assert result.exit_code == 2
    assert "nothing.yaml" in result.output


def test_a_folder_called_like_a_flow_is_a_finding(folder: Path) -> None:
    (folder / "odd.yaml").mkdir()
    result = ivr("check", ".")
    assert result.exit_code == 1
    assert result.output.startswith("odd.yaml:1:1  unreadable\n  The file cannot be read: it is not a regular file.\n")


@pytest.mark.parametrize("command", ["check", "schema", "graph"])
def test_help_shows_an_example_on_lines_of_its_own(command: str) -> None:
    result = ivr(command, "--help")
    assert result.exit_code == 0
    assert f"\n  Example:  ivr {command}" in result.output
    assert "\b" not in result.output


def test_graph_draws_a_flow(folder: Path) -> None:
    (folder / "hello.yaml").write_text(GOOD, "utf-8")
    result = ivr("graph", "hello.yaml")
    assert result.exit_code == 0
    assert result.output.startswith('stateDiagram-v2\n  %% hello\n  state "ask (menu)" as s0\n')


def test_graph_of_a_bad_flow_says_why_there_is_none(folder: Path) -> None:
    (folder / "hello.yaml").write_text(TYPO, "utf-8")
    result = ivr("graph", "hello.yaml")
    assert result.exit_code == 1
    assert "unknown-target" in result.stderr
    assert result.stdout == ""


def test_a_flow_that_cannot_be_read_is_a_mistake_of_use(folder: Path) -> None:
    with pytest.raises(ClickException, match=r"\. cannot be read: it is not a regular file\."):
        load_or_exit(Path())


def test_schema_prints_the_schema() -> None:
    result = ivr("schema")
    assert result.exit_code == 0
    assert json.loads(result.output)["properties"]["flow"] == {"description": "The flow's name.", "type": "string"}
