"""One way to read a file that somebody names, and one way to put a stranger's text on a terminal."""

import ast
import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ivr.cli.terminal_text import clean, json_text, plain
from ivr.smallfiles import open_regular, read_head, read_small, write_whole

ROOT = Path(__file__).parents[2]
READS = {"read_text", "read_bytes", "open", "fdopen"}
ROOMS = {
    "smallfiles.py": "the one way",
    "trace/files.py": "writes a new case",
    "server/static_files.py": "files of the package",
    "server/start_page.py": "the pages of the documentation",
    "flowfile/zones.py": "files of a package",
    "speech/engines/sphinx/pronunciation.py": "a file of a package",
    "speech/engines/sphinx/listen.py": "a file without a name",
    "speech/packages.py": "a file of a package",
    "speech/speech_requests.py": "a file that is open already",
    "audio/decode.py": "files that are open already",
    "audio/encode.py": "a file in memory",
    "audio/reencode.py": "files that are open already",
    "media/recorder.py": "writes a file",
    "speech/voices/hibari/synthesis.py": "a file that is open already",
    "speech/voice_folder.py": "writes a file that is open already",
    "cli/file_fixer.py": "writes a corrected flow",
    "cli/call_recordings.py": "writes recordings, which are read as their store gives them",
    "cli/new.py": "writes a new flow",
    "cli/phone/sip_calls.py": "writes what was heard on a call",
    "phone/net/identity.py": "writes a new key",
    "auth/keys.py": "writes the keys",
    "store/media_files.py": "writes a recording",
    "server/console/playback.py": "a recording, as its store gives it",
    "server/recording_files.py": "a recording, as its store gives it",
    "store/sqlite/sqlite_media.py": "a recording, as its folder gives it",
    "store/sealing.py": "a key, bounded and without waiting; writes a new one",
    "store/sqlite/database_file.py": "makes the database's file",
    "store/sqlite/migration.py": "overwrites and syncs a database's file",
    "store/data_folder.py": "locks and syncs a folder",
}
"Where files are opened in another way, and why nothing can go wrong there."


def calls(file: Path) -> Iterator[str]:
    """Return what is called, with what it is called on: `file.open`, `open`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr=name, value=of)):
                yield f"{ast.unparse(of)}.{name}"
            case ast.Call(func=ast.Name(id=name)):
                yield name


def test_files_are_read_in_one_way() -> None:
    others = (
        "DataFolder.",
        "SqliteStore.",
        "PostgresPool.",
        "PostgresCopySource.",
        "Listener.",
        "registry.",
        "shared_phone.",
        "self._streams.",
        "self._replica.",
        "database.",
        "self.news.",
    )
    found = {
        str(file.relative_to(ROOT / "ivr"))
        for file in (ROOT / "ivr").rglob("*.py")
        for call in calls(file)
        if call.rpartition(".")[2] in READS and not call.startswith(others)
    }
    assert found <= set(ROOMS)


def test_markup_is_made_of_a_text_in_one_way() -> None:
    found = [file.name for file in (ROOT / "ivr").rglob("*.py") if "rich.markup" in file.read_text("utf-8")]
    assert found == ["terminal_text.py"]


def test_a_stranger_s_text_steers_no_terminal() -> None:
    hostile = "\x1b[31mred\x1b]0;title\x07 [bold]x[/bold]\r\u202e\x9b2J\nnext"
    screen = StringIO()
    Console(file=screen, force_terminal=True, width=200, color_system=None).print(plain(hostile))
    shown = screen.getvalue().rstrip("\n")
    assert shown == clean(hostile)
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "[bold]x[/bold]" in shown


def test_only_regular_files_are_read_and_no_more_than_wanted(tmp_path: Path) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"12345")
    os.mkfifo(pipe)
    assert (read_head(file, 3), read_small(file, 5)) == (b"123", b"12345")
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_small(file, 4)
    for other in (pipe, tmp_path, Path("/dev/zero"), tmp_path / "missing"):
        with pytest.raises(OSError):  # each has its own words
            open_regular(other)


def test_a_huge_file_costs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "huge"
    with file.open("wb") as opened:
        opened.truncate(3 << 30)
    with pytest.raises(OSError, match="more than 1,024 bytes"):
        read_small(file, 1024)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file, link, folder = tmp_path / "file", tmp_path / "link", tmp_path / "folder"
    write_whole(file, b"one")
    link.symlink_to(file)
    write_whole(link, b"two")
    assert (file.read_bytes(), link.is_symlink()) == (b"two", True)
    folder.mkdir()
    for wrong in (folder, tmp_path / "missing" / "file", file / "below"):
        with pytest.raises(OSError):  # each has its own words
            write_whole(wrong, b"three")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_pipe_gets_the_bytes_and_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)  # so that neither end waits for the other
    try:
        write_whole(pipe, b"sound")
        assert os.read(reader, 100) == b"sound"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_json_on_a_terminal_says_the_same_and_moves_no_cursor() -> None:
    said = {"caller": "J\u00f6rg\x9b2J\x1b[2J\u202e\u2028\U000e0041\ud800", "n": [1, None]}
    text = json_text(said, indent=2)
    assert json.loads(text) == said
    assert "J\u00f6rg" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_every_command_writes_json_for_people_in_that_way() -> None:
    """`prompt_export` writes a file for programs."""
    plain_json = {file.name for file in (ROOT / "ivr/cli").rglob("*.py") if "ensure_ascii=False" in file.read_text()}
    assert plain_json == {"terminal_text.py", "prompt_export.py"}
