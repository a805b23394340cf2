"""The world of the store in PostgreSQL: what one server has open of it, and what is left once that is killed."""

import itertools
from collections.abc import Iterable
from typing import Any

from ivr.store import mail_columns, sign_in_columns, state_columns
from ivr.store.postgres.postgres_archive import PostgresArchive
from ivr.store.postgres.postgres_bot_state import PostgresBotStates, require_right_key
from ivr.store.postgres.postgres_calls import PostgresCalls
from ivr.store.postgres.postgres_deliveries import PostgresOutbox, PostgresPlatformRequests
from ivr.store.postgres.postgres_mailbox import PostgresMailbox
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_replica import Replica
from ivr.store.postgres.postgres_schema import make_schema, prove_key, proves
from ivr.store.postgres.postgres_search import PostgresSearch
from ivr.store.postgres.postgres_sign_ins import PostgresSignIns
from ivr.store.postgres.postgres_state_erasure import PostgresStateErasure
from ivr.store.postgres.postgres_voicemails import PostgresVoicemails
from ivr.store.sealing import Sealer
from ivr.store.shared_calls import UNDER_WAY, SharedCalls
from ivr.store.state_columns import StateColumns
from tests.postgres.cluster import Database

SEAL_KEY = "5e" * 32


class PostgresWorld:
    """A crash lets go of the database without a word, and the others have known for long that this server is gone."""

    def __init__(self, database: Database, seal_key: str = SEAL_KEY, *, server: str = "replica") -> None:
        """`server` begins the names of its lives; those of two worlds of one database differ."""
        self.database = database
        self.seal_key = seal_key
        self._names = (f"{server}-{number}" for number in itertools.count(1))
        self.replica = ""
        self.pool: PostgresPool
        self._sealer: Sealer
        self._is_open = False
        self.calls: PostgresCalls
        self.store: SharedCalls
        self.states: PostgresBotStates
        self.state_erasure: PostgresStateErasure
        self.mailbox: PostgresMailbox
        self.sign_ins: PostgresSignIns
        self.outbox: PostgresOutbox
        self.requests: PostgresPlatformRequests
        self.archive: PostgresArchive
        self.search: PostgresSearch
        self.voicemails: PostgresVoicemails

    async def begin(self) -> None:
        await self.open()

    async def open(self, seal_key: str | None = None, *, queue: int = UNDER_WAY) -> None:
        if self._is_open:
            await self.pool.close()
        self._is_open = True
        self.pool = await PostgresPool.open(self.database.url, application="ivr tests", size=4)
        await make_schema(self.pool)
        sealer = self._sealer = Sealer(bytes.fromhex(seal_key or self.seal_key), source="the test's")
        self.replica = next(self._names)
        self.calls = PostgresCalls(self.pool, sealer, Replica(self.pool, self.replica))
        await self.calls.open()
        self.store = SharedCalls(self.calls, self.calls.news, under_way=queue)
        states = StateColumns(sealer.derived(state_columns.PURPOSE))
        if not await proves(self.pool, sealer):
            await require_right_key(self.pool, states)
        await prove_key(self.pool, sealer)
        self.states = PostgresBotStates(self.pool, states)
        self.state_erasure = PostgresStateErasure(self.pool, sealer)
        self.mailbox = PostgresMailbox(self.pool, key=sealer.derived(mail_columns.PURPOSE))
        self.sign_ins = PostgresSignIns(self.pool, key=sealer.derived(sign_in_columns.PURPOSE))
        await self.sign_ins.index_copied()
        self.outbox = PostgresOutbox(self.pool, replica=self.replica)
        self.requests = PostgresPlatformRequests(self.pool, replica=self.replica)
        self.archive = PostgresArchive(self.pool, sealer)
        self.search = PostgresSearch(self.pool)
        self.voicemails = PostgresVoicemails(self.pool)

    async def crash(self) -> None:
        await self.pool.close()  # first, so that nothing that ends in order reaches the database
        await self.calls.close()
        self.ask("DELETE FROM replica WHERE name = $1", self.replica)
        await self.open()

    async def end(self) -> None:
        await self.store.close()
        await self.pool.close()

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement on the database, and return its rows."""
        return self.database.ask(sql, *values)

    def held(self, words: Iterable[bytes]) -> set[bytes]:
        """Return which of these words stand in a row of any table."""
        return held_in(self.database, words)

    def derived_key(self, purpose: str) -> bytes:
        """Return a key that is derived from that of sealed values."""
        return self._sealer.derived(purpose)


def held_in(database: Database, words: Iterable[bytes]) -> set[bytes]:
    """Return which of these words stand anywhere in a table, be it as a text or in the bytes of a column."""
    tables = database.ask("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    assert len(tables) > 15
    rows = [row for (table,) in tables for row in database.ask(f"SELECT * FROM {table}")]
    stored = b"|".join(_as_bytes(value) for row in rows for value in row)
    return {word for word in words if word in stored}


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
