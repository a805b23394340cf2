"""`ivr check` and what the settings of a server lack: as soon as there are any, by flag, environment or file."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli import main
from ivr.settings import Settings, variable

FLOW = """
flow: orders
initial: start
on: {exhausted: bye, error: bye}
states:
  start: {http: {url: "http://127.0.0.1:8090/orders", headers: {X-Key: "{{ secrets.shop }}"}}, next: tell}
  tell: {notify: {email: anna@contoso.example, text: A call.}, next: bye}
  bye: {say: Goodbye., final: true}
"""


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def checked(folder: Path, *flags: str) -> list[str]:
    file = folder / "orders.yaml"
    file.write_text(FLOW)
    result = CliRunner().invoke(main, ["check", "--json", *flags, str(file)])
    return [found["message"] for found in json.loads(result.output) if found["code"] == "settings"]


LACKS_SECRET = 'The settings have no secret "shop".'
LACKS_MAIL = "No mail can be sent: IVR_SMTP_SERVER is not set."
LACKS_HOST = "No request can go there: 127.0.0.1:8090 is not on the list IVR_HTTP_HOSTS."


def test_without_settings_an_author_hears_nothing_of_them(tmp_path: Path) -> None:
    assert checked(tmp_path) == []


def test_a_list_of_hosts_is_all_that_is_checked_if_it_is_all_that_is_named(tmp_path: Path) -> None:
    assert checked(tmp_path, "--http-hosts", "127.0.0.1:8090") == []
    assert checked(tmp_path, "--http-hosts", "api.contoso.example") == [LACKS_HOST]


def test_in_the_environment_of_a_server_all_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_HTTP_HOSTS", "127.0.0.1:8090")
    assert checked(tmp_path) == [LACKS_SECRET, LACKS_MAIL]
    monkeypatch.setenv("IVR_SECRETS", '{"shop": "4711"}')
    assert checked(tmp_path) == [LACKS_MAIL]


def test_a_file_of_settings_is_one_of_a_server(tmp_path: Path) -> None:
    settings = tmp_path / "ivr.toml"
    settings.write_text("")
    assert checked(tmp_path, "--settings", str(settings)) == [LACKS_HOST, LACKS_SECRET, LACKS_MAIL]
    settings.write_text('http_hosts = ["127.0.0.1:8090"]\nsmtp_server = "localhost"\n[secrets]\nshop = "4711"\n')
    assert checked(tmp_path, "--settings", str(settings)) == []
