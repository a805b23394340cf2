"""What a loss of power would leave of a folder: read from the system calls of the process that writes there.

The model is harsher than disks are: of a file only what was synced is there, and of a folder only the names that it had
when it was synced. Of what was written since then nothing is left, or any part of it, as a seed says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

CALLS = (
    *("openat", "write", "writev", "pwrite64", "ftruncate", "fsync", "fdatasync", "close"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "read", "recvfrom", "recvmsg", "sendto", "sendmsg"),
)
"What has to be traced."


def traced(trace: Path) -> tuple[str, ...]:
    """Return the command under which a process writes down its system calls, with all that it writes and reads."""
    return ("strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={','.join(CALLS)}", "-o", str(trace))


@dataclass
class SystemCall:
    """A system call, when it has returned."""

    name: str
    arguments: str
    result: int
    begun: int
    "The line in which it began."
    ended: int
    "The line in which it returned."

    @property
    def file(self) -> str:
        """The path of the descriptor that comes first; empty: it has no name any more."""
        found = re.match(r"-?\w+<((?:\\x[0-9a-f]{2})*|[^>]*)>(\(deleted\))?", self.arguments)
        return _text(found[1]) if found is not None and found[2] is None else ""

    @property
    def data(self) -> bytes:
        """All that was written or read."""
        return b"".join(_bytes(text) for text in re.findall(r'"([^"]*)"', self.arguments))


def system_calls(trace: Path) -> Iterator[SystemCall]:
    """Return the system calls of all threads, in the order in which they returned."""
    unfinished: dict[str, tuple[int, str]] = {}
    with trace.open(encoding="latin-1") as lines:
        for number, line in enumerate(lines):
            thread, _, rest = line.rstrip("\n").partition(" ")
            rest, begun = rest.lstrip(), number
            if rest.endswith("<unfinished ...>"):
                unfinished[thread] = number, rest.removesuffix("<unfinished ...>").rstrip()
                continue
            if (resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", rest)) is not None:
                begun, head = unfinished.pop(thread, (number, ""))
                rest = head + resumed[1]
            if (found := re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", rest)) is not None:
                yield SystemCall(found[1], found[2], int(found[3]), begun, number)


@dataclass
class _File:
    synced: bytes = b""
    written: list[tuple[int, int, bytes | None]] = field(default_factory=list)
    "Since then: line of the return, place and bytes; None: the file was cut off there."
    place: int = 0
    "Where `write` goes on."

    def sync(self, *, until: int) -> None:
        """Keep what had been written by a line."""
        self.synced = _applied(self.synced, [one for one in self.written if one[0] < until])
        self.written = [one for one in self.written if one[0] >= until]


class Disk:
    """A folder as its disk has it."""

    def __init__(self, folder: Path) -> None:
        """Begin with all that lies in the folder now, as synced."""
        self._folder = folder
        self._files = {str(path): _File(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
        self._names: dict[str, Mapping[str, _File]] = {}
        "By folder, what it held when it was synced last."
        for path in self._files:
            self._sync_folder(str(Path(path).parent))

    def happens(self, call: SystemCall) -> None:
        """Note what a system call has changed."""
        match call.name:
            case "openat":
                self._open(call)
            case "write" | "writev" | "pwrite64" | "ftruncate":
                self._write(call)
            case "fsync" | "fdatasync" if call.file in self._files:
                self._files[call.file].sync(until=call.begun)
            case "fsync" | "fdatasync":
                self._sync_folder(call.file)
            case "rename" | "renameat" | "renameat2":
                before, after = self._paths(call)
                if before in self._files:
                    self._files[after] = self._files.pop(before)
            case "unlink" | "unlinkat":
                self._files.pop(self._paths(call)[0], None)

    def after_power_loss(self, copy: Path, *, seed: int | None = None) -> None:
        """Write what is left into a new folder; with a seed, any part of what was not synced is left, too."""
        random = Random(seed)
        copy.mkdir()
        for folder, names in self._names.items():
            for name, file in names.items():
                left = [one for one in file.written if seed is not None and random.random() < 0.5]
                path = copy / Path(folder).relative_to(self._folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_applied(file.synced, left))

    def _open(self, call: SystemCall) -> None:
        path = _path_of_descriptor(call)
        if call.result < 0 or not self._is_ours(path) or "O_DIRECTORY" in call.arguments:
            return
        if path not in self._files and "O_CREAT" in call.arguments:
            self._files[path] = _File()
        if path in self._files:
            self._files[path].place = 0
            if "O_TRUNC" in call.arguments:
                self._files[path].written.append((call.ended, 0, None))

    def _write(self, call: SystemCall) -> None:
        file = self._files.get(call.file)
        if file is None or call.result < 0:
            return
        if call.name == "ftruncate":
            file.written.append((call.ended, int(call.arguments.rsplit(", ", 1)[1]), None))
            return
        place = int(call.arguments.rsplit(", ", 1)[1]) if call.name == "pwrite64" else file.place
        file.written.append((call.ended, place, call.data[: call.result]))
        if call.name != "pwrite64":
            file.place += call.result

    def _sync_folder(self, folder: str) -> None:
        if self._is_ours(folder):
            self._names[folder] = {
                Path(path).name: file for path, file in self._files.items() if str(Path(path).parent) == folder
            }

    def _is_ours(self, path: str) -> bool:
        inside = path == str(self._folder) or path.startswith(f"{self._folder}/")
        return inside and not path.endswith("-shm")  # mapped, and made anew from the log

    def _paths(self, call: SystemCall) -> Sequence[str]:
        """Return the paths that a call names, as absolute ones."""
        return [str(self._folder / _text(text)) for text in re.findall(r'"([^"]*)"', call.arguments)]


def _path_of_descriptor(call: SystemCall) -> str:
    return _text(re.findall(r'"([^"]*)"', call.arguments)[0])


def _applied(content: bytes, written: Sequence[tuple[int, int, bytes | None]]) -> bytes:
    changed = bytearray(content)
    for _, place, data in written:
        if data is None:
            del changed[place:]
            changed.extend(bytes(place - len(changed)))
            continue
        changed.extend(bytes(max(0, place - len(changed))))
        changed[place : place + len(data)] = data
    return bytes(changed)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _text(text: str) -> str:
    return _bytes(text).decode("utf-8", "surrogateescape") if "\\x" in text else text
