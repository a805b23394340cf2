"""`ivr calls damaged`: an operator finds the calls that cannot be read, and erases them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.stored_calls import call_id, ivr, project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project(tmp_path, calls=4)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVR_DATA", "data")
    monkeypatch.setenv("IVR_SEAL_KEY", "00" * 32)
    return tmp_path


def damage(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "data" / "calls.db")) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def test_where_nothing_is_damaged_that_is_said(folder: Path) -> None:
    result = ivr("calls", "damaged")
    assert (result.exit_code, result.output) == (0, "No call is damaged.\n")
    assert ivr("calls", "damaged", "--json").output == ""


def test_a_damaged_call_is_named_with_what_of_it_cannot_be_read(folder: Path) -> None:
    damage(folder, "UPDATE turn SET state = json_set(state, '$.phase', 'secret') WHERE call = 2")
    damage(folder, "UPDATE turn SET trace = 'secret' WHERE seq = (SELECT min(seq) FROM turn WHERE call = 3)")
    result = ivr("calls", "damaged")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{call_id(1)}  (finished; skype: call-1) its state has an invalid format at $.phase.",
        f"{call_id(2)}  (finished; skype: call-2) a line of its trace has an invalid format.",
    ]
    assert json.loads(ivr("calls", "damaged", "--json").output.splitlines()[0]) == {
        "id": call_id(1),
        "channel": "skype",
        "platformCall": "call-1",
        "over": True,
        "reason": "its state has an invalid format at $.phase.",
    }


def test_a_call_that_goes_on_and_whose_flow_is_lost_is_named_too(folder: Path) -> None:
    damage(folder, "UPDATE call SET ended = NULL WHERE row = 1")
    damage(folder, "UPDATE flow SET source = x'00' || source")
    result = ivr("calls", "damaged")
    assert result.output == f"{call_id(0)}  (not finished, set aside; skype: ) a stored flow cannot be read.\n"


def test_without_the_key_sealed_values_are_not_judged_and_that_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IVR_SEAL_KEY")
    result = ivr("calls", "damaged")
    assert result.exit_code == 0
    assert "Sealed values are not checked, because their key was not found." in result.output
    monkeypatch.setenv("IVR_SEAL_KEY", "11" * 32)
    assert "Sealed values are not checked" in ivr("calls", "damaged").output


def test_a_damaged_call_keeps_nobody_from_reading_the_others(folder: Path) -> None:
    damage(folder, "UPDATE turn SET state = substr(state, 1, 40) WHERE call = 2")
    rows = ivr("calls").output.splitlines()
    assert len(rows) == 5
    assert rows[3].startswith(call_id(1)[:8])
    assert rows[3].endswith("(damaged, see: ivr calls damaged)")
    shown = ivr("calls", "show", call_id(1))
    assert shown.exit_code == 1
    assert shown.output == f"Error: Call {call_id(1)[:8]} cannot be read: its state has an invalid format\n"
    assert ivr("calls", "show", call_id(2)).exit_code == 0
    replayed = ivr("replay", "--live").output
    assert "4 calls replayed: 3 same, 0 changed, 1 undetermined." in replayed


@pytest.mark.parametrize("value", ["1e308", "-1e308", "'soon'", "NULL"])
def test_a_time_that_no_calendar_has_does_not_end_a_list(folder: Path, value: str) -> None:
    damage(folder, f"UPDATE turn SET state = json_set(state, '$.facts.started', {value}) WHERE call = 2")
    damage(folder, f"UPDATE turn SET trace = json_set(trace, '$[0].now', {value}) WHERE call = 2")
    assert len(ivr("calls").output.splitlines()) == 5
    assert len(json.loads(ivr("calls", "--json").output)) == 4
    for command in (["show", call_id(1)], ["export", call_id(1)], ["damaged"]):
        assert "Traceback" not in ivr("calls", *command).output


def test_a_damaged_call_is_erased_by_its_id(folder: Path) -> None:
    damage(folder, "UPDATE turn SET state = '{' WHERE call = 2")
    asked = ivr("calls", "erase", "--call", call_id(1))
    assert f"Erase call {call_id(1)} permanently?" in asked.output
    receipt = ivr("calls", "erase", "--call", call_id(1), "--yes")
    assert receipt.exit_code == 0
    assert receipt.output.startswith(f"Receipt: call {call_id(1)} was erased at ")
    assert "Erased: 1 call, " in receipt.output
    assert ivr("calls", "damaged").output == "No call is damaged.\n"
    again = ivr("calls", "erase", "--call", call_id(1), "--yes")
    assert again.exit_code == 1
    assert again.output == f"No call {call_id(1)} was found. Nothing was erased.\n"


def test_erasing_a_caller_says_that_damaged_calls_may_be_theirs(folder: Path) -> None:
    damage(folder, "UPDATE turn SET state = '{' WHERE call = 2")
    receipt = ivr("calls", "erase", "--caller", "29:anna", "--yes").output
    assert "Erased: 2 calls" in receipt
    assert "Not erased: 1 damaged call without a readable caller, perhaps of this caller." in receipt


def test_a_caller_or_a_call_is_named_and_not_both(folder: Path) -> None:
    for arguments in ([], ["--caller", "29:anna", "--call", call_id(1)]):
        result = ivr("calls", "erase", "--yes", *arguments)
        assert result.exit_code == 2
        assert "Use either --caller or --call." in result.output
