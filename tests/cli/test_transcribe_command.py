"""`ivr transcribe`: the configured engine over files."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.settings import Settings, variable

RECORDINGS = Path(__file__).parents[1] / "speech_engines" / "recordings"
SUPPORT = RECORDINGS / "technical-support.wma"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def transcribe(*arguments: str | Path, **variables: str) -> Result:
    result = CliRunner().invoke(main, ["transcribe", *map(str, arguments)], env=variables)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def scripted(folder: Path, **lines: Any) -> dict[str, str]:
    script = folder / "script.json"
    script.write_text(json.dumps(lines.get("lines", {"*": {"text": "my flight was late", "confidence": 0.9}})))
    return {"IVR_STT": "scripted", "IVR_STT_SCRIPT": str(script)}


def test_the_words_of_one_file_are_a_line(tmp_path: Path) -> None:
    result = transcribe(SUPPORT, **scripted(tmp_path))
    assert (result.stdout, result.exit_code) == ("my flight was late\n", 0)


def test_the_words_of_several_files_have_their_names_in_the_order_given(tmp_path: Path) -> None:
    yes = RECORDINGS / "yes.wav"
    result = transcribe(yes, SUPPORT, **scripted(tmp_path))
    assert result.stdout == f"{yes}: my flight was late\n{SUPPORT}: my flight was late\n"


def test_json_tells_all_that_is_known(tmp_path: Path) -> None:
    (found,) = json.loads(transcribe(SUPPORT, "--format", "json", **scripted(tmp_path)).stdout)
    assert found["file"] == str(SUPPORT)
    assert (found["text"], found["confidence"], found["spoken"]) == ("my flight was late", 0.9, [])


def test_a_file_that_fails_is_told_and_the_others_are_printed_all_the_same(tmp_path: Path) -> None:
    result = transcribe(tmp_path / "gone.wav", SUPPORT, **scripted(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == f"{SUPPORT}: my flight was late\n"
    assert result.stderr == f"{tmp_path}/gone.wav: recording: it cannot be opened: No such file or directory\n"


def test_a_failure_is_in_the_json_too(tmp_path: Path) -> None:
    result = transcribe(SUPPORT, "--format", "json", **scripted(tmp_path, lines={"*": {"error": "timeout"}}))
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {"file": str(SUPPORT), "error": {"code": "timeout", "message": "the script says so"}}
    ]


def test_a_file_in_which_nothing_is_understood_is_no_failure(tmp_path: Path) -> None:
    result = transcribe(SUPPORT, **scripted(tmp_path, lines={"*": {}}))
    assert (result.stdout, result.exit_code) == ("\n", 0)
    assert "nothing was understood" in result.stderr


def test_what_a_service_says_does_not_steer_the_terminal(tmp_path: Path) -> None:
    result = transcribe(SUPPORT, **scripted(tmp_path, lines={"*": {"text": "a\x1b[2Jb\nc"}}))
    assert result.stdout == "a [2Jb c\n"


def test_without_an_engine_it_says_what_to_set() -> None:
    result = transcribe(SUPPORT)
    assert result.exit_code == 1
    assert "IVR_STT" in result.stderr
    assert "--stt pocketsphinx" in result.stderr


def test_an_engine_that_lacks_its_key_says_which() -> None:
    result = transcribe(SUPPORT, "--stt", "azure-fast")
    assert result.exit_code == 1
    assert "IVR_AZURE_KEY" in result.stderr


def test_srt_takes_one_file(tmp_path: Path) -> None:
    result = transcribe(SUPPORT, SUPPORT, "--format", "srt", **scripted(tmp_path))
    assert result.exit_code == 2
    assert "exactly one file" in result.stderr


def test_the_embedded_engine_hears_the_phrase_that_was_said_in_a_real_recording() -> None:
    phrases = ("--phrase", "sales", "--phrase", "technical support please")
    result = transcribe(SUPPORT, "--stt", "pocketsphinx", "--format", "srt", *phrases)
    number, times, text = result.stdout.splitlines()
    assert (number, text) == ("1", "technical support please")
    assert times.startswith("00:00:00,000 --> 00:00:0")


def test_the_embedded_engine_refuses_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "list.wma").write_text("ffconcat version 1.0\nfile yes.wav\n")
    result = transcribe(tmp_path / "list.wma", "--stt", "pocketsphinx", "--phrase", "yes")
    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path}/list.wma: recording: it is not audio of a supported format\n"
