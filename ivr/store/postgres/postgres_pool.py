"""The connections of one server to its database: so many at most, each lent to one asker at a time.

Rule 1: nobody waits for ever, be it for a connection or for an answer, and so many may wait at most: a slow database is
latency, not memory. Rule 2: what was given up is not cancelled at the server. A commit that waits for its standby would
count as done by that, though it may yet be lost; so the connection is dropped, and the outcome is unknown until
somebody asks again. Rule 3: no error leaves this file with a word of the server's in it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Self, TypeAlias

import asyncpg
from asyncpg import exceptions as pg

from ivr.errors import DataUnusable, IvrError, StoreUnavailable
from ivr.store.postgres.postgres_errors import is_hopeless, is_of_the_server, reason, refused

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

SIZE: Final = 16
"Connections of one process. Those of all processes together have to fit into `max_connections` of the database."
PATIENCE: Final = 5.0
"Seconds for which an answer, or a connection that is free, is waited for."
CONNECTING: Final = 2.0
"Seconds that a new connection to one host may take: the next one is tried then."
LONG: Final = 60.0
"Seconds for what reads or writes much: commands, retention, a look at everything."
WAITING: Final = 1024
"Askers that may wait for a connection."
_STATEMENTS: Final = 512
"Prepared ones that a connection keeps."
# By a statement and not with the connection: a pooler in between refuses settings that it does not know.
_SETTINGS = """
SELECT set_config('jit', 'off', false),  -- it would compile for a tenth of a second what runs for a hundredth
    set_config('idle_in_transaction_session_timeout', '30000', false),  -- a frozen server must not hold rows for ever
    -- Whoever made the database may have asked for less than we promise: what is acknowledged is on its disk.
    CASE WHEN current_setting('synchronous_commit') = 'off' AND current_setting('fsync') = 'on'
        THEN set_config('synchronous_commit', 'on', false) END
"""


class PostgresPool:
    """Belongs to the event loop in which it was made."""

    def __init__(self, url: str, *, application: str, size: int = SIZE, patience: float = PATIENCE) -> None:
        """Nothing is connected yet. `application` is what the database shows of us; `patience` in seconds."""
        self._hosts = each_host(url)
        "The database's URL with one host each, the one first that was connected to last."
        self._application = application
        self._size = size
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []
        self._opened = 0
        "Connections that are open or being opened."
        self._waiting: deque[asyncio.Future[Connection]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._lent: set[Connection] = set()
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, application: str, size: int = SIZE, patience: float = PATIENCE) -> Self:
        """Connect; raise StoreUnavailable while the database is away, DataUnusable for what waiting does not heal."""
        pool = cls(url, application=application, size=size, patience=patience)
        pool._opened += 1
        try:
            pool._give_back(await pool.connected())
        except IvrError:
            raise
        except Exception as error:
            why = f"The database cannot be used: {reason(error)}."
            raise (DataUnusable if is_hopeless(error) else StoreUnavailable)(why) from None
        return pool

    # --- what is asked ---

    async def rows(self, sql: str, *values: Any, patience: float | None = None) -> "Sequence[asyncpg.Record]":
        """Carry out one statement, and return its rows. Raises StoreUnavailable; TakenName for a key that is there.

        It is one round trip and one transaction.
        """
        connection = await self._taken()
        return await self._watched(connection, sql, values, patience or self._patience)

    async def row(self, sql: str, *values: Any, patience: float | None = None) -> "asyncpg.Record | None":
        """Return the first row, as `rows`; None: there is none."""
        found = await self.rows(sql, *values, patience=patience)
        return found[0] if found else None

    async def value(self, sql: str, *values: Any, patience: float | None = None) -> Any:
        """Return the first value of the first row, as `rows`; None: there is no row."""
        found = await self.rows(sql, *values, patience=patience)
        return found[0][0] if found else None

    @asynccontextmanager
    async def transaction(self, *, patience: float = LONG) -> AsyncIterator[Connection]:
        """Lend a connection with a transaction: it stands once the context ends, and not if it ends with an error.

        Errors of the database become StoreUnavailable. After so many seconds the connection is dropped.
        """
        connection = await self._taken()
        async with self._guarded(connection, patience), connection.transaction():
            yield connection

    @asynccontextmanager
    async def lent(self, *, patience: float = LONG) -> AsyncIterator[Connection]:
        """Lend a connection without a transaction, as `transaction` does."""
        connection = await self._taken()
        async with self._guarded(connection, patience):
            yield connection

    async def connected(self) -> Connection:
        """Return a connection beside those of the pool; whoever asked ends it. Raises what asyncpg raises."""
        error: Exception | None = None
        for url in list(self._hosts):
            try:
                connection = await self._connected_to(url)
            except Exception as exc:  # of any kind: what answers there may be no database
                # That a standby is one says less than why the other host cannot be used.
                if error is None or isinstance(error, pg.TargetServerAttributeNotMatched):
                    error = exc
                continue
            if url != self._hosts[0]:
                self._hosts.remove(url)
                self._hosts.insert(0, url)
            return connection
        raise error or OSError("no host")

    async def _connected_to(self, url: str) -> Connection:
        connection: Connection = await asyncpg.connect(
            url,
            timeout=CONNECTING,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            target_session_attrs=None if "target_session_attrs" in url else "read-write",  # type: ignore[arg-type]
            server_settings={"timezone": "UTC", "application_name": self._application},
        )
        try:
            async with asyncio.timeout(CONNECTING):
                await connection.fetch(_SETTINGS)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def close(self) -> None:
        """End all connections; who still waits for one is told so."""
        self._closed = True
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        self._tell_all(StoreUnavailable("The store is closed."))
        for connection in self._idle:
            try:
                await connection.close(timeout=1.0)
            except (OSError, TimeoutError, pg.PostgresError, pg.InterfaceError):
                connection.terminate()
        for connection in self._lent:
            connection.terminate()
        self._idle = []

    # --- lending ---

    async def _watched(
        self, connection: Connection, sql: str, values: Sequence[Any], patience: float
    ) -> "Sequence[asyncpg.Record]":
        dropped = self._loop.call_later(patience, connection.terminate)
        try:
            found: Sequence[asyncpg.Record] = await connection.fetch(sql, *values)
        except asyncio.CancelledError:
            connection.terminate()
            raise
        except Exception as error:
            if is_of_the_server(error):
                connection.terminate()
            raise self._refused(error, dropped) from None
        finally:
            dropped.cancel()
            self._give_back(connection)
        return found

    @asynccontextmanager
    async def _guarded(self, connection: Connection, patience: float) -> AsyncIterator[None]:
        dropped = self._loop.call_later(patience, connection.terminate)
        try:
            yield
        except IvrError:
            raise
        except (pg.PostgresError, pg.InterfaceError, pg.InternalClientError, OSError, UnicodeError) as error:
            if is_of_the_server(error):
                connection.terminate()
            raise self._refused(error, dropped) from None
        except BaseException:
            connection.terminate()  # nobody knows what is under way on it
            raise
        finally:
            dropped.cancel()
            self._give_back(connection)

    def _refused(self, error: Exception, dropped: asyncio.TimerHandle) -> StoreUnavailable:
        late = dropped.when() <= self._loop.time()
        if late:  # the others may lead nowhere either
            while self._idle:
                self._idle.pop().terminate()
                self._opened -= 1
        return refused(error, late=late)

    async def _taken(self) -> Connection:
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        while self._idle:
            connection = self._idle.pop()  # the one that was used last
            if not connection.is_closed():
                self._lent.add(connection)
                return connection
            self._opened -= 1
        if len(self._waiting) >= WAITING:
            raise StoreUnavailable(f"{len(self._waiting)} wait for the database already.")
        free: asyncio.Future[Connection] = self._loop.create_future()
        self._waiting.append(free)
        self._open_one()
        late = self._loop.call_later(self._patience, self._tell, free)
        try:
            return await free
        except asyncio.CancelledError:
            if free.done() and not free.cancelled() and free.exception() is None:
                self._give_back(free.result())
            raise
        finally:
            late.cancel()

    def _give_back(self, connection: Connection) -> None:
        self._lent.discard(connection)
        if self._closed or connection.is_closed():
            self._opened -= 1
            connection.terminate()
            if self._waiting and not self._closed:
                self._open_one()
            return
        while self._waiting:
            free = self._waiting.popleft()
            if not free.done():
                self._lent.add(connection)
                free.set_result(connection)
                return
        self._idle.append(connection)

    def _open_one(self) -> None:
        if self._opened < self._size:
            self._opened += 1
            task = self._loop.create_task(self._open_another(), name="connecting to the database")
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open_another(self) -> None:
        try:
            connection = await self.connected()
        except BaseException as error:
            self._opened -= 1
            if isinstance(error, asyncio.CancelledError):
                raise
            # Where others are open, those who wait get one of them.
            if self._opened <= len(self._opening) - 1:
                self._tell_all(refused(error))
            return
        self._give_back(connection)

    def _tell(self, free: "asyncio.Future[Connection]") -> None:
        if not free.done():
            free.set_exception(StoreUnavailable("The database could not be used: no connection became free in time."))

    def _tell_all(self, error: StoreUnavailable) -> None:
        while self._waiting:
            free = self._waiting.popleft()
            if not free.done():
                free.set_exception(StoreUnavailable(str(error)))


def each_host(url: str) -> list[str]:
    """Return the URL of a database once for each of its hosts.

    A host that is silent takes all the time that there is for an attempt, so each is given one of its own.
    """
    scheme, between, rest = url.partition("://")
    authority, slash, tail = rest.partition("/")
    user, at, hosts = authority.rpartition("@")
    return [f"{scheme}{between}{user}{at}{host}{slash}{tail}" for host in hosts.split(",")]
