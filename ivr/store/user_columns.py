"""What is kept of callers, as the columns of a row, for every store."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import json

from ivr.engine.values import Stored
from ivr.errors import StoreUnavailable
from ivr.user_values import User

READ_VALUE: Final[Callable[[bytes], Stored]] = json.Decoder(Stored).decode
"Reads the column of a value that is not sealed."


def written(value: Stored | Sequence[str]) -> bytes:
    """Return a value as it stands in a row; raise StoreUnavailable for what has no written form."""
    try:
        return json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise StoreUnavailable(f"A value of the caller cannot be saved: {type(exc).__name__}.") from exc


def line_column(user: User) -> str:
    """Return the line of a caller as it stands in a row."""
    return written([user.channel, user.account, user.within]).decode()


def place_of(caller: bytes, line: str, name: str) -> str:
    """Return the place of a sealed value: it opens nowhere else."""
    return f"{caller.hex()}/{line}/{name}"
