"""Settings: where they come from, what is said about wrong ones, and that secrets stay hidden."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.auth.documents import DOCUMENTS
from ivr.cli.settings import settings as command
from ivr.settings import Settings, SettingsError, load_settings, variable

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ivr.toml"


def test_the_defaults_are_closed_and_local() -> None:
    loaded = load_settings()
    assert loaded.settings.app_id is None
    assert loaded.settings.host == "127.0.0.1"
    assert loaded.settings.data == Path("recordings/live")
    assert loaded.settings.stt == "none"
    assert loaded.settings.openid_metadata == DOCUMENTS
    assert set(loaded.sources.values()) == {"default"}


def test_a_flag_wins_over_the_environment_and_that_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('port = 1\nhost = "127.0.0.2"\nidle = 5\n')
    monkeypatch.setenv("IVR_PORT", "2")
    monkeypatch.setenv("IVR_HOST", "127.0.0.3")
    loaded = load_settings(file=file, flags={"port": "3", "app_id": None})
    assert (loaded.settings.port, loaded.settings.host, loaded.settings.idle) == (3, "127.0.0.3", 5)
    assert [loaded.sources[name] for name in ("port", "host", "idle")] == ["flag", "environment", str(file)]


def test_metadata_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_OPENID_METADATA", "https://a.example/x , https://b.example/y,")
    assert load_settings().settings.openid_metadata == ("https://a.example/x", "https://b.example/y")


def test_routes_are_json_in_the_environment_and_a_table_in_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('[routes]\n"28:bot" = "desk"\n')
    assert load_settings(file=file).settings.routes == {"28:bot": "desk"}
    monkeypatch.setenv("IVR_ROUTES", '{"28:other": "voicemail"}')
    assert load_settings(file=file).settings.routes == {"28:other": "voicemail"}
    monkeypatch.setenv("IVR_ROUTES", "28:other=voicemail")
    for malformed in ("28:other=voicemail", '["voicemail"]', '{"28:other": 1, "28:more": 2}', "[" * 100_000):
        monkeypatch.setenv("IVR_ROUTES", malformed)
        example = r'^IVR_ROUTES \(environment\): must be a table .* such as {"28:bot-id": "voicemail"}$'
        with pytest.raises(SettingsError, match=example):
            load_settings()


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_APP_ID", "")
    loaded = load_settings()
    assert loaded.settings.app_id is None
    assert loaded.sources["app_id"] == "default"


def test_a_time_zone_without_summer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().doubtful == ()
    monkeypatch.setenv("IVR_ZONE", "EST")
    sentence = '"EST" never has summer time. Write a place, such as America/New_York.'
    assert load_settings().doubtful == (f"IVR_ZONE (environment): {sentence}",)


def test_a_line_whose_recordings_cannot_be_fetched_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_SIGNALWIRE_SIGNING_KEY", "a-signing-key")
    monkeypatch.setenv("IVR_SIGNALWIRE_API_TOKEN", "a-token")
    [told] = load_settings().doubtful
    assert told.startswith("IVR_SIGNALWIRE_SIGNING_KEY (environment): without IVR_SIGNALWIRE_API_URL and ")
    monkeypatch.setenv("IVR_SIGNALWIRE_API_URL", "https://example.signalwire.com")
    assert load_settings().doubtful == ()


def test_an_unknown_variable_is_told_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_PUBLIC_ADDRESS_URL", "https://x")
    monkeypatch.setenv("IVR_QQQQ", "x")
    assert load_settings().unknown == (
        "unknown setting IVR_PUBLIC_ADDRESS_URL. Did you mean IVR_PUBLIC_URL?",
        "unknown setting IVR_QQQQ. `ivr settings` lists all settings.",
    )


@pytest.mark.parametrize("content", ["prot = 1", "port = ", "\xff"])
def test_a_file_that_cannot_be_used_is_an_error_with_its_name(file: Path, content: str) -> None:
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"ivr\.toml"):
        load_settings(file=file)
    with pytest.raises(SettingsError, match=r"gone\.toml cannot be read"):
        load_settings(file=file.with_name("gone.toml"))


def test_everything_wrong_is_told_at_once_and_no_value_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_SEAL_KEY", "hunter2")
    monkeypatch.setenv("IVR_PORT", "70000")
    monkeypatch.setenv("IVR_PUBLIC_URL", "ivr.example.com")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    assert "hunter2" not in text
    assert re.findall(r"^IVR_\w+", text, re.MULTILINE) == ["IVR_PUBLIC_URL", "IVR_PORT", "IVR_SEAL_KEY"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("IVR_CONSOLE_TOKEN", "hunter2", "must have 16 characters or more; to make one: openssl rand -hex 24"),
        ("IVR_SEAL_KEY", "hunter2", "must be 64 hexadecimal digits; to make them: openssl rand -hex 32"),
        ("IVR_ZONE", "Europe/Viena", 'unknown time zone. Did you mean "Europe/Vienna"?'),
        ("IVR_ZONE", "Viena", 'unknown time zone. Did you mean "Europe/Vienna"?'),
        ("IVR_ZONE", "europe/vienna", 'unknown time zone. Did you mean "Europe/Vienna"?'),
        ("IVR_ZONE", "Mars/Base", "unknown time zone. Use a name such as Europe/Vienna."),
        (
            "IVR_ZONE",
            "GMT-5",
            (
                "unknown time zone. Write the name of a place, such as America/New_York: "
                "an offset does not know when the clocks change."
            ),
        ),
        ("IVR_PORT", "abc", "must be a whole number: The port to listen on; 0 picks a free one."),
        ("IVR_PORT", "70000", "must be 65535 or less"),
        (
            "IVR_IDLE",
            "15m",
            "must be a number, without a unit: Seconds without a message after which a call is closed.",
        ),
        ("IVR_RETENTION", "0", "must be more than 0"),
        ("IVR_REPLY_BUDGET", "16", "must be 15 or less"),
        ("IVR_JOBS", "0", "must be 1 or more"),
        ("IVR_LOG_LEVEL", "loud", "must be debug, info, warning or error"),
        ("IVR_APP_ID", "x" * 201, "must have at most 200 characters"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(
    setting: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"{setting} (environment): {said}"


def test_a_level_of_the_log_is_taken_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_LOG_LEVEL", "Warning")
    assert load_settings().settings.log_level == "warning"


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_SEAL_KEY", KEY)
    loaded = load_settings()
    assert KEY not in repr(loaded)
    assert loaded.settings.seal_key is not None
    assert loaded.settings.seal_key.get_secret_value() == KEY
    result = CliRunner().invoke(command)
    assert KEY not in result.output
    assert "IVR_SEAL_KEY = (hidden)  (environment)" in result.output


def test_every_setting_is_listed_with_its_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_PORT", "8081")
    result = CliRunner().invoke(command)
    assert result.exit_code == 0
    for name, field in Settings.model_fields.items():
        assert f"{variable(name)} = " in result.output
        assert field.description
    assert "IVR_PORT = 8081  (environment)" in result.output
    assert "Default: 8080" in result.output


def test_a_trailing_slash_of_the_public_address_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_PUBLIC_URL", "https://ivr.example.com/")
    assert load_settings().settings.public_url == "https://ivr.example.com"


ADDRESSES = ["IVR_PUBLIC_URL", "IVR_AZURE_ENDPOINT", "IVR_OPENAI_URL", "IVR_OPENID_METADATA"]


@pytest.mark.parametrize("setting", ADDRESSES)
@pytest.mark.parametrize(
    "address",
    [
        "https://u:hush@ivr.example.com",
        "https://hush@ivr.example.com",
        "https://:hush@ivr.example.com/v1",
        "https://u:hush@ho\u2100st",
        "https://[",
    ],
)
def test_an_address_holds_no_password_and_is_not_repeated(
    setting: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, address)
    with pytest.raises(SettingsError, match=rf"{setting} .* must be an address such as") as refused:
        load_settings()
    assert "hush" not in str(refused.value)


def test_each_of_several_addresses_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_OPENID_METADATA", "https://a.example.com/keys, https://u:hush@b.example.com/keys")
    with pytest.raises(SettingsError, match="without user or password"):
        load_settings()


def test_an_address_may_have_an_at_sign_behind_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_OPENAI_URL", "http://127.0.0.1:9000/@team/v1")
    assert load_settings().settings.openai_url == "http://127.0.0.1:9000/@team/v1"
