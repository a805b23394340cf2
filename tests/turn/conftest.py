"""Both ways through a turn."""

from functools import partial

import pytest

from tests.turn.house import House, Houses


@pytest.fixture(params=[False, True], ids=["take", "take_now"])
def house_of(request: pytest.FixtureRequest) -> Houses:
    """Make a house whose messages are taken by `take` alone, or at once where that can be."""
    return partial(House, at_once=request.param)
