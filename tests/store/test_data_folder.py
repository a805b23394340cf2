"""One process owns a data folder, and only its owner can look into it."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ivr.errors import DataUnusable, FolderInUse
from ivr.store.data_folder import DataFolder, sync_folder

OWNER = """
import os, sys
from pathlib import Path
from ivr.store.data_folder import DataFolder
folder = DataFolder.open(Path(sys.argv[1]))
worker = os.fork() if sys.argv[2:] else None
if worker and sys.argv[2] == "short-lived worker":
    os.waitpid(worker, 0)
if worker == 0 and sys.argv[2] == "short-lived worker":
    os._exit(0)
if not (worker and sys.argv[2] == "long-lived worker"):  # its worker speaks, once it runs
    print("owned", flush=True)
sys.stdin.read()
"""


def owner(path: Path, *words: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"owned\n"
    return process


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path / "recordings" / "live") as folder:
        assert {mode(folder.path), mode(folder.audio)} == {0o700}
        assert mode(folder.lock) == 0o600
        assert folder.path.is_dir()


def test_the_mode_of_a_folder_that_exists_is_its_owners_affair(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with DataFolder.open(tmp_path) as folder:
        assert mode(tmp_path) == 0o750
        assert mode(folder.audio) == 0o700


def test_everything_lies_in_the_folder_under_its_own_name(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    names = [folder.database, folder.seal_key, folder.audio, folder.openid_keys, folder.lock]
    assert len(set(names)) == 5
    assert {path.parent for path in names} == {tmp_path}


def test_a_relative_path_stays_where_it_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with DataFolder.open(Path("data")) as folder:
        monkeypatch.chdir("/")
        assert folder.database == tmp_path / "data" / "calls.db"
        assert folder.path.is_dir()


def test_a_second_process_is_told_who_owns_the_folder(tmp_path: Path) -> None:
    first = owner(tmp_path)
    with first, pytest.raises(FolderInUse, match=f"in use by process {first.pid}. Stop that server, or set"):
        DataFolder.open(tmp_path)
    with DataFolder.open(tmp_path) as folder:
        assert folder.lock.read_text() == f"{os.getpid()}\n"


def test_a_folder_is_owned_once_in_one_process_too(tmp_path: Path) -> None:
    with DataFolder.open(tmp_path) as folder:
        with pytest.raises(FolderInUse, match=str(os.getpid())):
            DataFolder.open(tmp_path)
        folder.lock.write_text("")
        with pytest.raises(FolderInUse, match="still starting"):
            DataFolder.open(tmp_path)
    folder.close()
    with DataFolder.open(tmp_path) as next_one:
        assert next_one.path == tmp_path


def test_a_killed_owner_leaves_the_folder_to_the_next(tmp_path: Path) -> None:
    with owner(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        with DataFolder.open(tmp_path) as folder:
            assert folder.lock.exists()


def test_a_worker_that_outlives_its_killed_server_keeps_nobody_out(tmp_path: Path) -> None:
    with owner(tmp_path, "long-lived worker") as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        with DataFolder.open(tmp_path) as folder:
            assert folder.lock.exists()


def test_a_forked_worker_that_ends_does_not_give_the_folder_away(tmp_path: Path) -> None:
    first = owner(tmp_path, "short-lived worker")
    with first, pytest.raises(FolderInUse, match=str(first.pid)):
        DataFolder.open(tmp_path)


def test_a_path_that_can_be_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataUnusable, match=r"data folder .*file cannot be used: File exists"):
        DataFolder.open(tmp_path / "file")


def test_only_folders_are_synced_as_folders(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")
