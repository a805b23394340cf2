"""What PostgreSQL or the way to it refuses, in an operator's words.

The database's own sentences may repeat what a row holds ("Key (name)=(…) already exists"), and those of the client may
name the server's address: none of them is passed on. The error's code decides which of ours is said.
"""

from typing import Final

from asyncpg import exceptions as pg

from ivr.errors import StoreUnavailable

_NO_URL: Final = "its URL is not valid"
_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (pg.InvalidAuthorizationSpecificationError, "it refuses this user or this password"),
    (pg.InvalidCatalogNameError, "there is no database of this name"),
    (pg.InsufficientPrivilegeError, "this user lacks a right in it"),
    (pg.UndefinedTableError, "a table is missing"),
    (pg.UndefinedColumnError, "a column is missing"),
    (pg.TooManyConnectionsError, "it has no connection left for us (max_connections)"),
    (pg.DiskFullError, "its disk is full"),
    (pg.ReadOnlySQLTransactionError, "it can only be read (a standby?)"),
    (pg.TargetServerAttributeNotMatched, "it can only be read (a standby?)"),
    (pg.OperatorInterventionError, "it is starting, stopping, or was told to break off"),
    (pg.DeadlockDetectedError, "two of its writers waited for each other"),
    (pg.LockNotAvailableError, "a table is locked"),
    (pg.PostgresConnectionError, "the connection was lost"),
    (ConnectionRefusedError, "nothing answers at its address"),
    (TimeoutError, "it did not answer in time"),
    (PermissionError, "a file of the connection (~/.pgpass, ~/.postgresql) is not for this user: is HOME right?"),
    (OSError, "it cannot be reached"),
    (pg.ClientConfigurationError, _NO_URL),
    (OverflowError, _NO_URL),  # of a port
    (pg.DataError, "it cannot hold a value of this"),
    (pg.InterfaceError, "the connection was lost"),
    (pg.InternalClientError, "the connection was lost"),  # while it was being made
    (UnicodeError, "it cannot hold a value of this"),
)
"The first that fits counts."
_HOPELESS: Final = (
    pg.InvalidAuthorizationSpecificationError,
    pg.InvalidCatalogNameError,
    pg.ClientConfigurationError,
    OverflowError,
)


class TakenName(StoreUnavailable):
    """A row with this key is there already; `constraint` is the name of the index that says so."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class LacksRight(StoreUnavailable):
    """The user of the database may not do this: an operator has to give a right."""


def reason(error: BaseException) -> str:
    """Return why the database could not be used, as a part of a sentence."""
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    if isinstance(error, pg.PostgresError):
        return f"PostgreSQL error {error.sqlstate}"
    return f"it contains invalid data ({type(error).__name__})"


def refused(error: BaseException, *, late: bool = False) -> StoreUnavailable:
    """Return what whoever asked is told; `late`: we gave up waiting."""
    if isinstance(error, pg.UniqueViolationError):
        constraint = str(getattr(error, "constraint_name", "") or "")
        return TakenName("The database has such a row already.", constraint)
    if isinstance(error, pg.InsufficientPrivilegeError):
        return LacksRight(f"The database could not be used: {reason(error)}.")
    words = "it did not answer in time" if late else reason(error)
    return StoreUnavailable(f"The database could not be used: {words}.")


def is_hopeless(error: BaseException) -> bool:
    """Return whether waiting would not help: an operator has to do something."""
    return isinstance(error, _HOPELESS)


def is_of_the_server(error: BaseException) -> bool:
    """Return whether the connection is of no use after this error: the server stops, or takes no writes any more."""
    return isinstance(error, pg.OperatorInterventionError | pg.ReadOnlySQLTransactionError) and not isinstance(
        error, pg.QueryCanceledError
    )
