"""What is erased from PostgreSQL is in no table any more, whoever writes meanwhile; a month that is over goes whole."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.errors import StaleCall
from ivr.store.postgres.postgres_archive import PostgresArchive
from ivr.store.postgres.postgres_erasure import OF_CALL
from ivr.store.postgres.postgres_media import CHUNK, PostgresMedia
from ivr.store.postgres.postgres_schema import make_month, month_of, table_of
from ivr.store.sealing import Sealer
from tests.postgres.cluster import Database
from tests.store.full_store import ANNA, BERT, LARGER, SMALL_ONE, everything, fill, of
from tests.store.postgres_world import PostgresWorld, held_in
from tests.store.store_examples import after, key, line, record, recorded, request
from tests.store.store_worlds import World

DAY = 86_400.0


@pytest.fixture
async def shared(postgres: Database) -> AsyncIterator[PostgresWorld]:
    postgres.raze()  # the months that other tests have made
    world = PostgresWorld(postgres)
    await world.begin()
    yield world
    await world.end()


async def test_of_a_caller_nothing_is_left_in_any_table_and_of_others_everything(shared: PostgresWorld) -> None:
    await fill(cast("World", shared))
    database = shared.database
    for name in (LARGER, f"{'3' * 32}.wav"):
        database.run(
            f"INSERT INTO recording VALUES ('{name}', 11, 0); "
            f"INSERT INTO recording_chunk VALUES ('{name}', 0, 'anna-speaks')"
        )
    ids = {record(name).id for name in "ab"}
    words = {ANNA.encode(), b"anna-sounds", b"anna-speaks", b"anna-address", b"anna-told", b"anna-asked", b"anna-kept"}
    words |= {SMALL_ONE.encode(), LARGER.encode(), *(one.encode() for one in ids)}
    assert held_in(database, words) == words
    theirs = await everything_of_bert(shared)
    erasure = await shared.archive.erase(caller=ANNA)
    assert {one.id for one in erasure.calls} == ids
    assert (erasure.values, erasure.unread, erasure.unknown_values) == (2, 0, 0)
    assert dict(erasure.calls[0].recordings) == {SMALL_ONE: 11}
    assert dict(erasure.calls[1].recordings) == {LARGER: 11}
    assert held_in(database, words) == {b"anna-speaks"}, "in the other recording, which no call names"
    assert await everything_of_bert(shared) == theirs
    rows = "SELECT row FROM call"
    for table in ("turn", *OF_CALL):
        assert database.ask(f"SELECT * FROM {table} WHERE call NOT IN ({rows})") == []


async def everything_of_bert(shared: PostgresWorld) -> list[object]:
    shown = await everything(cast("World", shared))
    return [shown["calls"][2:], shown["states"], await shared.archive.trace(record("c").id)]  # type: ignore[index]


def test_no_table_with_rows_of_calls_is_forgotten(postgres: Database) -> None:
    found = postgres.ask(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND column_name = 'call' AND data_type = 'bigint' AND table_name NOT LIKE 'turn%'"
    )
    assert {name for (name,) in found} <= set(OF_CALL)
    found = postgres.ask(
        "SELECT table_name FROM information_schema.columns WHERE column_name IN ('media', 'recording')"
    )
    assert {name for (name,) in found if not name.startswith("turn")} <= set(OF_CALL)


async def test_without_the_key_the_receipt_says_what_it_could_not_find(shared: PostgresWorld) -> None:
    await fill(cast("World", shared))
    another = Sealer(bytes(32), source="another one")
    erasure = await PostgresArchive(shared.pool, another).erase(caller=ANNA)
    assert (len(erasure.calls), erasure.values, erasure.unknown_values) == (2, 0, 3)
    erasure = await shared.archive.erase(caller=ANNA)
    assert (len(erasure.calls), erasure.values, erasure.unknown_values) == (0, 2, 0)


async def test_a_turn_that_is_made_meanwhile_finds_no_call_and_writes_nothing(shared: PostgresWorld) -> None:
    fresh = of(ANNA, "a")
    first = after(fresh, line(0))
    await shared.store.commit(first)
    await shared.archive.erase(caller=ANNA)
    with pytest.raises(StaleCall):
        await shared.store.commit(after(first.record, line(1), recorded(LARGER), jobs=(request("2.1"),)))
    assert await shared.store.load(key("a")) is None
    assert held_in(shared.database, [record("a").id.encode()]) == set()


async def test_turns_and_an_erasure_at_the_same_time_leave_all_or_nothing(shared: PostgresWorld) -> None:
    calls = [after(of(ANNA, f"call-{number}"), line(0), jobs=(request("1.1"),)) for number in range(20)]
    for commit in calls:
        await shared.store.commit(commit)

    async def go_on(before: CallRecord) -> None:
        for number in range(99):
            commit = after(before, line(number), jobs=(request(f"{number + 2}.1"),))
            await shared.store.commit(commit)
            before = commit.record

    going = [asyncio.create_task(go_on(commit.record)) for commit in calls]
    await asyncio.sleep(0)
    erasure = await shared.archive.erase(caller=ANNA)
    ends = await asyncio.gather(*going, return_exceptions=True)
    assert {type(end) for end in ends} == {StaleCall}
    assert len(erasure.calls) == 20
    for table in ("call", "turn", "job"):
        assert shared.database.ask(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_servers_are_told_which_calls_were_erased(shared: PostgresWorld) -> None:
    await shared.calls.news.listening.wait()
    heard: asyncio.Queue[str] = asyncio.Queue()
    shared.calls.news.hear("erased", heard.put_nowait)
    await shared.store.commit(after(of(ANNA, "a"), line(0)))
    await shared.archive.erase(call=record("a").id)
    assert await asyncio.wait_for(heard.get(), 30) == record("a").id


# --- what goes by the month -------------------------------------------------------------------------------------------

JULY, AUGUST = (datetime(2026, month, 10, tzinfo=UTC).timestamp() for month in (7, 8))


async def over(shared: PostgresWorld, name: str, started: float, *, ended: float, folder: Path = Path()) -> None:
    """Save a call that began and ended then, with a recording."""
    media = PostgresMedia(shared.pool, folder)
    new = media.new("audio/wav")
    new.add(bytes(CHUNK + 1))
    await new.keep()
    await media.close()
    fresh = record(name)
    fresh = replace(fresh, call=replace(fresh.call, facts=replace(fresh.call.facts, started=started)))
    commit = after(fresh, line(0), recorded(new.media), over=True)
    await shared.store.commit(replace(commit, trace=(*commit.trace[:-1], replace(commit.trace[-1], now=ended))))


async def forgotten(shared: PostgresWorld, before: float, limit: int = 2) -> list[str]:
    """Forget as the chore does, in portions."""
    names: list[str] = []
    while found := await shared.archive.forget(before=before, limit=limit):
        assert len(found) <= limit
        assert all(size == CHUNK + 1 for one in found for _, size in one.recordings)
        names += [one.id for one in found]
    return names


def months(database: Database) -> set[str]:
    found = database.ask("SELECT relname FROM pg_class WHERE relname ~ '^turn_[0-9]+$' AND relkind = 'r'")
    return {name for (name,) in found}


async def test_a_month_that_is_over_goes_as_a_whole_and_its_recordings_with_it(shared: PostgresWorld) -> None:
    for month in (JULY, AUGUST):
        await make_month(shared.pool, month_of(month))
    for number in range(5):
        await over(shared, f"july-{number}", JULY, ended=JULY + number)
    await over(shared, "august", AUGUST, ended=AUGUST)
    assert shared.database.ask(f"SELECT count(*) FROM {table_of(202607)}") == [(5,)]
    assert await forgotten(shared, AUGUST) == [record(f"july-{number}").id for number in range(5)]
    assert months(shared.database) == {table_of(202608)}
    for table in ("call", "turn", "recording"):
        assert shared.database.ask(f"SELECT count(*) FROM {table}") == [(1,)]
    assert shared.database.ask("SELECT count(*) FROM recording_chunk") == [(2,)]
    assert await shared.store.load(key("august")) is not None


async def test_of_a_month_with_a_call_that_stays_only_rows_go(shared: PostgresWorld) -> None:
    await make_month(shared.pool, 202607)
    await over(shared, "gone", JULY, ended=JULY)
    await over(shared, "late", JULY, ended=AUGUST + DAY)
    assert await forgotten(shared, AUGUST) == [record("gone").id]
    assert shared.database.ask("SELECT count(*) FROM turn") == [(1,)]
    await shared.store.commit(after(of(BERT, "live"), line(0)))
    assert await forgotten(shared, AUGUST + 2 * DAY) == [record("late").id]
    assert months(shared.database) == set()
    assert await shared.store.load(key("live")) is not None


async def test_the_month_that_is_being_filled_stays_though_nothing_is_in_it(shared: PostgresWorld) -> None:
    for month in (202607, 202608, 202609):
        await make_month(shared.pool, month)
    assert await forgotten(shared, AUGUST) == []
    assert months(shared.database) == {table_of(202608), table_of(202609)}


async def test_a_month_that_somebody_reads_waits_and_nobody_waits_for_it(shared: PostgresWorld) -> None:
    await make_month(shared.pool, 202607)
    await over(shared, "gone", JULY, ended=JULY)
    async with shared.pool.transaction() as reading:
        await reading.fetch(f"SELECT * FROM {table_of(202607)}")
        assert await forgotten(shared, AUGUST) == [record("gone").id]
        assert months(shared.database) == {table_of(202607)}
        await shared.store.commit(after(of(BERT, "live"), line(0)))
    assert await forgotten(shared, AUGUST) == []
    assert months(shared.database) == set()


async def test_several_servers_forget_at_the_same_time_and_each_call_once(shared: PostgresWorld) -> None:
    for number in range(12):
        await over(shared, f"call-{number}", JULY, ended=JULY + number)
    found = await asyncio.gather(*(forgotten(shared, AUGUST) for _ in range(3)))
    assert sorted(name for names in found for name in names) == sorted(
        record(f"call-{number}").id for number in range(12)
    )
