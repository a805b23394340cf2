"""`ivr replay --channel`: an operator sees what callers would notice after moving to another line."""

import json
from pathlib import Path

import pytest

from tests.cli.stored_calls import ivr, project
from tests.trace.recorded_calls import ROOT

CONNECTED = "recordings/cases/order-status/another-person.jsonl"


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("at_root")
def test_what_the_other_line_cannot_do_is_told_at_the_line_of_the_flow() -> None:
    result = ivr("replay", "--channel", "skype", CONNECTED)
    assert result.exit_code == 1
    told = "in person, the caller cannot be connected: the state raises failed.unsupported at once (transfer)"
    assert f"order-status: {told}" in result.output
    assert f"  1 call, such as {CONNECTED}: 0:12 after the caller chose person by a key\n" in result.output
    assert "  flows/order-status.yaml:56:3\n      person:\n" in result.output
    assert "nothing differs in 0, callers would notice something in 1.\n" in result.output


@pytest.mark.usefixtures("at_root")
def test_programs_get_json() -> None:
    document = json.loads(ivr("replay", "--channel", "skype", "--json", CONNECTED).stdout)
    assert (document["channel"], document["same"], document["noticed"]) == ("skype", 0, 1)
    (group,) = document["groups"]
    assert (group["at"]["difference"], group["at"]["state"], group["calls"]) == ("transfer", "person", [CONNECTED])


def test_stored_calls_move_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVR_DATA", "data")
    result = ivr("replay", "--live", "--channel", "skype")
    assert (result.exit_code, result.output) == (
        0,
        "12 calls replayed for skype: nothing differs in 12, callers would notice something in 0.\n",
    )


@pytest.mark.usefixtures("at_root")
def test_calls_of_other_flows_are_left_out() -> None:
    result = ivr("replay", "--channel", "skype", "--flow", "flows/support.yaml", CONNECTED)
    assert result.exit_code == 1
    assert result.output.startswith("0 calls replayed for skype: ")
    assert result.output.endswith(", 1 of other flows left out.\n")
