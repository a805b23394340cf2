"""Secrets of flows: from settings and from a folder, and never shown."""

from pathlib import Path

import pytest

from ivr.setting_sources import value_text
from ivr.settings import Settings, SettingsError, load_settings, secrets_of


def test_secrets_come_from_settings_and_from_files_and_the_settings_win(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("hush\n")
    (tmp_path / "mail").write_text("quiet")
    (tmp_path / ".hidden").write_text("no name")
    settings = Settings(secrets={"mail": "loud"}, secrets_folder=tmp_path)
    assert dict(secrets_of(settings)) == {"shop": "hush", "mail": "loud"}
    assert "loud" not in value_text(settings.secrets) + repr(settings)


def test_a_secret_without_a_value_is_none_since_whoever_keys_nothing_would_know_it(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text(" \n\n")
    (tmp_path / "pin").write_text("")
    settings = Settings(secrets={"mail": "", "key": "loud"}, secrets_folder=tmp_path)
    assert dict(secrets_of(settings)) == {"key": "loud"}


@pytest.mark.parametrize("content", [b"\xff", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_an_error_that_shows_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop").write_bytes(content)
    with pytest.raises(SettingsError) as wrong:
        secrets_of(Settings(secrets_folder=tmp_path))
    assert "xxx" not in str(wrong.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("IVR_SECRETS", '{"a b": "hush"}'),
        ("IVR_SECRETS", "hush"),
        ("IVR_HTTP_HOSTS", "https://x"),
        ("IVR_HTTP_PRIVATE", "10.1"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as wrong:
        load_settings()
    assert variable in str(wrong.value)
    assert "hush" not in str(wrong.value)
