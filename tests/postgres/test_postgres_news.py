"""News among the servers of a database: what one tells all hear, and what cannot be told keeps no other from it."""

import asyncio

import pytest

from ivr.store.postgres.postgres_news import PostgresNews
from ivr.store.postgres.postgres_pool import PostgresPool
from tests.postgres.cluster import Database
from tests.waiting import PATIENCE


async def listening(pool: PostgresPool) -> tuple[PostgresNews, "asyncio.Queue[str]"]:
    """Return the news of a server, and what it hears of mail."""
    news, heard = PostgresNews(pool), asyncio.Queue[str]()
    news.hear("mail", heard.put_nowait)
    news.open()
    await asyncio.wait_for(news.listening.wait(), PATIENCE)
    return news, heard


@pytest.mark.parametrize("untold", ["a\0b", "a\ud800b", "x" * 8000])
async def test_what_the_database_does_not_take_is_heard_here_and_keeps_no_other_news_back(
    postgres: Database, untold: str
) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=2)
    (here, heard_here), (there, heard_there) = await listening(pool), await listening(pool)
    here.tell("mail", untold)
    here.tell("mail", "a conversation")
    assert await asyncio.wait_for(heard_there.get(), PATIENCE) == "a conversation"
    assert [heard_here.get_nowait(), heard_here.get_nowait()] == [untold, "a conversation"]
    assert heard_there.empty()
    for one in (here, there):
        await one.close()
    await pool.close()


async def test_a_connection_that_is_lost_comes_back_and_news_with_it(postgres: Database) -> None:
    pool = await PostgresPool.open(postgres.url, application="tests", size=2)
    (here, _), (there, heard) = await listening(pool), await listening(pool)
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'LISTEN|pg_notify' "
        "AND pid <> pg_backend_pid()"
    )
    here.tell("mail", "early")  # it may be lost
    while heard.empty():
        await asyncio.wait_for(there.listening.wait(), PATIENCE)
        here.tell("mail", "late")
        await postgres_turns(pool)
    assert heard.get_nowait() in {"early", "late"}
    for one in (here, there):
        await one.close()
    await pool.close()


async def postgres_turns(pool: PostgresPool) -> None:
    """Let the database answer once, and with that everybody else go on."""
    await pool.value("SELECT 1")
