"""What is delivered, where several servers share a database: each has its own, in order, and none is left behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.engine.commands import Notify
from ivr.errors import StoreUnavailable
from ivr.outbox import PlatformRequest
from ivr.ports import Outbound
from ivr.store.postgres.postgres_deliveries import PostgresOutbox, PostgresPlatformRequests
from ivr.store.postgres.postgres_pool import PostgresPool
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, line, record

MAIL = Notify("1.1", "mail", "desk@example.com", "A call")


@pytest.fixture
async def other(shared: PostgresWorld) -> AsyncIterator[PostgresWorld]:
    """A second server on the database of the first."""
    world = PostgresWorld(shared.database, server="other")
    await world.begin()
    yield world
    await world.end()


def in_lane(name: str) -> Outbound:
    return Outbound(name, "POST", "https://connector.example/", {"text": name}, lane="lane")


async def asked(world: PostgresWorld, name: str, *outbound: Outbound) -> CallRecord:
    commit = replace(after(record(name), line()), outbound=outbound)
    await world.store.commit(commit)
    return commit.record


async def told(world: PostgresWorld, name: str, count: int) -> None:
    told = tuple(replace(MAIL, job=f"1.{number}") for number in range(count))
    await world.store.commit(replace(after(record(name), line()), notifications=told))


async def sent(requests: PostgresPlatformRequests, owner: str) -> list[str]:
    """Send what is due until nothing is, as a worker does, and return what that was."""
    found: list[PlatformRequest] = []
    while taken := await requests.claim(owner, now=10.0, lease=60.0, limit=2):
        found += taken
        for one in taken:
            await requests.settle(one.id, "sent", at=11.0)
    return [one.job for one in found]


class LosesAnswers(PostgresPool):
    """Connections that can break before an answer comes."""

    loses = False

    async def rows(self, sql: str, *values: Any, patience: float | None = None) -> Any:
        found = await super().rows(sql, *values, patience=patience)
        if self.loses:
            raise StoreUnavailable("The database could not be used: the connection was lost.")
        return found


async def test_servers_that_look_at_the_same_time_have_each_delivery_once(
    shared: PostgresWorld, other: PostgresWorld
) -> None:
    await told(shared, "a", 60)
    looks = [world.outbox.claim("w", now=10.0, lease=60.0, limit=3) for _ in range(10) for world in (shared, other)]
    jobs = [one.id for taken in await asyncio.gather(*looks) for one in taken]
    assert len(jobs) == len(set(jobs)) > 3
    while len(jobs) < 60:  # who was too late for some gets others at the next look
        jobs += [one.id for one in await other.outbox.claim("w", now=10.0, lease=60.0, limit=9)]
    assert len(set(jobs)) == 60


async def test_a_lane_keeps_its_order_whoever_sends(shared: PostgresWorld, other: PostgresWorld) -> None:
    names = [f"1.{number}" for number in range(1, 25)]
    await asked(shared, "a", *map(in_lane, names))
    order: list[str] = []

    async def work(world: PostgresWorld) -> None:
        while await world.requests.count("waiting"):
            for one in await world.requests.claim("w", now=10.0, lease=60.0, limit=4):
                order.append(one.job)
                await asyncio.sleep(0)
                await world.requests.settle(one.id, "sent", at=11.0)

    await asyncio.gather(work(shared), work(other), work(shared))
    assert order == names


async def test_what_a_dead_server_had_is_sent_by_another(shared: PostgresWorld, other: PostgresWorld) -> None:
    await asked(shared, "a", in_lane("1.1"), in_lane("1.2"))
    [taken] = await shared.requests.claim("w", now=10.0, lease=60.0, limit=9)
    await other.requests.reopen()
    assert await sent(other.requests, "w") == [], "it is alive"
    shared.ask("DELETE FROM replica WHERE name = $1", shared.replica)
    await other.requests.reopen()
    assert await sent(other.requests, "w") == ["1.1", "1.2"]
    await shared.requests.settle(taken.id, "waiting", at=99.0)
    assert await shared.requests.count("waiting") == 0, "it is gone, whatever its first sender found"


async def test_what_was_taken_by_a_look_without_an_answer_is_taken_again(shared: PostgresWorld) -> None:
    await told(shared, "a", 1)
    pool = await LosesAnswers.open(shared.database.url, application="ivr tests", size=1)
    outbox = PostgresOutbox(pool, replica=shared.replica)
    pool.loses = True
    with pytest.raises(StoreUnavailable):
        await outbox.claim("w", now=10.0, lease=300.0, limit=9)
    assert shared.ask("SELECT tries FROM notification") == [(1,)]
    pool.loses = False
    [again] = await outbox.claim("w", now=10.0, lease=300.0, limit=9)
    assert again.tries == 2
    await pool.close()


async def test_a_message_of_many_servers_stands_where_it_was_put(shared: PostgresWorld, other: PostgresWorld) -> None:
    call = (await asked(shared, "a")).id
    bodies = [b'"%d"' % number for number in range(40)]
    puts = [
        world.mailbox.put(f"{call}.{number}", "c", body, at=1.0)
        for number, body in enumerate(bodies)
        for world in (shared, other)
    ]
    seen: list[bytes] = []

    async def read() -> None:
        last = ""
        while len(seen) < len(bodies):
            for mail in await other.mailbox.after("c", last, limit=3):
                last = mail.id
                seen.append(mail.body)

    await asyncio.gather(read(), *puts)
    assert sorted(seen) == sorted(bodies), "each once, and none is passed over"


async def test_what_was_said_stands_in_the_database_sealed(shared: PostgresWorld) -> None:
    call = (await asked(shared, "a")).id
    await shared.mailbox.put(f"{call}.1", "c", b'{"text": "4711"}', at=1.0)
    assert "4711" not in repr(shared.ask("SELECT * FROM mail"))
    shared.ask("UPDATE mail SET body = '\\x00'")
    assert await shared.mailbox.after("c", "", limit=9) == []
