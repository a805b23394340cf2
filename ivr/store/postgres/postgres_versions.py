"""The versions of the tables, and which code may use which: so that servers are upgraded one after the other.

A version adds to the one before; nothing that its code uses is taken away. So servers of the version before go on
while tables are newer (`least`), new ones start once `ivr store migrate` has run, and as long as no new one runs, the
way back is open. What is no longer used goes with a later version, whose `least` is the one that stopped using it.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ivr.errors import DataUnusable
from ivr.store.opened import SchemaVersion
from ivr.store.postgres.postgres_tables import LEAST, VERSION


class Migration(Struct, frozen=True):
    """The step from the version before; all of it or nothing is done."""

    version: int
    forward: str
    "Statements that make the tables of this version. New columns have defaults, since older code writes rows, too."
    back: str
    "Statements that leave those of the version before."
    least: int
    "The oldest version whose code can use these tables."


MIGRATIONS: Final[list[Migration]] = []
"All of them, the newest last; those of version 1 are `TABLES`, to which nothing is added any more once it is released."


def known_version() -> int:
    """Return the version of this code: it uses all tables of it."""
    return MIGRATIONS[-1].version if MIGRATIONS else VERSION


def newest_schema() -> SchemaVersion:
    """Return what a new database is given."""
    return SchemaVersion(known_version(), MIGRATIONS[-1].least if MIGRATIONS else LEAST)


def require_fit(found: SchemaVersion) -> None:
    """Return if this code can use such tables; raise DataUnusable, which says what to do."""
    known = known_version()
    if found.version < known:
        raise DataUnusable(
            f"The tables of the database have version {found.version}, and this server needs version {known}. "
            "To bring them up to date, while servers of the version before go on: ivr store migrate"
        )
    if found.least > known:
        raise DataUnusable(
            f"The tables of the database have version {found.version}, which needs servers of version {found.least} or "
            f"newer; this one is of version {known}. Update it."
        )


def steps_forward(found: SchemaVersion) -> Sequence[Migration]:
    """Return what leads to the version of this code, in order."""
    return [one for one in MIGRATIONS if one.version > found.version]


def step_back(found: SchemaVersion) -> tuple[Migration, SchemaVersion]:
    """Return the newest step, to be taken back, and what is left then; raise DataUnusable if there is no way."""
    step = next((one for one in MIGRATIONS if one.version == found.version), None)
    if step is None:
        raise DataUnusable(
            f"The tables of the database have version {found.version}, and this code knows no way back from there"
            + (": there is none before." if found.version <= VERSION else ". Use `ivr` of that version.")
        )
    before = next((one for one in reversed(MIGRATIONS) if one.version < step.version), None)
    return step, SchemaVersion(before.version, before.least) if before else SchemaVersion(VERSION, LEAST)
