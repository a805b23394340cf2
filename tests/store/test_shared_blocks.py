"""Calls by the thousand, where many servers number them: what has changed in a block is seen, whoever was faster."""

from collections.abc import Sequence

import pytest

from ivr.storage import Block, FlowCalls
from ivr.store.live import BLOCK
from tests.store.postgres_world import PostgresWorld

MONTH = 197001
FLOW = "f" * 64


def begun(shared: PostgresWorld, *rows: int, started: float | None = None) -> None:
    """Let calls of these numbers have come in, each at the time of its number if no other is said."""
    shared.ask(
        "INSERT INTO call (row, id, channel, account, name, month, version, due, started, flow) "
        "SELECT n, lpad(n::text, 32, '0'), 'skype', 'app', n::text, $2, 1, 9e9, coalesce($3, n::float8), $4 "
        "FROM unnest($1::bigint[]) AS n",
        list(rows), MONTH, started, FLOW,
    )  # fmt: skip


async def blocks(shared: PostgresWorld, since: float = float("-inf")) -> Sequence[Block]:
    return await shared.archive.blocks(since)


async def test_blocks_are_the_newest_first_and_a_period_begins_within_one(shared: PostgresWorld) -> None:
    begun(shared, 1, 2, BLOCK - 1, BLOCK, 3 * BLOCK + 5, 3 * BLOCK + 6)
    assert [(one.number, one.first) for one in await blocks(shared)] == [(3, 3 * BLOCK), (1, BLOCK), (0, 0)]
    assert [(one.number, one.first) for one in await blocks(shared, 2.0)][-1] == (0, 2)
    [last] = await blocks(shared, 3 * BLOCK + 6.0)
    assert (last.number, last.first) == (3, 3 * BLOCK + 6)
    assert await shared.archive.flows(last) == [FlowCalls(FLOW, 1, 3 * BLOCK + 6.0)]
    assert await blocks(shared, 3 * BLOCK + 7.0) == []


@pytest.mark.parametrize("wrong", [0.0, 1e9])
async def test_a_server_whose_clock_is_wrong_hides_no_calls_of_the_others(shared: PostgresWorld, wrong: float) -> None:
    begun(shared, 1, 2, 3, 5, 6)
    begun(shared, 4, 7, started=wrong)
    [block] = await blocks(shared, 3.0)
    assert block.first <= 3
    assert sum(flow.calls for flow in await shared.archive.flows(block)) >= 5


async def test_of_two_calls_the_one_that_is_numbered_later_may_be_there_first(shared: PostgresWorld) -> None:
    begun(shared, 1, 2, 3)
    begun(shared, 5, started=4.0)
    begun(shared, 4, started=4.5)
    [block] = await blocks(shared, 4.0)
    assert block.first == 4


async def test_one_that_comes_late_does_not_make_up_for_one_that_goes(shared: PostgresWorld) -> None:
    begun(shared, 1, 2, 3, 5)
    [before] = await blocks(shared)
    assert [before] == await blocks(shared)
    begun(shared, 4)
    shared.ask("DELETE FROM call WHERE row = 2")
    [after] = await blocks(shared)
    assert after.taken != before.taken


async def test_a_turn_changes_its_own_block_and_not_which_calls_it_holds(shared: PostgresWorld) -> None:
    begun(shared, 1, BLOCK)
    before = await blocks(shared)
    shared.ask("UPDATE call SET version = version + 1 WHERE row = $1", BLOCK)
    after = await blocks(shared)
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]
    assert [one.taken for one in before] == [one.taken for one in after]
