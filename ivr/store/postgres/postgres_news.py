"""News of a database by LISTEN and NOTIFY: hints that go to all its servers.

What is told is sent after it stands, by a connection of its own, and what is told in one moment together: a transaction
that notifies holds a lock of the whole database until it is on the disk, so a turn or an answer is not to be one. Those
who hear in this process are told at once, also while the database is away. The connection comes back by itself; what
was told meanwhile is lost, as hints may be.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast, get_args

from asyncpg import exceptions as pg

from ivr.news import Topic
from ivr.store.postgres.postgres_pool import Connection, PostgresPool
from ivr.store.postgres.postgres_text import can_stand

log = logging.getLogger(__name__)

CHANNEL: Final = "ivr_news"
_LONGEST = 7000
"Bytes of a payload, of which PostgreSQL takes 8,000; what is longer is not told."
_AT_ONCE = 500
"News that are sent in one statement."
_PAUSE = 0.5
"Seconds before a connection that was lost is made again, at first."
_LONGEST_PAUSE = 5.0
_ANSWER = 5.0
"Seconds within which the database takes news, or says that it is there."
_LOOK = 15.0
"Seconds without news after which the connection is tried: one that is cut says nothing."
_SEND = f"SELECT pg_notify('{CHANNEL}', news) FROM unnest($1::text[]) AS news"  # noqa: S608  # our own name
_LOST = (OSError, pg.PostgresConnectionError, pg.OperatorInterventionError, pg.ConnectionDoesNotExistError)
"Errors by which a connection ends; what is to be told then is told by the next one."


class PostgresNews:
    """`News`, and a way to tell some."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._hearers: dict[str, list[Callable[[str], None]]] = {}
        self._unsent: dict[str, None] = {}
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()
        "Set while the database's news arrive."

    def open(self) -> None:
        """Begin to listen, as soon as the database can be reached."""
        self._task = asyncio.create_task(self._listen(), name="news")

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def hear(self, topic: Topic, then: Callable[[str], None]) -> None:
        """From now on call `then`, in the event loop, with what each news of a topic is about."""
        self._hearers.setdefault(topic, []).append(then)

    def tell(self, topic: Topic, about: str) -> None:
        """Let all servers know, this one included, of what stands already.

        What the database does not take is not sent: it would be refused again and again, and all other news with it.
        """
        self._pass_on(topic, about)
        news = f"{topic} {about}"
        if can_stand(news) and len(news.encode()) <= _LONGEST and len(self._unsent) < 10 * _AT_ONCE:
            self._unsent[news] = None
            self._stirred.set()

    async def _listen(self) -> None:
        pause = _PAUSE
        while True:
            try:
                connection = await self._pool.connected()
            except Exception:  # of any kind: whoever must hear goes on listening
                self._unsent.clear()  # they would be old news
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _PAUSE
            try:
                await self._pass_news(connection)
            except Exception as error:
                log.info("listening again", extra={"reason": type(error).__name__})
                if not isinstance(error, _LOST):
                    self._unsent.clear()  # one of them may be what cannot be sent
                    await asyncio.sleep(pause)
            finally:
                self.listening.clear()
                connection.terminate()

    async def _pass_news(self, connection: Connection) -> None:
        own = connection.get_server_pid()

        def heard(_: object, sender: int, channel: str, payload: object) -> None:
            if sender != own:  # it has been passed on
                topic, _space, about = str(payload).partition(" ")
                if topic in get_args(Topic):
                    self._pass_on(cast("Topic", topic), about)

        connection.add_termination_listener(lambda _: self._stirred.set())
        async with asyncio.timeout(_ANSWER):
            await connection.add_listener(CHANNEL, heard)
        self.listening.set()
        while not connection.is_closed():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._stirred.wait()
            self._stirred.clear()
            news = list(self._unsent)[:_AT_ONCE]
            async with asyncio.timeout(_ANSWER):
                await connection.fetch(_SEND, news)
            for one in news:
                del self._unsent[one]
            if self._unsent:
                self._stirred.set()

    def _pass_on(self, topic: Topic, about: str) -> None:
        for then in self._hearers.get(topic, ()):
            try:
                then(about)
            except Exception:  # one who hears must not keep the others from hearing
                log.exception("news not taken", extra={"task": topic})
