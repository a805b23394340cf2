"""A database that is restarted, cut off, or replaced by its standby, while callers are on the phone."""

from pathlib import Path

import pytest

from tests.chaos import faults
from tests.chaos.books import Tally, judged
from tests.chaos.world import world
from tests.phone.calling import Signer

pytestmark = pytest.mark.real_time


def nothing_was_done_twice(tally: Tally) -> None:
    """No server was taken for dead: so each has carried out what it had, once."""
    assert (tally.unanswered, tally.listened_again, tally.notices_again) == (0, 0, 0)


async def test_the_database_is_restarted_and_crashes(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer) as one:
        async with one.callers():
            await one.more()
            await faults.restart_database(one)
            await faults.crash_database(one)
        nothing_was_done_twice(await judged(one))


async def test_the_network_to_the_database_breaks_off_and_falls_silent(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer) as one:
        async with one.callers():
            await one.more()
            await faults.break_off(one)
            await faults.fall_silent(one)
        nothing_was_done_twice(await judged(one))


async def test_the_standby_takes_over_and_has_all_that_was_acknowledged(tmp_path: Path, signer: Signer) -> None:
    async with world(tmp_path, signer, standby=True) as one:
        async with one.callers():
            await one.more()
            await faults.stop_standby(one)
            await faults.fail_over(one)
        nothing_was_done_twice(await judged(one))
