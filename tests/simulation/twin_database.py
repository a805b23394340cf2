"""The twin of the driver of PostgreSQL (`CallDatabase`): one server's way to the tables that it shares with others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from ivr.call_record import Commit
from ivr.engine.events import Event
from ivr.errors import StoreUnavailable
from ivr.news import News
from ivr.ports import CallKey
from ivr.storage import Backlog, Order
from ivr.store.call_database import SharedCall
from ivr.store.postgres.postgres_replica import Replica
from ivr.user_values import Known, User
from tests.simulation.twin_tables import Tables, done

T = TypeVar("T")


class Wire(Protocol):
    """A connection to the tables."""

    async def ask(self, statement: Callable[[], T]) -> T:
        """Carry out a statement, and return its answer; raise StoreUnavailable: it may stand, or not."""


class DirectWire:
    """One on which nothing gets lost."""

    async def ask(self, statement: Callable[[], T]) -> T:
        return statement()


class Beats:
    """The pool of a `Replica`: it knows the statements of that file, and no others."""

    def __init__(self, tables: Tables, wire: Wire, now: Callable[[], float]) -> None:
        self._tables = tables
        self._wire = wire
        self._now = now

    async def rows(self, sql: str, *values: Any) -> Sequence[Sequence[str]]:
        if sql.lstrip().startswith("DELETE"):
            await self._wire.ask(lambda: self._tables.replicas.pop(values[0], None))
            return ()
        name, dead, judges, _ = values
        beat = self._tables.beat
        others = await self._wire.ask(lambda: beat(name, self._now(), dead=dead, judges=judges))
        return [(other,) for other in others]


class TwinDatabase:
    """`CallDatabase`."""

    def __init__(self, tables: Tables, wire: Wire, replica: Replica, news: News) -> None:
        self._tables = tables
        self._ask = wire.ask
        self._replica = replica
        self._news = news

    async def open(self) -> None:
        await self._replica.open()

    def pseudonym(self, message: str) -> str:
        return message

    async def find(self, key: CallKey) -> SharedCall | None:
        return await self._ask(lambda: self._tables.find(key))

    async def save(self, commit: Commit, before: SharedCall | None) -> SharedCall:
        return await self._ask(lambda: self._tables.save(commit, before))

    async def newest(self, conversation: CallKey) -> int:
        return await self._ask(lambda: done(self._tables.calls.newest(conversation)))

    async def inbox(self, call: str) -> Sequence[Event]:
        return await self._ask(lambda: self._tables.inbox(call))

    async def claim(
        self,
        owner: str,
        *,
        now: float,
        lease: float,
        limit: int,
        busy: frozenset[str] = frozenset(),
        known: Collection[tuple[str, str]],
    ) -> Sequence[Order]:
        name, claim = self._replica.owner(owner), self._tables.claim
        asked = partial(claim, name, now=now, lease=lease, limit=limit, busy=busy, known=known)
        orders, spent = await self._ask(asked)
        for call, job in spent:
            with suppress(StoreUnavailable):  # the next claim finds it again
                if await self._ask(lambda call=call, job=job: self._tables.give_up(call, job)):
                    self._news.tell("answer", call)
        return orders

    async def finish(self, call: str, job: str, event: Event) -> bool:
        first = await self._ask(lambda: self._tables.finish(call, job, event))
        if first:
            self._news.tell("answer", call)
        return first

    async def due(self, now: float) -> Sequence[CallKey]:
        place, servers = self._replica.place
        found = await self._ask(lambda: self._tables.due(now, place, servers))
        answered = await self._ask(lambda: self._tables.answered(place, servers))
        return list(dict.fromkeys((*found, *answered)))

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        return await self._ask(lambda: self._tables.unnamed(media))

    async def named(self, media: str) -> bool:
        return await self._ask(lambda: done(self._tables.calls.named(media)))

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        await self._ask(lambda: done(self._tables.calls.save_flow(flow_hash, source, assets)))

    async def flow(self, flow_hash: str) -> bytes | None:
        return await self._ask(lambda: done(self._tables.calls.flow(flow_hash)))

    async def flow_with(self, asset: str) -> str | None:
        return await self._ask(lambda: done(self._tables.calls.flow_with(asset)))

    async def known(self, user: User, *, now: float) -> Known:
        return await self._ask(lambda: done(self._tables.calls.known(user, now=now)))

    async def forget_user(self, user: User) -> None:
        await self._ask(lambda: done(self._tables.calls.forget_user(user)))

    async def forget_values(self, *, now: float) -> int:
        return await self._ask(lambda: done(self._tables.calls.forget_values(now=now)))

    async def backlog(self) -> Backlog:
        return await self._ask(self._tables.backlog)

    async def probe(self) -> None:
        await self._ask(lambda: None)
        if self._replica.failing:
            raise StoreUnavailable(self._replica.failing)

    async def close(self) -> None:
        with suppress(StoreUnavailable):  # the others find out by themselves
            await self._ask(lambda: self._tables.leave(self._replica.name))
        await self._replica.close()
