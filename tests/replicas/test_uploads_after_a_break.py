"""An end that waits for recordings at other servers, where the store was away and nobody could tell of them."""

from ivr.coordination import LocalCoordination
from ivr.ports import CallKey
from ivr.server.arrivals import TOLD, Arrivals

KEY = CallKey("sim", "app", "call")


class ComingBack(LocalCoordination):
    alone = False
    steady_for = 0.0


async def test_an_end_is_put_off_until_the_store_was_there_long_enough_to_be_told() -> None:
    coordination = ComingBack(lambda: 100.0)
    arrivals = Arrivals(coordination, now=lambda: 100.0)
    assert await arrivals.under_way(KEY, before=50.0), "one at another server could not be told of"
    coordination.steady_for = TOLD
    assert not await arrivals.under_way(KEY, before=50.0)
