"""Which files of a folder are flows, and which have the same name: one rule, for `ivr check`, `ivr serve` and replays.

Beside flows lie call scripts, notes, and what other programs keep as YAML. A file is a flow unless its name or its
keys say that it is something else; one that is meant as a flow and broken must be told about, not passed over.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from ivr.smallfiles import read_head

SCRIPT_SUFFIX = ".call.yaml"
"How the names of call scripts end (docs/phone.md)."
PATTERNS = ("*.yaml", "*.yml")
LOOKED_AT = 1 << 22
"Bytes of a file among which a word of a flow is looked for: all that a flow may have."
_BYTE_ORDER_MARKS = b"\xef\xbb\xbf\xff\xfe"
_WORD = re.compile(rb"""^[\s{]*["']?(flow|initial|states)\b""", re.MULTILINE)
"One of the three keys that a flow needs, however its colon is written."
_STEPS = re.compile(rb"^steps\s*:", re.MULTILINE)
_STATES = re.compile(rb"^states\s*:", re.MULTILINE)


class Skipped(Struct, frozen=True):
    """A file beside the flows that is none."""

    file: Path
    reason: str


class FlowFiles(Struct, frozen=True):
    """The YAML files of some places."""

    flows: Sequence[Path]
    skipped: Sequence[Skipped]


def find_flows(places: Iterable[Path]) -> FlowFiles:
    """Return the flow files among paths: files as they are named, and of folders all `*.yaml` and `*.yml` in them.

    A file that is named is a flow, whatever is in it, unless it is called like a script. Each is listed once, however
    many names lead to it.
    """
    flows: dict[Path, Path] = {}
    skipped: dict[Path, Skipped] = {}
    for place in places:
        in_folder = place.is_dir()
        for file in _listed(place) if in_folder else [place]:
            reason = _why_none(file, look=in_folder)
            if reason:
                skipped.setdefault(file, Skipped(file, reason))
            else:
                flows.setdefault(_whole(file), file)
    return FlowFiles(tuple(flows.values()), tuple(skipped.values()))


def flow_files(places: Iterable[Path]) -> list[Path]:
    """Return the flow files alone."""
    return list(find_flows(places).flows)


def twin_of(file: Path, name: str, named: Mapping[Path, str]) -> Path | None:
    """Return another file whose flow has the same name; calls go by name, so one of the two is lost."""
    return next((other for other, taken in named.items() if taken == name and other != file), None)


def same_name(file: Path, other: Path, name: str) -> str:
    """Return the message that two files hold flows of one name."""
    return f'{file} and {other} are both called "{name}"; give one of them another name'


def _listed(folder: Path) -> list[Path]:
    # What begins with a dot is an editor's, or a file system's.
    found = [file for pattern in PATTERNS for file in folder.glob(pattern)]
    return sorted(file for file in found if not file.name.startswith("."))


def _whole(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, RuntimeError):  # links in a circle: reading it reports that
        return file.absolute()


def _why_none(file: Path, *, look: bool) -> str:
    """Return why a file is no flow; empty: it is one, or is meant as one."""
    if file.name.endswith(SCRIPT_SUFFIX):
        return "it is a call script, for ivr phone --script"
    if not look:
        return ""
    try:
        state = file.stat()
        if not file.is_file():
            return ""  # reading it reports that
        return _why_no_flow(file, state.st_mtime_ns, state.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=1024)
def _why_no_flow(file: Path, changed: int, size: int) -> str:  # changed, it is another
    text = read_head(file, LOOKED_AT).lstrip(_BYTE_ORDER_MARKS).replace(b"\0", b"")  # of UTF-16, the letters are left
    if _STEPS.search(text) and not _STATES.search(text):
        return "it is a call script, for ivr phone --script"
    return "" if _WORD.search(text) else 'it has no "flow", "initial" or "states"'
