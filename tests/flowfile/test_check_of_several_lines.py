"""Where several lines are on, flows are checked against each of them, and what is found says on which."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ivr.cli import main
from ivr.server.plugs.lines import development_lines, lines_of_flows
from ivr.settings import Settings, variable
from tests.flowfile.reading import load, whole

SECRETS: dict[str, Any] = {"app_id": "a", "twilio_auth_token": "t" * 32, "twilio_account_sid": "AC" + "0" * 32}
FLOW = whole("""
language: de-DE
states:
  start:
    digits: {prompt: "Ihre Nummer?", minDigits: 1, maxDigits: 4, terminators: "*#", into: number}
    on: {digits: bye}
""")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_all_lines_that_are_on_count_unless_one_is_named() -> None:
    assert list(lines_of_flows(Settings())) == ["skype"]
    assert list(lines_of_flows(Settings(**SECRETS))) == ["skype", "twilio"]
    assert list(lines_of_flows(Settings(**SECRETS), "jambonz")) == ["jambonz"]
    assert list(lines_of_flows(Settings(**SECRETS, check_channel="twilio"))) == ["twilio"]
    assert list(development_lines(Settings(**SECRETS, check_channel="twilio"))) == ["twilio"]


def test_a_finding_names_the_lines_and_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(variable(name), value)
    monkeypatch.setenv("IVR_PLIVO_AUTH_ID", "MA" + "0" * 18)
    monkeypatch.setenv("IVR_PLIVO_AUTH_TOKEN", "p" * 40)
    file = tmp_path / "flow.yaml"
    file.write_text(FLOW, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 1
    assert "The channel supports only en-US, not de-DE (skype)." in result.output
    assert result.output.count("knows whole seconds alone") == 0
    assert result.output.count("waits for the pause between keys (twilio, plivo).") == 1
    alone = CliRunner().invoke(main, ["check", "--channel", "twilio", str(file)])
    assert alone.exit_code == 0
    assert "waits for the pause between keys." in alone.output


def test_no_line_is_no_finding() -> None:
    assert [one.code for one in load(FLOW).findings if one.code == "channel"] == []
