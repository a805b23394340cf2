"""`ivr speak`: a text in a WAV file, spoken as on a live line."""

import io
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.media.installed import missing
from ivr.settings import Settings, variable
from tests.local_speech import needs_hibari

pytestmark = pytest.mark.skipif("not spoken" in " ".join(missing()), reason="espeakng-loader is not installed")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def speak(*arguments: str | Path, **variables: str) -> Result:
    result = CliRunner().invoke(main, ["speak", *map(str, arguments)], env=variables)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def sound(data: bytes) -> tuple[int, int, int, bool]:
    """Return the rate, the channels, the bytes of a sample, and whether anything is heard."""
    with wave.open(io.BytesIO(data)) as file:
        samples = file.readframes(file.getnframes())
        return file.getframerate(), file.getnchannels(), file.getsampwidth(), any(samples)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_text_is_a_wav_file_of_the_rate_that_is_wanted(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "hello.wav"
    result = speak("Hello.", "--tts", "espeak", "--rate", str(rate), "-o", file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"at {rate // 1000} kHz" in result.stderr
    assert "spoken by espeak" in result.stderr
    assert sound(file.read_bytes()) == (rate, 1, 2, True)
    assert [one.name for one in tmp_path.iterdir()] == ["hello.wav"]  # nothing is left beside it


def test_the_file_can_be_the_standard_output() -> None:
    result = speak("Hello.", "-o", "-")
    assert sound(result.stdout_bytes) == (16000, 1, 2, True)


def test_language_voice_and_say_as_make_another_sound() -> None:
    sounds = [
        speak("2026-12-24", "-o", "-", *flags).stdout_bytes
        for flags in ([], ["--voice", "male"], ["--language", "de"], ["--say-as", "yearMonthDay"], ["--emphasize"])
    ]
    assert len(set(sounds)) == len(sounds)


def test_a_long_text_is_spoken_to_its_end() -> None:
    once, often = (len(speak(text, "-o", "-").stdout_bytes) for text in ("Hello there. ", "Hello there. " * 40))
    assert often > 30 * once


def test_the_settings_say_which_voice_and_its_flag_wins(tmp_path: Path) -> None:
    result = speak("Hello.", "-o", tmp_path / "x.wav", IVR_VOICE="openai", IVR_VOICE_URL="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: openai does not speak this text: ")
    assert not [*tmp_path.iterdir()]
    assert speak("Hello.", "--tts", "espeak", "-o", tmp_path / "x.wav", IVR_VOICE="openai").exit_code == 0


def test_no_other_voice_speaks_and_nothing_is_kept(tmp_path: Path) -> None:
    cache = tmp_path / "voices"
    result = speak("Hello.", "--language", "qq-QQ", "-o", tmp_path / "x.wav", IVR_VOICE_CACHE=str(cache))
    assert result.stderr == 'Error: espeak does not speak this text: espeak-ng does not speak "qq-QQ"\n'
    speak("Hello.", "-o", tmp_path / "x.wav", IVR_VOICE_CACHE=str(cache))
    assert not cache.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("\x01 ", "-o", "-"), "There is nothing to be spoken in TEXT."),
        (("Hello.", "-o", "no/such/folder/x.wav"), "no/such/folder/x.wav cannot be written: No such file or directory"),
        (("Hello.",), "Missing option '-o'"),
        (("Hello.", "-o", "-", "--rate", "11025"), "'11025' is not one of '8000', '16000', '48000'"),
        (("Hello.", "-o", "-", "--settings", "no-file.toml"), "File 'no-file.toml' does not exist"),
    ],
)
def test_a_mistake_is_told_in_plain_words(arguments: tuple[str, ...], said: str) -> None:
    result = speak(*arguments)
    assert result.exit_code != 0
    assert said in result.stderr


def test_the_settings_of_a_gateway_are_read_too(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('bot = "http://127.0.0.1:8080/call"\nvoice = "openai"\nvoice_url = "http://127.0.0.1:1"\n')
    assert "openai does not speak" in speak("Hello.", "-o", "-", "--settings", file).stderr


@needs_hibari
def test_a_text_without_sound_is_no_file(tmp_path: Path) -> None:
    result = speak("🙂", "--tts", "hibari", "-o", tmp_path / "x.wav")
    assert "hibari finds nothing to speak in this text" in result.stderr
    assert not (tmp_path / "x.wav").exists()
