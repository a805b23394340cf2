"""`ivr check --channel sip`: what a gateway's line can do is what its voice speaks and its ear understands."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.media.installed import missing
from ivr.server.plugs import lines
from ivr.settings import Settings, SettingsError, variable
from ivr.speech.voices.espeak import spoken_languages

GERMAN = """
flow: ansage
language: de-DE
initial: start
on: {exhausted: ende, error: ende}
states:
  start: {menu: {prompt: "Sagen Sie ja, oder dr\u00fccken Sie 1.", choices: {ja: CHOICE}}, on: {ja: ende}}
  ende: {say: Auf Wiederh\u00f6ren., final: true}
"""
ENGLISH = GERMAN.replace("de-DE", "en-US")
KLINGON = GERMAN.replace("de-DE", "tlh")
KEYED = '{dtmf: "1", speech: [ja]}'
SPOKEN = "{speech: [ja]}"

pytestmark = pytest.mark.skipif(bool(missing()), reason="a voice or an ear is not installed")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def check(folder: Path, flow: str, choice: str, *flags: str) -> Result:
    file = folder / "ansage.yaml"
    file.write_text(flow.replace("CHOICE", choice), encoding="utf-8")
    return CliRunner().invoke(main, ["check", *flags, str(file)])


def test_a_flow_in_the_language_of_the_voice_is_for_a_gateway_and_not_for_skype(tmp_path: Path) -> None:
    assert check(tmp_path, GERMAN, KEYED, "--channel", "sip").exit_code == 0
    refused = check(tmp_path, GERMAN, KEYED)
    assert refused.exit_code == 1
    assert "The channel supports only en-US, not de-DE." in refused.output


def test_a_choice_that_the_ear_does_not_understand_needs_a_key(tmp_path: Path) -> None:
    refused = check(tmp_path, GERMAN, SPOKEN, "--channel", "sip")
    assert refused.exit_code == 1
    assert 'The channel does not understand de-DE, and "ja" has no key.' in refused.output
    assert check(tmp_path, ENGLISH, SPOKEN, "--channel", "sip").exit_code == 0


def test_a_language_that_the_voice_does_not_speak_is_found(tmp_path: Path) -> None:
    refused = check(tmp_path, KLINGON, KEYED, "--channel", "sip")
    assert "The channel does not speak tlh." in refused.output
    assert "supports only" not in refused.output


def test_the_settings_name_the_line_where_no_flag_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_CHECK_CHANNEL", "sip")
    assert check(tmp_path, GERMAN, KEYED).exit_code == 0
    assert check(tmp_path, GERMAN, KEYED, "--channel", "skype").exit_code == 1
    assert check(tmp_path, KLINGON, KEYED, "--channel", "none").exit_code == 0


def test_a_service_may_speak_and_understand_any_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_VOICE", "openai")
    assert check(tmp_path, KLINGON, KEYED, "--channel", "sip").exit_code == 0
    monkeypatch.setenv("IVR_STT", "openai")
    assert check(tmp_path, KLINGON, SPOKEN, "--channel", "sip").exit_code == 0


def test_what_skype_can_besides_a_gateway_can_too() -> None:
    skype, sip = (lines.line_named(Settings(), name) for name in ("skype", "sip"))
    assert (sip.reject, sip.terminators, sip.recording) == (True, skype.terminators, skype.recording)


def test_without_a_voice_there_is_nothing_to_check_against(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "spoken_on_live_lines", lambda _: frozenset())
    refused = check(tmp_path, ENGLISH, KEYED, "--channel", "sip")
    assert refused.exit_code == 1
    assert "the channel sip has no voice here: pip install 'ivr[phone]', or set IVR_VOICE" in refused.output
    with pytest.raises(SettingsError):
        lines.lines_of_flows(Settings(check_channel="sip"))


def test_without_an_ear_nobody_can_speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "understood_on_live_lines", lambda _: frozenset())
    refused = check(tmp_path, ENGLISH, SPOKEN, "--channel", "sip")
    assert 'The channel does not support speech, and "ja" has no key.' in refused.output


def test_the_voice_is_asked_for_its_languages() -> None:
    assert {"en", "en-us", "de", "fr", "pt-br"} <= spoken_languages()
    assert len(spoken_languages()) > 100
