"""What a turn that waits for nothing but its commit is promised, by every store whose live calls are in memory."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Commit
from ivr.errors import DamagedCall, IvrError, StaleCall, StoreUnavailable
from ivr.storage import Absent
from ivr.store.sqlite.database_file import open_database
from tests.store.store_examples import after, answered, key, line, record, recorded, request
from tests.store.store_worlds import DurableWorld, SqliteWorld, World, claim

AnyWorld = World | DurableWorld


def handed(world: AnyWorld, commit: Commit) -> "asyncio.Future[Exception | None]":
    """Hand a turn over; the result is what it is told."""
    told = asyncio.get_running_loop().create_future()
    world.store.hand_over(commit, told.set_result)
    return told


async def outcome(world: AnyWorld, commit: Commit) -> Exception | None:
    """Hand a turn over; what a store refuses at once and what it tells later is the same."""
    try:
        return await handed(world, commit)
    except IvrError as error:
        return error


async def begun(world: AnyWorld, name: str, **more: Any) -> CallRecord:
    commit = after(record(name), line(), **more)
    assert await handed(world, commit) is None
    return commit.record


async def test_a_call_is_unknown_then_there_then_waits(world: World) -> None:
    assert world.store.glance(key("a")) is Absent.UNKNOWN
    call = await begun(world, "a", jobs=(request("1.1"),))
    assert world.store.glance(key("a")) is call
    await world.store.finish(call.id, "1.1", answered("1.1"))
    assert world.store.glance(key("a")) is Absent.WAIT, "its answer has to be stepped"
    last = after(call, line(1), taken=("1.1",), over=True)
    await world.store.commit(last)
    assert world.store.glance(key("a")) is Absent.WAIT, "it is over"
    assert await world.store.load(key("a")) == last.record


async def test_what_was_handed_over_is_there_when_it_is_told_and_after_a_crash(world: World) -> None:
    call = await begun(world, "a")
    second = after(call, recorded("a.wma"), audio=b"audio")
    seen = []
    told = asyncio.get_running_loop().create_future()

    def tell(error: Exception | None) -> None:
        seen.append(world.store.glance(key("a")))
        told.set_result(error)

    world.store.hand_over(second, tell)
    assert await told is None
    assert seen == [second.record]
    await world.crash()
    assert await world.store.load(key("a")) == second.record
    assert world.store.glance(key("a")) == second.record
    assert await world.store.named("a.wma")


async def test_a_turn_that_comes_too_late_is_refused(world: World) -> None:
    call = await begun(world, "a")
    await begun(world, "b")
    with pytest.raises(StaleCall):
        await handed(world, after(replace(call, version=0), line()))
    with pytest.raises(StoreUnavailable):
        await handed(world, after(replace(call, steps=7), line()))
    assert world.store.glance(key("a")) is call


async def test_a_first_turn_of_a_call_that_is_stored_is_stale_and_harms_nobody(world: World) -> None:
    over = after(record("a"), line(), over=True)
    assert await handed(world, over) is None
    await world.crash()
    rival = after(replace(record("z"), key=key("a")), line(), recorded("lost.wma"), jobs=(request("1.1"),))
    others = [handed(world, after(record(name), line())) for name in "bcd"]
    assert type(await outcome(world, rival)) is StaleCall
    assert await asyncio.gather(*others) == [None] * 3
    assert await world.store.load(key("a")) == over.record
    assert not await world.store.named("lost.wma")
    assert await claim(world.store) == []
    await world.crash()
    assert [type(await world.store.load(key(name))) for name in "bcd"] == [CallRecord] * 3
    assert [type(world.store.glance(key(name))) for name in "bcd"] == [CallRecord] * 3


async def test_a_turn_of_a_call_whose_turn_is_being_saved_is_stale(durable: DurableWorld) -> None:
    first = after(record("a"), line())
    told = handed(durable, first)
    assert durable.store.glance(key("a")) is Absent.WAIT
    with pytest.raises(StaleCall, match="another turn"):
        handed(durable, first)
    assert await told is None
    assert durable.store.glance(key("a")) is first.record


async def test_what_is_refused_at_once_is_never_told(durable: DurableWorld) -> None:
    await durable.store.close()
    await durable.open(queue=1)
    told = handed(durable, after(record("a"), line()))
    with pytest.raises(StoreUnavailable, match="1 writes are waiting"):
        handed(durable, after(record("b"), line()))
    assert await told is None
    assert await durable.store.load(key("b")) is None
    await durable.store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        handed(durable, after(record("c"), line()))


async def test_one_that_cannot_be_saved_is_told_so_and_the_others_are_saved(durable: DurableWorld) -> None:
    told = [handed(durable, after(record(name), line())) for name in ("a", "\ud800", "b")]
    first, poisoned, last = await asyncio.gather(*told)
    assert (first, last) == (None, None)
    assert isinstance(poisoned, StoreUnavailable)
    assert durable.store.glance(key("\ud800")) is Absent.UNKNOWN


async def test_a_mistake_in_what_follows_a_turn_keeps_nobody_else_waiting(durable: DurableWorld) -> None:
    def broken(_: Exception | None) -> None:
        raise ZeroDivisionError

    mistakes = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: mistakes.append(context["exception"]))
    durable.store.hand_over(after(record("a"), line()), broken)
    assert await handed(durable, after(record("b"), line())) is None
    assert [type(mistake) for mistake in mistakes] == [ZeroDivisionError]
    assert durable.store.glance(key("a")) != Absent.WAIT, "it was saved"


async def test_a_call_that_is_set_aside_is_refused(disk: SqliteWorld) -> None:
    await begun(disk, "a")
    await disk.store.close()
    disk.ask("UPDATE turn SET state = '{}'")
    await disk.open()
    assert disk.store.glance(key("a")) is Absent.WAIT
    with pytest.raises(DamagedCall):
        handed(disk, after(record("a"), line()))


async def test_the_turns_of_one_moment_are_one_transaction_and_a_handful_of_statements(
    disk: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread hands the interpreter over in each statement, which costs more than the statement."""
    said: list[str] = []

    def traced(database: Path) -> sqlite3.Connection:
        connection = open_database(database)
        connection.set_trace_callback(said.append)
        return connection

    await disk.store.close()
    monkeypatch.setattr("ivr.store.sqlite.sqlite_calls.open_database", traced)
    await disk.open()
    said.clear()
    first = [after(record(f"n{n}"), line()) for n in range(40)]
    assert await asyncio.gather(*(handed(disk, one) for one in first)) == [None] * 40
    second = [after(one.record, line(1), over=True) for one in first]
    assert await asyncio.gather(*(handed(disk, one) for one in second)) == [None] * 40
    kinds = [statement.split()[0] for statement in said]
    assert kinds == ["BEGIN", *["INSERT"] * 3, "COMMIT", "BEGIN", *["INSERT"] * 2, "UPDATE", "COMMIT"]
