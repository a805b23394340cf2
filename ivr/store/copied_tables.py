"""What a copy of a store is made of: rows in one form, whichever driver has them, and recordings that are no rows.

Two stores with the same rows hold the same calls. What a driver derives from a row for itself (an index, a lane, the
time at which a call is woken) is no part of it: whoever writes the row derives it anew.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias

from msgspec import Struct

Value: TypeAlias = str | bytes | int | float | None
Row: TypeAlias = tuple[Value, ...]
Place: TypeAlias = Sequence[Value]
"Where a table was read up to, in terms of the store that was read; empty: nothing yet."

PORTION: Final = 1 << 20
"Bytes of rows that are in memory at a time, and a row beyond."
ROWS: Final = 1000
"Rows that are in memory at a time at most."
UNREADABLE: Final = "?"
"Stands for a text that is none: it is no JSON, so that what cannot be read before a copy cannot be read after it."

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,), "bytes": (bytes, memoryview), "int": (int,), "real": (int, float),
}  # fmt: skip
_BLANKS: Final[Mapping[str, Value]] = {"text": UNREADABLE, "bytes": b"", "int": 0, "real": 0.0}


class Column(Struct, frozen=True):
    """A column of a copied table."""

    name: str
    kind: Literal["text", "bytes", "int", "real"]
    optional: bool = False
    "Whether it can be NULL."

    def holds(self, stored: object) -> bool:
        """Return whether this is what the column is for. SQLite keeps any type in any column."""
        if stored is None:
            return self.optional
        return isinstance(stored, _TYPES[self.kind])

    def read(self, stored: object) -> Value:
        """Return what stands in the column in a form that every store can keep; a blank for what it is not for.

        PostgreSQL keeps no text with a NUL, and no half of a surrogate.
        """
        if not self.holds(stored):
            return _BLANKS[self.kind]
        if isinstance(stored, str):
            return stored.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
        if isinstance(stored, int | float):
            return int(stored) if self.kind == "int" else float(stored)
        return bytes(stored) if isinstance(stored, bytes | memoryview) else None


class CopiedTable(Struct, frozen=True):
    """A table, and in which order its rows are copied."""

    name: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ()
    "By these columns; empty: in the order in which they were added, which is kept."
    essence: tuple[str, ...] = ()
    "Columns without which nobody can read a row."
    beside: int = 0
    "Columns at its end that say what stands elsewhere, and are not compared."

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    def compared(self, row: Row) -> Row:
        """Return what two copies of a row have in common."""
        return row[: len(self.columns) - self.beside]

    def read(self, stored: Sequence[object]) -> Row:
        """Return a row in the form that every store can keep; what cannot be read cannot be read from it either."""
        row = tuple(column.read(value) for column, value in zip(self.columns, stored, strict=True))
        if all(column.holds(value) for column, value in zip(self.columns, stored, strict=True)):
            return row
        return tuple(
            _BLANKS[column.kind] if column.name in self.essence else value
            for column, value in zip(self.columns, row, strict=True)
        )


def _table(name: str, columns: str, *order: str, essence: tuple[str, ...] = (), beside: int = 0) -> CopiedTable:
    """Make a table of `name:kind` of each column, with a `?` if it can be NULL."""
    made = []
    for column in columns.split():
        called, _, kind = column.partition(":")
        made.append(Column(called, kind.removesuffix("?"), kind.endswith("?")))  # type: ignore[arg-type]
    return CopiedTable(name, tuple(made), order, essence, beside)


_DELIVERIES: Final = "call:int id:text body:text made:real state:text due:real tries:int reason:text"
DELIVERED: Final = tuple(column.partition(":")[0] for column in _DELIVERIES.split())
"The columns of what is delivered to others."

CALLS: Final = _table(
    "call", "row:int id:text channel:text account:text name:text ended:real? state:text rest:bytes", "row", beside=2
)
"What it holds stands in its turns; state and rest are those of the last one, for stores that look for calls by them."
TURNS: Final = _table(
    "turn",
    "call:int version:int state:text rest:bytes message:text? reply:bytes? marks:int trace:text media:text? "
    "audio:bytes?",
    "call",
    "version",
    essence=("rest", "reply"),
)
"""Versions are those of the records in `rest`. Where there is none, such as in rows of an earlier version of SQLite's
tables, it is the next one after that of the row before. A message is marked as new in one row of its call."""
JOBS: Final = _table("job", "call:int id:text body:text attempts:int answered:int? answer:bytes?", essence=("body",))
"Whoever had begun with one is gone: they are open."
PLAIN: Final = (
    _table("seal", "proof:bytes", "proof"),
    _table("flow", "hash:text source:bytes", "hash"),
    JOBS,
    _table("notification", _DELIVERIES),
    _table("platform_request", _DELIVERIES),
    _table(
        "bot_state",
        "name:text app:text channel:text conversation:text person:text tag:text body:bytes touched:real",
        "name",
    ),
    _table("sign_in", "call:int id:text body:bytes tokens:bytes?"),
    _table("mail", "call:int id:text conversation:text made:real body:bytes"),
    _table(
        "user_value", "caller:bytes line:text name:text value:bytes sealed:int until:real", "caller", "line", "name"
    ),
    _table("handled", "media:text call:int at:real", "media"),
)
TABLES: Final = (CALLS, TURNS, *PLAIN)


class Portion(Struct, frozen=True):
    """Some rows of a table, one after the other."""

    rows: Sequence[Row]
    place: Place
    "Of the last of them."


def gathered(rows: Iterator[tuple[Row, Place]], most: int = ROWS) -> Iterator[Portion]:
    """Gather rows, each with its place, up to what may be in memory at a time."""
    found: list[Row] = []
    place: Place = ()
    size = 0
    for row, place in rows:
        found.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if size >= PORTION or len(found) >= most:
            yield Portion(found, place)
            found, size = [], 0
    if found:
        yield Portion(found, place)


class CopiedRecording(Struct, frozen=True):
    """A recording that is not in the row of its turn."""

    name: str
    made: float
    "When it was written, in seconds since 1970."


class CopySource(Protocol):
    """A store that is copied; nobody serves it meanwhile. Raises StoreUnavailable and DataUnusable."""

    @property
    def name(self) -> str:
        """What it is called, without any password."""

    def portions(self, table: CopiedTable, after: Place) -> AsyncGenerator[Portion, None]:
        """Return the rows of a table behind a place, in their order."""

    def recordings(self, after: str) -> AsyncGenerator[Sequence[CopiedRecording], None]:
        """Return the recordings behind a name, in the order of their names, a portion at a time."""

    def pieces(self, recording: str) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a recording, a piece at a time."""

    async def count(self, table: CopiedTable) -> int:
        """Count the rows of a table."""

    async def close(self) -> None:
        """Let go of it."""


class CopyTarget(CopySource, Protocol):
    """A store that is written. Until `finish` no server uses it, and what is there can be gone on with."""

    async def begin(self, source: str) -> None:
        """Begin to copy a store of this name, or go on; raise DataUnusable where another one was begun with."""

    def place(self, what: str) -> Place:
        """Return up to where a table, or `recording`, was written by a copy that was cut off; empty: from the start."""

    async def add(self, table: CopiedTable, portion: Portion) -> None:
        """Write rows and their place, all or nothing."""

    async def add_recording(self, recording: CopiedRecording, pieces: AsyncGenerator[bytes, None]) -> None:
        """Write a recording, in the place of one of the same name, and that all before it are there."""

    async def finish(self) -> None:
        """Let servers use it."""
