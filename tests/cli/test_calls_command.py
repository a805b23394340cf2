"""`ivr calls`: an operator lists, reads, exports and erases calls."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import click
import pytest

from ivr.cli.calls import ListedCall, table
from ivr.cli.erasing import ErasureTarget, erase
from ivr.storage import CallSummary
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.trace.files import loads
from tests.cli.stored_calls import LINED, call_id, ivr, project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVR_DATA", "data")
    return tmp_path


def listed(*options: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(ivr("calls", "--json", *options).output)
    return found


def test_calls_are_listed_the_newest_first(folder: Path) -> None:
    rows = ivr("calls").output.splitlines()
    assert rows[0].split() == ["call", "came", "in", "(UTC)", "flow", "caller", "lasted", "state", "outcome"]
    assert rows[1].split()[:2] == [call_id(11)[:8], "2026-11-20"]
    assert len(rows) == 13


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (9.0, "0:03  main              (in progress)"),
        (60.0, "0:03  main              (in progress, silent for 1 minute)"),
        (7_300.0, "0:03  main              (in progress, silent for 2 hours)"),
        (200_000.0, "0:03  main              (in progress, silent for 2 days)"),
    ],
)
def test_a_call_that_has_not_ended_is_listed_with_its_silence(
    later: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = CallSummary("ab" * 16, "", "skype", "29:anna", "28:bot", 1000.0, 1003.0, "main", None, over=False)
    table(iter([ListedCall("desk", call)]), now=1003.0 + later)
    assert capsys.readouterr().out.splitlines()[1].endswith(f" {said}")


def test_a_list_can_be_cut_down(folder: Path) -> None:
    everything = listed()
    assert len(everything) == 12
    assert {call["flow"] for call in everything} == {"flight-desk"}
    assert listed("--flow", "support") == []
    assert {call["caller"] for call in listed("--caller", "29:anna")} == {"29:anna"}
    some = everything[0]["outcome"]
    assert {call["outcome"] for call in listed("--outcome", str(some))} == {some}
    state = everything[0]["state"]
    assert {call["state"] for call in listed("--state", str(state))} == {state}
    assert listed("--since", "2026-11-20T09:00") == everything
    assert listed("--since", "2026-11-20T10:00:01") == []
    assert listed("--limit", "2") == everything[:2]
    assert ivr("calls", "--flow", "support").output == "No calls.\n"


def test_a_time_that_is_none_says_how_one_is_written(folder: Path) -> None:
    result = ivr("calls", "--since", "yesterday")
    assert result.exit_code == 2
    assert '"yesterday" is not a time; use 2026-11-20' in result.output
    assert len(listed("--since", "500w")) == 12


def test_one_call_is_told_as_a_transcript_with_times(folder: Path) -> None:
    told = ivr("calls", "show", call_id(0)[:6]).output
    assert told.startswith("flight-desk, called by 29:anna at 2026-11-20 10:00:00 UTC, 0:")
    assert " 0:00  The call came in.\n       (start: called → main)\n" in told
    assert '       "To report a problem, press 1 or say problem.' in told
    assert "\nThe call ended: " in told
    document = json.loads(ivr("calls", "show", call_id(0), "--json").output)
    assert (document["call"], document["lines"][0]["event"]["type"]) == (bot_id(), "called")


def test_what_the_line_of_a_call_told_is_a_row_of_its_transcript(folder: Path) -> None:
    told = ivr("calls", "show", call_id(LINED)).output
    assert "\nline: sip from 192.0.2.7:5060 over udp, PCMA, not encrypted, 0.4 % lost\n" in told
    document = json.loads(ivr("calls", "show", call_id(LINED), "--json").output)
    assert document["line"] == {
        "kind": "sip",
        "trunk": "192.0.2.7:5060",
        "transport": "udp",
        "codec": "PCMA",
        "encrypted": False,
        "loss": 0.4,
    }
    assert "\nline: " not in ivr("calls", "show", call_id(0)).output
    assert "line" not in json.loads(ivr("calls", "show", call_id(0), "--json").output)


def bot_id() -> str:
    return call_id(0)


def test_an_id_that_fits_no_call_or_several_is_refused(folder: Path) -> None:
    assert 'There is no call "ff"' in ivr("calls", "show", "ff").output
    assert 'Several calls begin with "0": 000000000000' in ivr("calls", "show", "0").output


def test_an_exported_call_is_a_case_that_replays_as_same(folder: Path) -> None:
    exported = ivr("calls", "export", call_id(3))
    recorded = loads(exported.stdout_bytes, "export")
    assert (recorded.header.flow, recorded.header.states["main"]) == ("flight-desk", 11)
    case = folder / "case.jsonl"
    case.write_bytes(exported.stdout_bytes)
    assert ivr("replay", case).output == "1 call replayed: 1 same, 0 changed, 0 undetermined.\n"


def test_an_exported_call_is_kept_where_replay_finds_it(folder: Path) -> None:
    file = folder / "recordings" / "cases" / "flight-desk" / "wrong-key.jsonl"
    result = ivr("calls", "export", call_id(3), "--to", "wrong-key")
    assert result.output == "Saved as recordings/cases/flight-desk/wrong-key.jsonl\n"
    assert file.read_bytes() == ivr("calls", "export", call_id(3)).stdout_bytes
    assert ivr("replay").output == "1 call replayed: 1 same, 0 changed, 0 undetermined.\n"
    again = ivr("calls", "export", call_id(4), "--to", "wrong-key")
    assert again.exit_code == 1
    assert "wrong-key.jsonl already exists; choose another name." in again.output
    assert file.read_bytes() == ivr("calls", "export", call_id(3)).stdout_bytes


@pytest.mark.parametrize("name", ["Wrong Key", "../../x", "", "-x", "x" * 61, "x\n"])
def test_a_case_gets_no_name_that_a_test_could_not_have(folder: Path, name: str) -> None:
    result = ivr("calls", "export", call_id(3), "--to", name)
    assert result.exit_code == 2
    assert (
        "is not a valid name for a case. Lowercase letters, digits and hyphens, at most 60 characters." in result.output
    )
    assert not (folder / "recordings").exists()


def test_a_case_that_cannot_be_kept_says_why(folder: Path) -> None:
    (folder / "recordings").mkdir()
    (folder / "recordings" / "cases").write_text("a file")
    result = ivr("calls", "export", call_id(3), "--to", "wrong-key")
    assert result.exit_code == 1
    assert "recordings/cases/flight-desk cannot be created: Not a directory" in result.output
    (folder / "recordings" / "cases").unlink()
    (folder / "recordings" / "cases").mkdir()
    (folder / "recordings" / "cases" / "flight-desk").write_text("a file")
    result = ivr("calls", "export", call_id(3), "--to", "wrong-key")
    assert "recordings/cases/flight-desk cannot be created: File exists" in result.output


def test_a_caller_is_erased_with_a_receipt(folder: Path) -> None:
    kept = ivr("calls", "export", call_id(1)).stdout_bytes
    case = folder / "recordings" / "cases" / "anna.jsonl"
    case.parent.mkdir(parents=True)
    case.write_bytes(ivr("calls", "export", call_id(0)).stdout_bytes)
    audio = folder / "data" / "audio"
    for number in range(1, 9):
        (audio / f"{number}.wma").write_bytes(b"audio")
    receipt = ivr("calls", "erase", "--caller", "29:anna", "--yes").output
    assert receipt.startswith("Receipt: 29:anna was erased at 20")
    assert f"  call {call_id(0)} of 2026-11-20 10:00:" in receipt
    assert "Erased: 6 calls, " in receipt
    assert "these cases contain a call of this caller:\n  recordings/cases/anna.jsonl\n" in receipt
    assert {call["caller"] for call in listed()} == {"29:bert"}
    assert ivr("calls", "export", call_id(1)).stdout_bytes == kept
    again = ivr("calls", "erase", "--caller", "29:anna", "--yes")
    assert again.exit_code == 1
    assert again.output.startswith("No call of 29:anna was found. Nothing was erased.\n")
    assert "Receipt" not in again.output


def test_a_receipt_names_recordings_that_went_with_their_calls_like_those_that_were_files(folder: Path) -> None:
    data = DataFolder(folder / "data")
    with closing(sqlite3.connect(data.database)) as connection, connection:
        connection.execute("UPDATE turn SET media = NULL")
        first, second = (seq for (seq,) in connection.execute("SELECT seq FROM turn WHERE call = 1 LIMIT 2"))
        connection.execute("UPDATE turn SET media = 'small.wma', audio = x'ff00ff' WHERE seq = ?", (first,))
        connection.execute("UPDATE turn SET media = 'large.wma' WHERE seq = ?", (second,))
    (data.audio / "large.wma").write_bytes(b"audio")
    receipt = ivr("calls", "erase", "--call", call_id(0), "--yes")
    assert "  audio small.wma: 3 bytes\n  audio large.wma: 5 bytes\nErased: 1 call, 2 recordings.\n" in receipt.output
    assert receipt.exit_code == 0
    assert not list(data.audio.iterdir())


def test_mails_that_were_written_as_files_are_erased_with_their_calls(folder: Path) -> None:
    data = DataFolder(folder / "data")
    data.mail.mkdir()
    for name in (f"{call_id(0)}.2.1.eml", f".{call_id(0)}.2.2.eml.part", f"{call_id(1)}.2.1.eml"):
        (data.mail / name).write_bytes(b"To: 29:anna")
    receipt = ivr("calls", "erase", "--call", call_id(0), "--yes")
    assert f"  mail {call_id(0)}.2.1.eml: 11 bytes\n" in receipt.output
    assert ", 2 mails.\n" in receipt.output
    assert [file.name for file in data.mail.iterdir()] == [f"{call_id(1)}.2.1.eml"]
    (data.mail / f"{call_id(1)}.2.1.eml").unlink()
    (data.mail / f"{call_id(1)}.2.1.eml").mkdir()  # in the way: no file can be deleted there
    receipt = ivr("calls", "erase", "--call", call_id(1), "--yes")
    assert f"STILL ON THE DISK: {data.mail / call_id(1)}.2.1.eml (Is a directory). Delete it by hand." in receipt.output
    assert receipt.exit_code == 1


def test_a_mistaken_caller_gets_no_receipt_but_the_nearest_one(folder: Path) -> None:
    result = ivr("calls", "erase", "--caller", "29:ana")
    assert result.exit_code == 1
    assert result.output == 'No call of 29:ana was found. Nothing was erased. Did you mean "29:anna"?\n'
    assert len(listed()) == 12


def test_a_receipt_counts_one_as_one(folder: Path) -> None:
    data = DataFolder(folder / "data")
    with closing(sqlite3.connect(data.database)) as connection, connection:
        connection.execute("DELETE FROM turn WHERE seq NOT IN (SELECT min(seq) FROM turn GROUP BY call)")
        connection.execute("UPDATE turn SET state = json_set(state, '$.facts.caller', '29:carl') WHERE call = 1")
    receipt = ivr("calls", "erase", "--caller", "29:carl", "--yes").output
    assert ": trace of 1 line, transcripts\n" in receipt
    assert "Erased: 1 call, " in receipt


def test_a_receipt_says_what_is_left_on_the_disk_and_the_command_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DataFolder(folder / "data")
    with closing(sqlite3.connect(data.database)) as other:
        reading = other.execute("SELECT id FROM call")
        reading.fetchone()
        with pytest.raises(click.exceptions.Exit) as caught:
            erase(StoreLocation(data), ErasureTarget("29:anna"), ask=False, patience=0.0)
        assert len(reading.fetchall()) == 11
    assert caught.value.exit_code == 1
    receipt = capsys.readouterr().out
    assert "Erased: 6 calls" in receipt
    assert "still in the database's log, because another command is still reading" in receipt
    assert "STILL ON THE DISK" not in ivr("calls", "erase", "--caller", "29:anna", "--yes").output


def test_a_receipt_names_audio_that_could_not_be_deleted_and_who_will(folder: Path) -> None:
    data = DataFolder(folder / "data")
    with closing(sqlite3.connect(data.database)) as connection, connection:
        # A name that no disk takes: the one refusal that an administrator meets too.
        connection.execute("UPDATE turn SET media = iif(call = 1, printf('%032x.wma', seq), NULL)")
        changed = connection.execute(
            "UPDATE turn SET media = ? WHERE media = (SELECT min(media) FROM turn)", ["x" * 300]
        )
        assert changed.rowcount == 1
        others = [name for (name,) in connection.execute("SELECT media FROM turn WHERE media != ?", ["x" * 300])]
    assert len(others) > 1
    for name in others:
        (data.audio / name).write_bytes(b"audio")
    result = ivr("calls", "erase", "--caller", "29:anna", "--yes")
    assert result.exit_code == 1
    assert f"Erased: 6 calls, {len(others)} recordings.\n" in result.output
    assert f"STILL ON THE DISK:\n  audio {'x' * 300} (File name too long)\n" in result.output
    assert (
        f"deletes them after IVR_SWEEP_AFTER seconds. To delete them now, use the folder {data.audio}." in result.output
    )
    assert not list(data.audio.iterdir())


def test_a_receipt_says_that_deleted_names_may_come_back_where_the_disk_did_not_say_that_they_are_gone(
    folder: Path,
) -> None:
    data = DataFolder(folder / "data")
    data.audio.rmdir()
    data.audio.symlink_to("/proc/self/fd")  # a folder that cannot be synced
    result = ivr("calls", "erase", "--caller", "29:anna", "--yes")
    assert result.exit_code == 1
    assert "Erased: 6 calls, 0 recordings.\n" in result.output
    assert f"  file names in {data.audio}, until they are written to the disk (" in result.output


def test_nothing_is_erased_while_a_server_owns_the_folder(folder: Path) -> None:
    with DataFolder.open(folder / "data"):
        result = ivr("calls", "erase", "--caller", "29:anna")
        assert len(listed()) == 12
    assert result.exit_code == 1
    assert "is in use by process" in result.output
    assert "permanently?" not in result.output, "whoever must stop the server first is not asked yet"


def test_erasing_asks_first(folder: Path) -> None:
    result = ivr("calls", "erase", "--caller", "29:anna")
    assert result.exit_code == 1
    assert "Erase 6 calls of 29:anna permanently?" in result.output
    assert len(listed()) == 12


def test_where_no_call_was_ever_taken_that_is_said(tmp_path: Path) -> None:
    for command in (["calls"], ["calls", "erase", "--caller", "x", "--yes"], ["replay", "--live"]):
        result = ivr(*command[:1], *command[1:], "--data", tmp_path)
        assert result.exit_code == 1
        assert "There are no calls yet" in result.output
