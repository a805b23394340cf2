"""200 calls at once, and everything that can go wrong. `make chaos` goes on with other seeds."""

from pathlib import Path

import pytest

from tests.chaos.tour import tour
from tests.phone.calling import Signer

pytestmark = pytest.mark.real_time


async def test_of_200_calls_at_once_nothing_is_lost_whatever_fails(tmp_path: Path, signer: Signer) -> None:
    tally = await tour(tmp_path, signer, calls=200, seed=1, say=print)
    print(tally)
    counted = (
        tally.repeated,
        tally.doubled,
        tally.recordings,
        tally.large,
        tally.orders,
        tally.listened,
        tally.notices,
    )
    assert min(*counted, *tally.colours.values()) > 0
    assert len(tally.colours) == 2
