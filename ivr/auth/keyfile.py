"""Keeps the keys of the last run in one file, so that a restart works while the metadata hosts are down.

The keys are public, but whoever could write them could call as the platform: the file is its owner's alone.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from ivr.auth.jwks import Jwk
from ivr.smallfiles import read_small

MAX_BYTES = 1 << 20
"A fetched key set has 256 KiB at most."

log = logging.getLogger(__name__)


class KeySet(Struct, frozen=True):
    """The keys of one metadata document."""

    fetched: float
    "When, in seconds since 1970."
    keys: tuple[Jwk, ...]


def load(file: Path) -> Mapping[str, KeySet]:
    """Return what was saved, by the metadata document's address; empty if there is nothing that can be read."""
    try:
        return msgspec.json.decode(read_small(file, MAX_BYTES), type=dict[str, KeySet])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as exc:
        log.warning("key file ignored", extra={"reason": type(exc).__name__})
        return {}


def save(file: Path, documents: Mapping[str, KeySet]) -> None:
    """Replace the file as a whole, whatever happens in between; raise OSError. One caller at a time."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)  # of a run that was killed here
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123
        out.write(msgspec.json.encode(documents))
        out.flush()
        os.fsync(out.fileno())  # or the new name could outlive a power cut without its content
    part.replace(file)
