"""Cases on disk."""

from collections.abc import Iterable
from pathlib import Path

from ivr.trace.case import MAX_BYTES, Case, CaseError, loads
from ivr.trace.folders import SUFFIX


def case_files(paths: Iterable[Path]) -> list[Path]:
    """List the cases among paths: files as they are, of folders every `*.jsonl` in them; raise CaseError for none."""
    places = list(paths)
    found = [file for path in places for file in (sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path])]
    if not found:
        raise CaseError(
            f"there is no case ({SUFFIX}) in {', '.join(map(str, places))}; `ivr calls export` makes one of a call"
        )
    return list(dict.fromkeys(found))


def read_case(file: Path) -> Case:
    """Read a case; raise CaseError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CaseError(f"{file} cannot be read: {error.strerror}") from error
    return loads(data, str(file))
