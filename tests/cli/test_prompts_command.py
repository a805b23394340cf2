"""`ivr prompts`: what flows speak in every call is made before the first, told of, and exported."""

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.cli.prompt_export import named, place_of
from ivr.engine.commands import Text
from ivr.flowfile.load import load_flow
from ivr.flowfile.spoken_texts import FlowText
from ivr.media.installed import missing
from ivr.settings import Settings, variable
from tests.fakes.voice_api import Sound, VoiceApi

pytestmark = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")

DESK = """
flow: desk
language: en-GB
initial: greet
on: {exhausted: {target: bye, say: That did not work.}, error: bye}
variables: {company: Contoso}
states:
  greet: {say: ["Welcome to {{ company }}.", "{{ call.channel }}"], next: ask}
  ask:
    menu:
      prompt: [One., Two.]
      noInput: [Hello?, [Are you there?, Speak up.]]
      choices: {sales: {dtmf: "1", prompt: "Press {{ key }}."}, again: {dtmf: "2", prompt: Or press two.}}
    on: {sales: bye, again: {target: self, say: One.}}
  bye: {say: Goodbye., final: true}
"""
GERMAN = """
flow: german
language: de-DE
initial: bye
states:
  bye: {say: [Auf Wiedersehen., {text: Vale., language: qq-QQ}], final: true}
"""


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return flow(tmp_path, DESK)


def flow(folder: Path, text: str, name: str = "desk.yaml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def prompts(*arguments: str | Path, **variables: str) -> Result:
    result = CliRunner().invoke(main, ["prompts", *map(str, arguments)], env=variables)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_all_texts_are_made_and_those_with_values_of_a_call_are_listed(desk: Path, tmp_path: Path) -> None:
    result = prompts(desk, "--cache", tmp_path / "voices")
    assert result.exit_code == 0
    first, known, together, cache = result.stdout.splitlines()
    assert first == f"{desk}: 11 texts, 11 made, 1 known only in a call"
    assert known == "  line 8, greet: only a call knows call.channel: {{ call.channel }}"
    assert together.startswith("Together: 10 texts, ")  # `One.` is said twice
    assert "MB at 16 kHz; spoken now by espeak 10, in " in together
    assert cache == f"Cache: {tmp_path / 'voices'}"
    assert len([*(tmp_path / "voices").glob("*.speech")]) == 10


def test_what_is_there_is_not_made_again_and_what_is_missing_is(desk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    prompts(desk, IVR_VOICE_CACHE=str(folder))
    next(folder.glob("*.speech")).unlink()
    again = prompts(desk, IVR_VOICE_CACHE=str(folder)).stdout
    assert "spoken now by espeak 1," in again
    assert "there already" in again
    assert "spoken now" not in prompts(desk, IVR_VOICE_CACHE=str(folder)).stdout


def test_a_flow_with_errors_is_told_and_the_others_are_made(desk: Path, tmp_path: Path) -> None:
    flow(tmp_path, "flow: broken\ninitial: nowhere\nstates: {bye: {say: Bye., final: true}}\n", "broken.yaml")
    result = prompts(tmp_path, "--cache", tmp_path / "voices")
    assert result.exit_code == 1
    assert "broken.yaml:2" in result.stderr
    assert "Together: 10 texts" in result.stdout


def test_a_text_that_no_voice_speaks_fails_with_its_reason_and_the_others_are_made(tmp_path: Path) -> None:
    result = prompts(flow(tmp_path, GERMAN), "--cache", tmp_path / "voices")
    assert result.exit_code == 1
    assert "2 texts, 1 made, 1 failed" in result.stdout
    assert '  line 6, bye: failed (espeak: espeak-ng does not speak "qq-QQ"): Vale.' in result.stdout


def test_a_voice_that_is_away_fails_and_no_other_takes_its_place(desk: Path, tmp_path: Path) -> None:
    result = prompts(desk, "--tts", "openai", "--cache", tmp_path / "voices", IVR_VOICE_URL="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "11 texts, 11 failed" in result.stdout
    assert "failed (openai: the speech service" in result.stdout
    assert not [*(tmp_path / "voices").glob("*.speech")]


def test_texts_that_do_not_stay_in_the_folder_are_told(desk: Path, tmp_path: Path) -> None:
    long = DESK.replace("That did not work.", " ".join(f"That was attempt {number}." for number in range(80)))
    file = flow(tmp_path, long)
    result = prompts(file, "--cache", tmp_path / "voices", IVR_VOICE_CACHE_SIZE="1")
    assert result.exit_code == 1
    assert "did not stay in the folder: it may have 1 MiB (IVR_VOICE_CACHE_SIZE), and" in result.stdout
    assert "spoken, but not kept: " in result.stdout


async def test_a_text_that_the_first_voice_refuses_is_spoken_by_the_next_and_told(tmp_path: Path) -> None:
    server = VoiceApi(Sound(status=400))
    await server.start()
    try:
        file = flow(tmp_path, GERMAN.replace(", {text: Vale., language: qq-QQ}", ""))
        arguments: list[Any] = [file, "--tts", "openai", "--cache", tmp_path / "voices"]
        result = await asyncio.to_thread(prompts, *arguments, IVR_VOICE_URL=server.base)
    finally:
        await server.stop()
    assert result.exit_code == 0, result.output
    assert "  line 6, bye: spoken by espeak (openai: " in result.stdout
    assert result.stdout.count("Auf Wiedersehen.") == 1


def test_what_is_no_flow_and_what_cannot_be_read_is_told(desk: Path, tmp_path: Path) -> None:
    flow(tmp_path, "script: x\nsteps: []\n", "x.call.yaml")
    (tmp_path / "folder.yaml").mkdir()
    result = prompts(tmp_path, "--cache", tmp_path / "voices")
    assert result.exit_code == 1
    assert f"Skipped {tmp_path / 'x.call.yaml'}: it is a call script" in result.stderr
    assert f"Error: {tmp_path / 'folder.yaml'} cannot be read: " in result.stderr
    assert "Together: 10 texts" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'FLOW...'"),
        (("desk.yaml",), "There is no folder: set IVR_VOICE_CACHE, or use --cache or --export."),
        (("desk.yaml", "--cache", "x", "--rate", "8000"), "--rate goes with --export"),
        (
            ("desk.yaml", "--cache", "x", "--export", "y", "--rate", "8000"),
            "--cache keeps what live lines ask for, which has 16000: leave out --cache or --rate.",
        ),
        (("desk.yaml", "--cache", "desk.yaml/x"), "IVR_VOICE_CACHE: desk.yaml/x cannot be used: Not a directory"),
        (("desk.yaml", "--export", "desk.yaml/x"), "cannot be written: Not a directory"),
        (("empty", "--cache", "x"), "There is no flow"),
    ],
)
def test_a_mistake_is_told_in_plain_words(
    desk: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    (desk.parent / "empty").mkdir()
    monkeypatch.chdir(desk.parent)
    result = prompts(*arguments)
    assert result.exit_code != 0
    assert said in result.stderr


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    result = prompts(
        flow(folder, DESK), "--export", folder / "out", "--rate", "8000", IVR_VOICE_CACHE=str(folder / "c")
    )
    assert result.exit_code == 0, result.output
    assert f"Files: {folder / 'out'}, listed in index.txt and index.json" in result.stdout
    return folder


def test_each_text_is_a_file_with_a_name_that_says_where_it_stands(exported: Path) -> None:
    names = sorted(str(file.relative_to(exported / "out")) for file in (exported / "out").rglob("*.*"))
    assert names == [
        "desk/ask-choices-again-prompt.wav",
        "desk/ask-choices-sales-prompt.wav",
        "desk/ask-noInput-2-2.wav",
        "desk/ask-noInput-2.wav",
        "desk/ask-noInput.wav",
        "desk/ask-prompt-2.wav",
        "desk/ask-prompt.wav",
        "desk/bye-say.wav",
        "desk/greet-say.wav",
        "desk/on-exhausted-say.wav",
        "index.json",
        "index.txt",
    ]


def test_another_rate_leaves_the_cache_alone(exported: Path) -> None:
    assert not (exported / "c").exists()
    with wave.open(str(exported / "out/desk/bye-say.wav")) as file:
        assert file.getframerate() == 8000
        assert any(file.readframes(file.getnframes()))


def test_the_index_says_which_text_of_which_state_is_in_which_file(exported: Path) -> None:
    index = json.loads((exported / "out/index.json").read_text("utf-8"))
    (listed,) = index["flows"]
    assert (index["rate"], listed["flow"]) == (8000, "desk")
    by_text = {(one["state"], one["place"]): one for one in listed["texts"]}
    assert by_text["greet", "say"]["text"] == "Welcome to Contoso."
    assert by_text["greet", "say"]["written"] == "Welcome to {{ company }}."
    assert by_text["ask", "on-again-say"]["wav"] == by_text["ask", "prompt"]["wav"] == "desk/ask-prompt.wav"
    assert by_text["greet", "say-2"]["wav"] is None
    assert by_text["greet", "say-2"]["reads"] == ["call.channel"]
    assert all(one["spokenBy"] == ["espeak"] and one["seconds"] > 0.2 for one in listed["texts"] if one["wav"])
    lines = (exported / "out/index.txt").read_text("utf-8").splitlines()
    assert lines[0] == f"desk ({exported / 'desk.yaml'})"
    assert "  (known in a call: call.channel)  line 8  {{ call.channel }}" in lines
    assert sum("desk/ask-prompt.wav" in line for line in lines) == 2


def test_an_exported_file_can_be_played_by_a_flow(exported: Path) -> None:
    text = DESK.replace("say: Goodbye.", "say: {audio: out/desk/bye-say.wav, text: Goodbye.}")
    assert load_flow(flow(exported, text, "with-audio.yaml")).findings == ()


def test_files_that_are_too_large_for_a_flow_are_told(tmp_path: Path) -> None:
    file = flow(tmp_path, DESK.replace("Goodbye.", "Goodbye to all of you. " * 8))
    assert "KB" not in prompts(file, "--export", tmp_path / "small", "--rate", "8000").stdout
    assert "1 file of more than 512 KB" in prompts(file, "--export", tmp_path / "large", "--rate", "48000").stdout


def test_a_disk_without_room_is_named(desk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    (folder / "desk").mkdir(parents=True)
    (folder / "desk" / "greet-say.wav").symlink_to("/dev/full")
    assert f"{folder} cannot be written: No space left on device" in prompts(desk, "--export", folder).stderr


def test_a_text_that_fails_has_no_file_and_the_index_says_why(tmp_path: Path) -> None:
    result = prompts(flow(tmp_path, GERMAN), "--export", tmp_path / "out")
    assert result.exit_code == 1
    (listed,) = json.loads((tmp_path / "out/index.json").read_text("utf-8"))["flows"]
    assert [(one["text"], one["wav"]) for one in listed["texts"]] == [
        ("Auf Wiedersehen.", "german/bye-say.wav"),
        ("Vale.", None),
    ]
    assert listed["texts"][1]["failure"] == 'espeak: espeak-ng does not speak "qq-QQ"'
    assert "(not made: espeak: espeak-ng" in (tmp_path / "out/index.txt").read_text("utf-8")


def text_at(state: str | None, *path: str | int, languages: tuple[str, ...] = ("en-US",)) -> FlowText:
    said = f"{state} {path}"
    return FlowText(state, path, 1, said, tuple(Text(said, "male", one) for one in languages), ())


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("say", 0), "say"),
        (("say", 2), "say-3"),
        (("menu", "prompt", 0), "prompt"),
        (("menu", "noInput", 0, 1), "noInput-1-2"),
        (("menu", "noInput", 1, 0), "noInput-2"),
        (("next", 0, "say", 0), "next-say"),
        (("decide", 1, "say", 0), "decide-2-say"),
        (("on", "error.system", 0, "say", 1), "on-error.system-say-2"),
    ],
)
def test_a_place_is_called_as_a_person_would_say_it(path: tuple[str | int, ...], said: str) -> None:
    assert place_of(text_at("main", "states", "main", *path)) == said


def test_names_of_files_hold_nothing_that_is_a_path_and_no_two_are_the_same() -> None:
    texts = [
        text_at("../x y", "states", "../x y", "say", 0),
        text_at("main", "states", "main", "say", 0),
        text_at("MAIN", "states", "MAIN", "say", 0),
        text_at("two", "states", "two", "say", 0, languages=("de-DE", "en-US")),
        text_at("नमस्ते", "states", "नमस्ते", "say", 0),
        text_at("𝒜" * 300, "states", "𝒜" * 300, "say", 0),
    ]
    taken: set[str] = set()
    names = [*named("..", "a.yaml", texts, taken).files.values()]
    assert names[:6] == [
        "_/_x_y-say.wav",
        "_/main-say.wav",
        "_/MAIN-say-2.wav",
        "_/two-say-de-DE.wav",
        "_/two-say-en-US.wav",
        "_/नमस्ते-say.wav",
    ]
    assert names[6] == f"_/{'𝒜' * 50}.wav"
    assert [*named("..", "b.yaml", texts[1:2], taken).files.values()] == ["_/main-say-3.wav"]
