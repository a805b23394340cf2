"""`ivr check --fix`: flow files with their fixes made, each written as a whole or not at all."""

import os
import stat
import tempfile
from codecs import BOM_UTF8
from collections.abc import Mapping
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.flowfile.checks import Missing, Phrases, Provided
from ivr.flowfile.finding import Finding, visible
from ivr.flowfile.fixing import fixed
from ivr.flowfile.load import LoadedFlow, load_text
from ivr.flowfile.yaml.reader import MAX_BYTES
from ivr.smallfiles import read_head


class Checker(Struct, frozen=True):
    """What flows are checked against."""

    lines: Mapping[str, Capabilities] = {}
    missing: Missing | None = None
    phrases: Phrases | None = None
    provided: Provided = Provided()

    def load(self, file: Path, data: bytes) -> LoadedFlow:
        """Check the bytes of a file."""
        return load_text(
            data,
            file=str(file),
            folder=file.parent,
            lines=self.lines,
            missing=self.missing,
            phrases=self.phrases,
            provided=self.provided,
        )


class NotWritten(Exception):
    """A file was left as it is; the text says why."""


class FileFixer:
    """Fixes files one after the other, and keeps what was done."""

    def __init__(self, checker: Checker, *, write: bool) -> None:
        self.write = write
        self.made: list[Finding] = []
        self.failed: list[str] = []
        "Sentences on files that could not be written."
        self._checker = checker
        self._changed: list[tuple[Path, str, str]] = []

    def fix(self, file: Path, data: bytes) -> LoadedFlow:
        """Make the fixes of a file, and return what it is then."""
        mark = BOM_UTF8 if data.startswith(BOM_UTF8) else b""
        try:
            text = data[len(mark) :].decode()
        except UnicodeDecodeError:
            return self._checker.load(file, data)  # which characters were meant, only the author knows
        result = fixed(text, lambda edited: self._checker.load(file, mark + edited.encode()).findings)
        if not result.made:
            return self._checker.load(file, data)
        if self.write:
            try:
                replace_file(file, data, mark + result.text.encode())
            except NotWritten as error:
                self.failed.append(f"{file} was not changed: {error}.")
                return self._checker.load(file, data)
        self.made += result.made
        after = mark + result.text.encode()
        self._changed.append((file, data.decode(), after.decode()))
        return self._checker.load(file, after)

    def diff(self, *, for_people: bool) -> str:
        """Return the changes of all files as `patch` takes them; `for_people`, nothing in it moves a cursor."""
        lines: list[str] = []
        for file, before, after in self._changed:
            name = str(file).lstrip("/")
            lines += unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
        shown = (f"{visible(line.rstrip())}\n" for line in lines) if for_people else lines
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in shown)


def _unchanged(file: Path, before: bytes) -> None:
    if read_head(file, MAX_BYTES + 1) != before:
        raise NotWritten("it was changed meanwhile")


def _lines(text: str) -> list[str]:
    *lines, rest = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([rest] if rest else [])]


def replace_file(file: Path, before: bytes, after: bytes) -> None:
    """Put a new content in the place of a file's, with its mode, at once; raise NotWritten.

    A link is not followed: the new file would stand in its place, or change another folder than the one that was named.
    """
    try:
        state = file.lstat()
        if stat.S_ISLNK(state.st_mode):
            raise NotWritten("it is a symbolic link; name the file that it leads to")
        if not state.st_mode & 0o222 or not os.access(file, os.W_OK):
            raise NotWritten("it is read-only")
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as new:
                new.write(after)
                new.flush()
                os.fsync(descriptor)
                with suppress(PermissionError):  # another's file that we may write becomes ours
                    os.fchown(descriptor, state.st_uid, state.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(state.st_mode))
            _unchanged(file, before)
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise NotWritten(f"{error.strerror}".lower()) from error
