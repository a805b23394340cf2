"""Files that come in somebody's Python package: found without running its code, checked before they are used.

Models and voices are published by persons of whom little is known. A package that was replaced means "does not start",
never "runs something else".
"""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from ivr.smallfiles import open_regular


def package_folder(name: str) -> Path | None:
    """Return the folder of an installed top-level package, which is not imported; None: it is not installed."""
    spec = find_spec(name)
    places = (spec.submodule_search_locations if spec else None) or ()
    return next((Path(place) for place in places), None)


def package_version(distribution: str) -> str:
    """Return the version of an installed package, by its name on the index; empty: it does not say."""
    try:
        return version(distribution)
    except PackageNotFoundError:  # its files were put there by something else than pip
        return ""


def check_digest(file: Path, sha256: str) -> None:
    """Raise ValueError, with what to do, if a file's bytes are others than those with this SHA-256, or it is missing.

    Blocks: 0.1 s for 75 MB.
    """
    try:
        with open_regular(file) as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}. Install its package again") from error
    if found != sha256:
        raise ValueError(
            f"{file} is not the file that was published: its SHA-256 is {found}, not {sha256}. "
            "Install its package again, and if that does not help, do not use it"
        )
