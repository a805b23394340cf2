"""A call in PostgreSQL that cannot be read: who asks for it is told so, a command finds it, all others are served."""

from collections.abc import Mapping

import pytest

from ivr.errors import DamagedCall, StaleCall, UnreadableRow
from tests.store.damaged_calls import found_in, three_calls
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, key, line, recorded
from tests.store.store_examples import record as fresh
from tests.store.store_worlds import claim

LAST = "call = 2 AND version = 1"
DAMAGES: Mapping[str, str] = {
    "state without a flow": f"UPDATE turn SET state = '{{}}' WHERE {LAST}",
    "state that is no JSON": f"UPDATE turn SET state = left(state, 90) WHERE {LAST}",
    "state that is empty": f"UPDATE turn SET state = '' WHERE {LAST}",
    "state with a foreign word": f"""UPDATE turn SET state = replace(state, '"phase":"answered"', '"phase":"PIECE"')
        WHERE {LAST}""",
    "record that is no MessagePack": f"UPDATE turn SET rest = '\\xc1' WHERE {LAST}",
    "record of another call": f"UPDATE turn SET rest = (SELECT rest FROM turn WHERE call = 1) WHERE {LAST}",
    "id that is another": "UPDATE call SET id = 'PIECE' WHERE row = 2",
    "reply that is cut off": f"UPDATE turn SET reply = substr(reply, 1, 3) WHERE {LAST}",
    "sealed value": f"""UPDATE turn SET state = regexp_replace(state, '"private":{{"":"[^"]*"}}',
        '"private":{{"":"PIECEOFA"}}', 'g') WHERE {LAST}""",
    "call without a turn": "DELETE FROM turn WHERE call = 2",
    "call whose last turn is lost": "UPDATE call SET version = 2 WHERE row = 2",
}
OF_ORDERS: Mapping[str, str] = {
    "order that is no JSON": "UPDATE job SET body = 'PIECE' WHERE call = 2",
    "answer that does not open": "UPDATE job SET answer = '\\x00' WHERE call = 2 AND answer IS NOT NULL",
}


async def damage(shared: PostgresWorld, sql: str) -> None:
    assert shared.ask(f"{sql} RETURNING 1"), "something is damaged"
    await shared.crash()


def stored(shared: PostgresWorld) -> list[tuple[object, ...]]:
    return shared.ask("SELECT * FROM call WHERE row = 2") + shared.ask("SELECT * FROM turn WHERE call = 2")


@pytest.mark.parametrize("what", DAMAGES)
async def test_nobody_reads_or_changes_a_damaged_call_and_the_others_are_served(
    shared: PostgresWorld, what: str
) -> None:
    first, second, third = await three_calls(shared.store)
    await damage(shared, DAMAGES[what])
    before = stored(shared)
    with pytest.raises(DamagedCall) as refused:
        await shared.store.load(second.key)
    assert "PIECE" not in str(refused.value)
    with pytest.raises((DamagedCall, StaleCall)):
        await shared.store.commit(after(fresh("b"), line()))
    assert stored(shared) == before
    for one in (first, third):
        assert await shared.store.load(one.key) == one
        assert len(await shared.store.inbox(one.id)) == 1
    assert {first.key, third.key} <= {order.key for order in await claim(shared.store)}
    live = {one.id for one in await shared.archive.live(limit=9)}
    assert {first.id, third.id} <= live <= {first.id, second.id, third.id}


@pytest.mark.parametrize("what", [*DAMAGES, *OF_ORDERS])
async def test_the_command_finds_what_is_damaged_and_tells_nothing_of_what_stands_there(
    shared: PostgresWorld, what: str
) -> None:
    _, second, _ = await three_calls(shared.store)
    assert await found_in(shared.archive, sealed=True) == []
    await damage(shared, {**DAMAGES, **OF_ORDERS}[what])
    assert await shared.archive.opens_seals()
    [found] = await found_in(shared.archive, sealed=True)
    assert (found.key, found.over) == (second.key, False)
    assert "PIECE" not in found.what


@pytest.mark.parametrize("what", OF_ORDERS)
async def test_a_damaged_order_keeps_nobody_else_from_being_served(shared: PostgresWorld, what: str) -> None:
    first, second, third = await three_calls(shared.store)
    await damage(shared, OF_ORDERS[what])
    assert {first.key, third.key} <= {order.key for order in await claim(shared.store)}
    with pytest.raises(DamagedCall):
        await shared.store.inbox(second.id)


async def test_lists_have_a_damaged_call_and_say_so(shared: PostgresWorld) -> None:
    for name in "abc":
        await shared.store.commit(after(fresh(name), line(), over=True))
    await damage(shared, f"UPDATE turn SET state = 'PIECE' WHERE {LAST}")
    assert [one.key.id for one in await shared.archive.finished(since=0.0, limit=9)] == ["c", "a"]
    recent = [one async for portion in shared.archive.recent() for one in portion]
    assert [(one.id, one.damaged) for one in recent] == [(fresh(name).id, name == "b") for name in "cba"]
    told = [one async for portion in shared.archive.stored() for one in portion]
    assert [(one.record is None, one.trouble) for one in told] == [
        (False, ""), (True, "its state has an invalid format"), (False, ""),
    ]  # fmt: skip
    assert [(one.key, one.over) for one in await found_in(shared.archive, sealed=False)] == [(key("b"), True)]
    with pytest.raises(UnreadableRow):
        await shared.archive.call(fresh("b").id)


async def test_figures_leave_out_a_call_whose_trace_cannot_be_read(shared: PostgresWorld) -> None:
    await three_calls(shared.store)
    await damage(shared, f"UPDATE turn SET trace = 'PIECE' WHERE {LAST}")
    (block,) = await shared.archive.blocks(0.0)
    (flow,) = await shared.archive.flows(block)
    assert await shared.archive.figures(block, flow.flow, lambda calls: len(list(calls))) == 2
    [found] = await found_in(shared.archive, sealed=False)
    assert (found.key, found.what) == (key("b"), "a line of its trace has an invalid format")


# --- turns that are missing, or another call's ------------------------------------------------------------------------

LINES = "lines of its trace are missing"
MIDDLE = "call = 2 AND version = 2"
TURNS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "a turn in the middle is gone": (f"DELETE FROM turn WHERE {MIDDLE}", {"b": LINES}),
    "the first turn is gone": (f"DELETE FROM turn WHERE {LAST}", {"b": LINES}),
    "the last turn is gone": ("DELETE FROM turn WHERE call = 2 AND version = 3", {"b": "its last turn is missing"}),
    "a turn belongs to another call": (
        f"UPDATE turn SET call = 3, version = 4, marks = 0 WHERE {MIDDLE}",
        {"b": LINES, "c": "its record belongs to another call"},
    ),
    "a trace is emptied": (f"UPDATE turn SET trace = '[]' WHERE {MIDDLE}", {"b": LINES}),
    "a record is unreadable": (f"UPDATE turn SET rest = '\\xc1' WHERE {MIDDLE}", {"b": "its record has an invalid"}),
    "a recording lost its name": (
        "UPDATE turn SET media = NULL WHERE call = 2",
        {"b": "a recording has lost its name"},
    ),
    "a recording has another name": (
        "UPDATE turn SET media = 'PIECE' WHERE call = 2 AND media IS NOT NULL",
        {"b": "a recording has lost its name"},
    ),
}


@pytest.mark.parametrize("what", TURNS)
async def test_what_is_missing_or_anothers_is_found(shared: PostgresWorld, what: str) -> None:
    for name in "abc":
        record = fresh(name)
        for steps in ([line()], [recorded(f"{name}.wma"), line(2)], [line(3)]):
            commit = after(record, *steps)
            await shared.store.commit(commit)
            record = commit.record
    sql, expected = TURNS[what]
    await damage(shared, sql)
    found = {one.key.id: one.what for one in await found_in(shared.archive, sealed=False)}
    assert found.keys() == expected.keys()
    assert all(found[name].startswith(begins) for name, begins in expected.items()), found
    assert "PIECE" not in repr(found)
