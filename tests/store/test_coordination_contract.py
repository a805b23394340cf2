"""What `Coordination` promises, asked of the one in memory and of PostgreSQL's."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from ivr.coordination import Bound, Coordination, LocalCoordination, call_name
from ivr.ports import CallKey
from ivr.store.postgres.postgres_coordination import PostgresCoordination
from ivr.store.postgres.postgres_pool import PostgresPool
from ivr.store.postgres.postgres_schema import make_schema

LONG, OVER = 60.0, 0.0
GUESSES = Bound("wrong ticket", 3, LONG)


@pytest.fixture(params=["memory", "postgres"])
async def coordination(request: pytest.FixtureRequest) -> AsyncIterator[Coordination]:
    if request.param == "memory":
        yield LocalCoordination(time.time)
        return
    pool = await PostgresPool.open(request.getfixturevalue("postgres_url"), application="tests")
    try:
        await make_schema(pool)
        yield PostgresCoordination(pool)
    finally:
        await pool.close()


async def test_one_has_a_lease_at_a_time_and_may_keep_it(coordination: Coordination) -> None:
    assert await coordination.lease("chore", "sweep", owner="a", lasts=LONG)
    assert not await coordination.lease("chore", "sweep", owner="b", lasts=LONG)
    assert await coordination.lease("chore", "sweep", owner="a", lasts=LONG)
    assert await coordination.lease("chore", "forget", owner="b", lasts=LONG)
    assert await coordination.lease("poll", "sweep", owner="b", lasts=LONG)
    assert await coordination.leased("chore", "sweep")
    assert not await coordination.leased("poll", "forget")


async def test_of_many_who_want_a_lease_one_gets_it(coordination: Coordination) -> None:
    asked = (coordination.lease("refresh", "x", owner=f"{number}", lasts=LONG) for number in range(12))
    assert sorted(await asyncio.gather(*asked)) == [False] * 11 + [True]


async def test_a_lease_that_is_over_is_anybodys(coordination: Coordination) -> None:
    assert await coordination.lease("chore", "sweep", owner="a", lasts=OVER)
    assert not await coordination.leased("chore", "sweep")
    assert await coordination.lease("chore", "sweep", owner="b", lasts=LONG)
    assert not await coordination.lease("chore", "sweep", owner="a", lasts=LONG)


async def test_one_lets_go_of_ones_own_lease_alone(coordination: Coordination) -> None:
    await coordination.lease("session", "s", owner="a", lasts=LONG)
    await coordination.release("session", "s", owner="b")
    await coordination.release("session", "another", owner="b")
    assert await coordination.leased("session", "s")
    await coordination.release("session", "s", owner="a")
    assert not await coordination.leased("session", "s")


async def test_leases_that_are_over_do_not_gather(coordination: Coordination) -> None:
    for number in range(1200):
        await coordination.lease("session", f"{number}", owner="a", lasts=OVER)
    if isinstance(coordination, PostgresCoordination):
        assert await coordination._pool.value("SELECT count(*) FROM lease") <= 16
    else:
        assert isinstance(coordination, LocalCoordination)
        assert len(coordination._leases) <= 256


async def test_no_more_are_counted_than_may(coordination: Coordination) -> None:
    assert not await coordination.is_full(GUESSES, "eve")
    assert (
        sorted(await asyncio.gather(*(coordination.count(GUESSES, "eve") for _ in range(9))))
        == [False] * 6 + [True] * 3
    )
    assert await coordination.is_full(GUESSES, "eve")
    assert not await coordination.is_full(GUESSES, "ada")
    assert await coordination.count(Bound("sign-in", 3, LONG), "eve")


async def test_what_was_done_long_ago_counts_no_longer(coordination: Coordination) -> None:
    brief = Bound("wrong ticket", 1, OVER)
    assert [await coordination.count(brief, "eve") for _ in range(3)] == [True] * 3
    assert not await coordination.is_full(brief, "eve")


async def test_uploads_are_told_by_each_server_anew(coordination: Coordination) -> None:
    await coordination.tell_uploads("a", {"c1": 10.0, "c2": 20.0}, lasts=LONG)
    await coordination.tell_uploads("b", {"c3": 30.0}, lasts=LONG)
    assert [await coordination.uploading(call, before=25.0) for call in ("c1", "c2", "c3")] == [True, True, False]
    assert [await coordination.uploading(call, before=10.0) for call in ("c1", "c2")] == [False, False]
    await coordination.tell_uploads("a", {"c2": 20.0}, lasts=LONG)
    assert [await coordination.uploading(call, before=99.0) for call in ("c1", "c2", "c3")] == [False, True, True]
    await coordination.tell_uploads("b", {}, lasts=LONG)
    assert not await coordination.uploading("c3", before=99.0)


async def test_an_upload_of_no_known_call_may_be_any_calls(coordination: Coordination) -> None:
    await coordination.tell_uploads("a", {"": 10.0}, lasts=LONG)
    assert await coordination.uploading("c1", before=11.0)
    assert not await coordination.uploading("c1", before=10.0)


async def test_what_was_told_of_uploads_is_not_believed_for_ever(coordination: Coordination) -> None:
    await coordination.tell_uploads("a", {"c1": 10.0}, lasts=OVER)
    assert not await coordination.uploading("c1", before=99.0)


@pytest.mark.parametrize("name", ["call", "\0", "\ud800", "x" * 100_000, "'; --"])
async def test_a_call_has_a_name_here_whatever_its_platform_calls_it(coordination: Coordination, name: str) -> None:
    key = CallKey("twilio", "account", name)
    await coordination.tell_uploads("a", {call_name(key): 10.0}, lasts=LONG)
    assert await coordination.uploading(call_name(key), before=11.0)
    assert not await coordination.uploading(call_name(CallKey("twilio", "another", name)), before=11.0)
