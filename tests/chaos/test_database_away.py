"""A database that is restarted, cut off, or replaced by its standby, while callers are on the phone."""

import signal
from pathlib import Path

import pytest

from tests.chaos.books import Tally, judged
from tests.chaos.world import REPLICAS, aside, world
from tests.phone.calling import Signer

pytestmark = pytest.mark.real_time


def nothing_was_done_twice(tally: Tally) -> None:
    """No server was taken for dead: so each has carried out what it had, once."""
    assert (tally.unanswered, tally.listened_again, tally.notices_again) == (0, 0, 0)


async def test_the_database_is_restarted_gently_and_crashes(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, calls=30) as one:
        async with one.callers():
            [database] = one.servers.clusters
            for number in (signal.SIGINT, signal.SIGQUIT):
                await one.more(60)
                await aside(lambda number=number: database.stop(number))
                await one.met()
                await aside(database.start)
            await one.more(60)
        nothing_was_done_twice(await judged(one))


async def test_the_network_to_the_database_breaks_off_and_falls_silent(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, calls=30) as one:
        async with one.callers():
            wires = [wire for wires in one.wires for wire in wires]
            for _ in range(3):
                await one.more(30)
                for wire in wires:
                    wire.break_off()
            await one.more(30)
            for wire in wires:
                wire.go_silent()
            await one.met()
            for wire in wires:
                wire.heal()
            await one.more(60)
        nothing_was_done_twice(await judged(one))


async def test_one_server_is_cut_off_until_it_is_taken_for_dead_and_comes_back(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, calls=30) as one:
        async with one.callers():
            await one.more(60)
            [wire] = one.wires[0]
            wire.go_silent()
            await one.more(60)
            await one.servers_known(REPLICAS - 1)
            wire.heal()
            await one.servers_known(REPLICAS)
            await one.more(60)
        await judged(one)


async def test_the_standby_takes_over_and_has_all_that_was_acknowledged(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, calls=30, standby=True) as one:
        async with one.callers():
            await one.more(90)
            await one.servers.fail_over()
            await one.more(120)
        nothing_was_done_twice(await judged(one))
