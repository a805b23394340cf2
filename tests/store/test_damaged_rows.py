"""A call that cannot be read is set aside, and everybody else is served as if it were not there."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

import pytest

from ivr.errors import BrokenSeal, DamagedCall
from tests.store.damaged_calls import found_in, three_calls
from tests.store.store_examples import SECRET, after, key, line
from tests.store.store_examples import record as fresh
from tests.store.store_worlds import SqliteWorld, claim

DAMAGES: Mapping[str, str] = {
    "state without a flow": "UPDATE turn SET state = '{}' WHERE call = 2",
    "state that is no JSON": "UPDATE turn SET state = substr(state, 1, 90) WHERE call = 2",
    "state of another type": "UPDATE turn SET state = 5 WHERE call = 2",
    "state that is no UTF-8": "UPDATE turn SET state = CAST(x'7b22ff' || state AS TEXT) WHERE call = 2",
    "state with a foreign word": "UPDATE turn SET state = json_set(state, '$.phase', 'PIECE') WHERE call = 2",
    "record that is no MessagePack": "UPDATE turn SET rest = x'c1' WHERE call = 2",
    "record that is a text": "UPDATE turn SET rest = 'PIECE' WHERE call = 2",
    "record of another call": "UPDATE turn SET rest = (SELECT rest FROM turn WHERE call = 1) WHERE call = 2",
    "id that is another": "UPDATE call SET id = 'PIECE' WHERE row = 2",
    "reply that is cut off": "UPDATE turn SET reply = substr(reply, 1, 3) WHERE call = 2",
    "reply to a message that has no id": "UPDATE turn SET message = x'ff' WHERE call = 2",
    "reply of another type": "UPDATE turn SET reply = 1.5 WHERE call = 2",
    "sealed value": (
        "UPDATE turn SET state = json_set(state, '$.memory.private', json('{\"\": \"PIECEOFA\"}')) WHERE call = 2"
    ),
    "marks of another type": "UPDATE turn SET marks = 'PIECE' WHERE call = 2",
    "call without a turn": "DELETE FROM turn WHERE call = 2",
    "order that is no JSON": "UPDATE job SET body = 'PIECE' WHERE call = 2",
    "order with runs that are no number": "UPDATE job SET attempts = 'PIECE' WHERE call = 2",
    "answer that does not open": "UPDATE job SET answer = x'00' WHERE call = 2 AND answer IS NOT NULL",
    "answer of another type": "UPDATE job SET answer = 7 WHERE call = 2 AND answer IS NOT NULL",
}


async def damage(disk: SqliteWorld, sql: str) -> None:
    await disk.store.close()
    with closing(sqlite3.connect(disk.database)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def stored(disk: SqliteWorld) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(disk.database)) as connection:
        connection.text_factory = bytes
        rows = connection.execute("SELECT * FROM call WHERE row = 2").fetchall()
        return rows + connection.execute("SELECT * FROM turn WHERE call = 2").fetchall()


@pytest.mark.parametrize("what", DAMAGES)
async def test_a_call_that_cannot_be_read_is_set_aside_and_the_others_are_served(disk: SqliteWorld, what: str) -> None:
    first, second, third = await three_calls(disk.store)
    await damage(disk, DAMAGES[what])
    await disk.open()
    (damaged,) = disk.store.damaged
    assert (damaged.row, damaged.key, damaged.over) == (2, second.key, False)
    assert "PIECE" not in damaged.what
    for one in (first, third):
        assert await disk.store.load(one.key) == one
        assert len(await disk.store.inbox(one.id)) == 1
    assert {order.key for order in await claim(disk.store)} == {first.key, third.key}
    assert (
        {first.id, third.id} <= {one.id for one in await disk.archive.live(limit=9)} <= {first.id, second.id, third.id}
    )
    assert second.key not in await disk.store.due(1e12)


@pytest.mark.parametrize("what", DAMAGES)
async def test_a_call_that_is_set_aside_is_never_overwritten(disk: SqliteWorld, what: str) -> None:
    _, second, _ = await three_calls(disk.store)
    await damage(disk, DAMAGES[what])
    before = stored(disk)
    await disk.open()
    with pytest.raises(DamagedCall) as refused:
        await disk.store.load(second.key)
    assert "PIECE" not in str(refused.value)
    with pytest.raises(DamagedCall):
        await disk.store.commit(after(fresh("b"), line()))
    assert stored(disk) == before


@pytest.mark.parametrize("what", DAMAGES)
async def test_the_command_finds_what_the_start_set_aside(disk: SqliteWorld, what: str) -> None:
    await three_calls(disk.store)
    await damage(disk, DAMAGES[what])
    await disk.open()
    assert await disk.archive.opens_seals()
    assert [(one.key, one.what) for one in await found_in(disk.archive, sealed=True)] == [
        (one.key, one.what) for one in disk.store.damaged
    ]


@pytest.mark.parametrize("what", DAMAGES)
async def test_a_damaged_call_is_erased_by_its_id_and_leaves_nothing(disk: SqliteWorld, what: str) -> None:
    _, second, third = await three_calls(disk.store)
    await damage(disk, DAMAGES[what])
    (damaged,) = await found_in(disk.archive, sealed=True)
    erasure = await disk.archive.erase(call=damaged.id)
    there = () if what == "call without a turn" else (("b.wma", None),)
    assert [call.recordings for call in erasure.calls] == [there]
    await disk.open()
    assert disk.store.damaged == []
    assert await disk.store.load(second.key) is None
    assert await disk.store.load(third.key) == third


async def test_a_damaged_call_keeps_nobody_from_erasing_a_caller(disk: SqliteWorld) -> None:
    await three_calls(disk.store)
    await damage(disk, DAMAGES["state that is no JSON"])
    erasure = await disk.archive.erase(caller="29:abc")
    assert len(erasure.calls) == 2
    assert erasure.unread == 1, "that may be of this caller, too"
    await disk.open()


async def test_a_finished_call_that_cannot_be_read_is_found_by_the_command_and_left_out_of_lists(
    disk: SqliteWorld,
) -> None:
    for name in "abc":
        await disk.store.commit(after(fresh(name), line(), over=True))
    await damage(disk, "UPDATE turn SET state = '{}' WHERE call = 2")
    await disk.open()
    assert disk.store.damaged == []
    assert [call.key.id for call in await disk.archive.finished(since=0.0, limit=9)] == ["c", "a"]
    with pytest.raises(DamagedCall):
        await disk.store.load(key("b"))
    assert [(one.key, one.over) for one in await found_in(disk.archive, sealed=False)] == [(key("b"), True)]
    assert [(one.id[-2:], one.record is None) async for portion in disk.archive.stored() for one in portion] == [
        ("61", False), ("62", True), ("63", False),
    ]  # fmt: skip


async def test_a_line_of_a_trace_that_cannot_be_read_is_found_by_the_command(disk: SqliteWorld) -> None:
    await three_calls(disk.store)
    await damage(disk, "UPDATE turn SET trace = 'PIECE' WHERE call = 3")
    await disk.open()
    assert [(one.key, one.what) for one in await found_in(disk.archive, sealed=False)] == [
        (key("c"), "a line of its trace has an invalid format")
    ]


async def test_what_is_said_names_the_place_and_never_the_value(disk: SqliteWorld) -> None:
    await three_calls(disk.store)
    await damage(disk, DAMAGES["state with a foreign word"])
    await disk.open()
    assert [one.what for one in disk.store.damaged] == ["its state has an invalid format at $.phase"]


# --- the key ---------------------------------------------------------------------------------------------------------


async def test_with_the_right_key_the_only_sealed_value_may_be_damaged(disk: SqliteWorld) -> None:
    """Which key is right is known without it: else damage would be taken for another key."""
    await disk.store.commit(after(fresh("a", private=SECRET), line()))
    await damage(disk, DAMAGES["sealed value"].replace("call = 2", "call = 1"))
    await disk.open()
    assert [one.what for one in disk.store.damaged] == ["a sealed value cannot be opened"]


async def test_with_another_key_nothing_is_set_aside_and_the_start_ends(disk: SqliteWorld) -> None:
    await three_calls(disk.store)
    await damage(disk, DAMAGES["state without a flow"])
    with pytest.raises(BrokenSeal, match="with this key"):
        await disk.open(seal_key="11" * 32)
    await disk.open()


async def test_a_key_that_is_changed_where_nothing_is_sealed_is_the_right_one_from_then_on(disk: SqliteWorld) -> None:
    await disk.store.commit(after(fresh("a"), line()))
    await disk.store.close()
    await disk.open(seal_key="11" * 32)
    await disk.store.commit(after(fresh("b", private=SECRET), line()))
    await damage(disk, DAMAGES["sealed value"])
    await disk.open(seal_key="11" * 32)
    assert [one.key for one in disk.store.damaged] == [key("b")]
