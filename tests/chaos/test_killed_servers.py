"""Servers that are killed, stand still for a while, or are replaced, while callers are on the phone."""

from pathlib import Path

import pytest

from tests.chaos import faults
from tests.chaos.books import judged
from tests.chaos.world import world
from tests.phone.calling import Signer

pytestmark = pytest.mark.real_time


async def test_servers_are_killed_one_and_all_and_callers_notice_no_more_than_a_pause(
    tmp_path: Path, signer: Signer
) -> None:
    async with world(tmp_path, signer) as one:
        async with one.callers():
            await faults.kill_servers(one)
        tally = await judged(one)
    assert min(tally.repeated, tally.doubled, tally.recordings, tally.large, tally.orders, tally.notices) > 0


async def test_servers_that_were_taken_for_dead_and_are_not_go_on_and_do_no_harm(
    tmp_path: Path, signer: Signer
) -> None:
    async with world(tmp_path, signer) as one:
        async with one.callers():
            await one.more()
            await faults.take_two_for_dead(one)
        await judged(one)


async def test_an_upgrade_of_tables_and_flow_rolls_forward_and_back_server_by_server(
    tmp_path: Path, signer: Signer
) -> None:
    async with world(tmp_path, signer) as one:
        async with one.callers():
            await one.more()
            await faults.upgrade_and_back(one)
        tally = await judged(one)
    assert min(tally.colours["blue"], tally.colours["green"]) > 0
