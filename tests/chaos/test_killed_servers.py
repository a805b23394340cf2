"""Servers that are killed, or stand still for a while, while callers are on the phone."""

from pathlib import Path

import pytest

from tests.chaos.books import judged
from tests.chaos.world import REPLICAS, world
from tests.phone.calling import Signer

pytestmark = pytest.mark.real_time


async def test_each_of_three_servers_is_killed_and_callers_notice_nothing(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, calls=30) as one:
        async with one.callers():
            for replica in one.replicas:
                await one.more(40)
                await replica.kill()
                await one.more(40)
                await replica.start()
        tally = await judged(one)
        assert min(tally.repeated, tally.doubled, tally.recordings, tally.large, tally.orders, tally.notices) > 0


async def test_a_server_that_stood_still_until_it_was_taken_for_dead_goes_on_and_does_no_harm(
    tmp_path: Path, signer: Signer
) -> None:
    async with world(tmp_path, signer, calls=30) as one:
        async with one.callers():
            await one.more(60)
            one.replicas[0].freeze()
            await one.servers_known(REPLICAS - 1)
            await one.more(20)
            one.replicas[0].thaw()
            await one.servers_known(REPLICAS)
            await one.more(60)
        await judged(one)
