"""What each store promises that keeps its data outside its process: its rows, and the queue before them."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace

from ivr.call_record import REMEMBERED as REPLIES
from ivr.errors import StaleCall, StoreUnavailable
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import (
    ODD_REPLY,
    REPLY,
    after,
    answered,
    key,
    line,
    record,
    recorded,
    records_of,
    request,
)
from tests.store.store_worlds import DurableWorld, claim
from tests.waiting import begun


async def test_a_trace_can_be_read_with_the_database_alone(durable: DurableWorld) -> None:
    await durable.store.commit(after(record("a"), line(0), line(1)))
    lines = "SELECT value ->> '$.event.type', value ->> '$.event.op' FROM turn, json_each(trace)"
    amount = "SELECT state ->> '$.memory.variables.amount.value' FROM turn"
    if isinstance(durable, PostgresWorld):
        lines = "SELECT one #>> '{event,type}', one #>> '{event,op}' FROM turn, json_array_elements(trace::json) AS one"
        amount = "SELECT state::json #>> '{memory,variables,amount,value}' FROM turn"
    assert durable.ask(lines) == [("ChoiceMade", "0.1"), ("ChoiceMade", "1.1")]
    assert durable.ask(amount) == [("1.10",)]


async def test_a_turn_writes_its_own_reply_and_leaves_the_others_alone(durable: DurableWorld) -> None:
    first = after(record("a"), line())
    await durable.store.commit(first)
    owed = "'\\xc0'::bytea" if isinstance(durable, PostgresWorld) else "x'c0'"
    durable.ask(f"UPDATE turn SET reply = {owed}")
    await durable.store.commit(after(first.record, line(1)))
    [(first_reply,), (second_reply,)] = durable.ask("SELECT reply FROM turn ORDER BY message")
    assert first_reply == b"\xc0"
    assert second_reply != b"\xc0"


async def test_a_small_recording_is_part_of_the_turn_that_took_it(durable: DurableWorld) -> None:
    first = after(record("a"), recorded("a.wma"), audio=b"audio")
    await durable.store.commit(first)
    await durable.store.commit(after(first.record, recorded("b.wma", ignored="stale"), audio=b"not taken"))
    assert durable.ask("SELECT media, audio FROM turn ORDER BY message") == [("a.wma", b"audio"), (None, None)]


async def test_messages_that_move_nothing_take_no_more_room(durable: DurableWorld) -> None:
    """Whoever knows a call's id could fill the disk; that of the last messages stays, since they are answered again."""
    commit = after(record("a"), line())
    await durable.store.commit(commit)
    for n in range(5 * REPLIES):
        commit = after(commit.record, message=f"u{n}", reply=ODD_REPLY if n % 2 else REPLY)
        if n % 3:
            commit = replace(commit, record=replace(commit.record, last=REPLY))
        await durable.store.commit(commit)
        if commit.message in ("u0", "u1"):
            commit = after(commit.record, message="u0")
            await durable.store.commit(commit)
    [(rows,)] = durable.ask("SELECT count(*) FROM turn")
    assert rows < REPLIES + 4
    assert durable.ask("SELECT count(*) FROM turn WHERE trace <> '[]'") == [(1,)]


async def test_orders_and_answers_leave_no_row_behind(durable: DurableWorld) -> None:
    first = after(record("a"), line(), jobs=tuple(request(f"1.{n}", sensitive=True) for n in range(3)))
    await durable.store.commit(first)
    await durable.store.finish(first.record.id, "1.0", answered("1.0"))
    await durable.store.finish(first.record.id, "1.1", answered("1.1"))
    second = after(first.record, line(1), taken=("1.0",))
    await durable.store.commit(second)
    assert durable.ask("SELECT id FROM job ORDER BY id") == [("1.1",), ("1.2",)]
    await durable.store.commit(after(second.record, line(2), over=True))
    assert durable.ask("SELECT id FROM job") == []


async def test_a_full_queue_refuses_at_once_and_recovers(durable: DurableWorld) -> None:
    await durable.store.close()
    await durable.open(queue=4)
    commits = [after(record(f"n{n}"), line()) for n in range(10)]
    results = await asyncio.gather(*map(durable.store.commit, commits), return_exceptions=True)
    assert Counter(type(result) for result in results) == {type(None): 4, StoreUnavailable: 6}
    assert "4 writes are waiting" in str(results[-1])
    await durable.store.commit(commits[-1])
    assert len(await records_of(durable.archive)) == 5


async def test_a_cancelled_turn_is_saved_all_the_same_and_seen_by_the_next(durable: DurableWorld) -> None:
    """The platform closed the connection: what was handed over stands, and memory must say so too."""
    commit = after(record("a"), line())
    turn, rival, impatient = [await begun(durable.store.commit(commit)) for _ in range(3)]
    turn.cancel()
    impatient.cancel()
    with pytest.raises(StaleCall):
        await rival
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert await durable.store.load(key("a")) == commit.record


async def test_orders_of_a_cancelled_claim_are_open_for_the_next(durable: DurableWorld) -> None:
    await durable.store.commit(after(record("a"), line(), jobs=(request("1.1"),)))
    claimed = await begun(claim(durable.store, limit=1))
    claimed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claimed
    assert [order.request.job for order in await claim(durable.store, limit=1)] == ["1.1"]


async def test_closing_saves_what_was_handed_over(durable: DurableWorld) -> None:
    commits = [after(record(f"n{n}"), line()) for n in range(5)]
    turns = [await begun(durable.store.commit(commit)) for commit in commits]
    await durable.store.close()
    await asyncio.gather(*turns)
    await durable.open()
    assert len(await records_of(durable.archive)) == 5


async def test_a_closed_store_says_so_and_may_be_closed_again(durable: DurableWorld) -> None:
    first = after(record("a"), line())
    await durable.store.commit(first)
    archive = durable.archive
    for _ in range(2):
        await durable.end()
        await archive.close()
    for refused in (
        durable.store.commit(after(first.record, line(1))),
        durable.store.load(key("b")),
        records_of(archive),
    ):
        with pytest.raises(StoreUnavailable, match="closed"):
            await refused


async def test_a_look_up_that_is_overtaken_by_a_commit_gives_the_newer_call(durable: DurableWorld) -> None:
    commit = after(record("a"), line())
    loads = [durable.store.load(key("a")) for _ in range(5)]
    *found, _ = await asyncio.gather(*loads, durable.store.commit(commit), durable.store.load(key("a")))
    assert await durable.store.load(key("a")) == commit.record
    assert all(call in (None, commit.record) for call in found)
