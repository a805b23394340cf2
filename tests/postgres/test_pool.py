"""The connections of a server to its database: lent, bounded, given up, and never a word of the database's."""

import asyncio

import pytest

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.store.postgres.postgres_errors import TakenName
from ivr.store.postgres.postgres_news import PostgresNews
from ivr.store.postgres.postgres_pool import PostgresPool, each_host
from tests.free_ports import free_port
from tests.postgres.cluster import SECRET, Database
from tests.waiting import PATIENCE, begun


async def test_statements_at_once_share_the_connections(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=3)
    found = await asyncio.gather(*(pool.rows("SELECT $1::int, pg_backend_pid()", n) for n in range(20)))
    await pool.close()
    assert [rows[0][0] for rows in found] == list(range(20))
    assert len({rows[0][1] for rows in found}) <= 3


async def test_an_answer_that_does_not_come_is_given_up_and_the_next_one_is_asked_elsewhere(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=1)
    with pytest.raises(StoreUnavailable, match="did not answer in time"):
        await pool.rows("SELECT pg_sleep(60)", patience=0.05)
    assert await pool.value("SELECT 7") == 7
    await pool.close()


async def test_who_finds_no_free_connection_waits_no_longer_than_for_an_answer(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=1, patience=0.05)
    async with pool.lent():
        with pytest.raises(StoreUnavailable, match="no connection became free"):
            await pool.rows("SELECT 1")
    assert await pool.value("SELECT 7") == 7
    await pool.close()


async def test_so_many_wait_for_a_slow_database_and_the_next_one_is_refused_at_once(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.store.postgres.postgres_pool.WAITING", 3)
    pool = await PostgresPool.open(postgres.url, application="tests", size=1)
    async with pool.lent():
        waiting = [await begun(pool.value("SELECT $1::int", number)) for number in range(3)]
        with pytest.raises(StoreUnavailable, match="3 wait for the database already"):
            await pool.value("SELECT 4")
    assert await asyncio.gather(*waiting) == [0, 1, 2]
    assert await pool.value("SELECT 5") == 5
    await pool.close()


async def test_a_transaction_that_ends_with_an_error_leaves_nothing(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=1)

    async def half() -> None:
        async with pool.transaction() as connection:
            await connection.execute("CREATE TABLE half_made (row bigint)")
            await connection.execute("SELECT * FROM not_there")

    with pytest.raises(StoreUnavailable, match="a table is missing"):
        await half()
    assert await pool.value("SELECT to_regclass('half_made')") is None
    await pool.close()


async def test_a_name_that_is_taken_is_told_by_its_index_and_not_by_what_it_holds(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=1)
    async with pool.lent() as connection:
        await connection.execute("CREATE TABLE said (words text CONSTRAINT said_once UNIQUE)")
    await pool.rows("INSERT INTO said VALUES ('4929')")
    with pytest.raises(TakenName) as refused:
        await pool.rows("INSERT INTO said VALUES ('4929')")
    await pool.rows("DROP TABLE said")
    await pool.close()
    assert refused.value.constraint == "said_once"
    assert "4929" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_connections_that_the_database_has_broken_off_are_made_anew(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=2)
    await asyncio.gather(pool.rows("SELECT 1"), pool.rows("SELECT 1"))
    postgres.empty()
    await asyncio.sleep(0)
    found = await asyncio.gather(pool.value("SELECT 1"), pool.value("SELECT 2"), return_exceptions=True)
    assert [await pool.value("SELECT 3"), await pool.value("SELECT 4")] == [3, 4], found
    await pool.close()


async def test_a_task_that_stops_waiting_leaves_no_connection_in_the_middle_of_something(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=1)
    asking = asyncio.create_task(pool.rows("SELECT pg_sleep(60)"))
    while not postgres.ask("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"):
        await asyncio.sleep(0)
    asking.cancel()
    assert await pool.value("SELECT 7") == 7
    await pool.close()


async def test_what_waiting_does_not_heal_is_told_apart_from_a_database_that_is_away(postgres: Database) -> None:
    nobody = f"postgresql://ivr:{SECRET}@127.0.0.1:{free_port()}/postgres"
    with pytest.raises(StoreUnavailable, match="nothing answers") as away:
        await PostgresPool.open(nobody, application="tests")
    with pytest.raises(DataUnusable, match="no database of this name") as missing:
        await PostgresPool.open(f"{postgres.url}_not_there", application="tests")
    with pytest.raises(DataUnusable, match="URL is not valid"):
        await PostgresPool.open("nonsense", application="tests")
    assert SECRET not in f"{away.value!r} {missing.value!r}"


async def test_of_several_hosts_the_one_that_answers_is_taken(postgres: Database) -> None:
    port = postgres.url.rpartition("@")[2]
    url = postgres.url.replace(port, f"127.0.0.1:{free_port()},{port}")
    pool = await PostgresPool.open(url, application="tests")
    assert await pool.value("SELECT 7") == 7
    await pool.close()


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"R\0\0\0\x04", b"S", b"E\0\0\0\x05\0", b"R\xff\xff\xff\xff" * 9]
)
async def test_what_answers_like_no_database_is_passed_over_and_does_no_harm(postgres: Database, said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(said)
        writer.close()

    other = await asyncio.start_server(answer, "127.0.0.1")
    port = other.sockets[0].getsockname()[1]
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        await PostgresPool.open(f"postgresql://ivr@127.0.0.1:{port}/ivr", application="tests")
    pool = PostgresPool(postgres.url.replace("@", f"@127.0.0.1:{port},"), application="tests")
    news = PostgresNews(pool)
    news.open()
    await asyncio.wait_for(news.listening.wait(), PATIENCE)
    assert await pool.value("SELECT 7") == 7
    await news.close()
    await pool.close()
    other.close()


async def test_news_that_cannot_be_sent_keep_no_others_back(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests")
    here, there = PostgresNews(pool), PostgresNews(pool)
    heard = asyncio.Event()
    there.hear("mail", lambda about: heard.set() if about == "good" else None)
    for one in (here, there):
        one.open()
        await asyncio.wait_for(one.listening.wait(), PATIENCE)
    for bad in ("\0", "\ud800", "x" * 9000):
        heard.clear()
        here.tell("mail", bad)
        async with asyncio.timeout(PATIENCE):
            while not heard.is_set():
                here.tell("mail", "good")
                await asyncio.sleep(0.01)
    for one in (here, there):
        await one.close()
    await pool.close()


async def test_a_closed_pool_refuses_and_tells_who_waits(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=1)
    asking = asyncio.create_task(pool.rows("SELECT pg_sleep(60)"))
    waiting = asyncio.create_task(pool.rows("SELECT 1"))
    await asyncio.sleep(0)
    await pool.close()
    told = await asyncio.gather(asking, waiting, return_exceptions=True)
    assert [type(one) for one in told] == [StoreUnavailable, StoreUnavailable]
    with pytest.raises(StoreUnavailable, match="closed"):
        await pool.rows("SELECT 1")


def test_a_url_with_several_hosts_is_one_url_for_each() -> None:
    assert each_host("postgresql://u:p@a:1,b:2/db?x=1") == [
        "postgresql://u:p@a:1/db?x=1",
        "postgresql://u:p@b:2/db?x=1",
    ]
    assert each_host("postgresql:///db?host=/tmp") == ["postgresql:///db?host=/tmp"]
    assert each_host("nonsense") == ["nonsense"]
