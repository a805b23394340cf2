"""Several who follow turns and jobs, each told in its turn."""

from collections.abc import Sequence

from ivr.engine.events import ServicesEvent
from ivr.server.telemetry.job_watch import DeliveryTry, JobTimes, Watch
from ivr.storage import Order
from ivr.turn_watch import Turn, TurnTimes


class SeveralWatches:
    """`Watch` of several."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches

    def saved(self, turn: Turn, times: TurnTimes) -> None:
        """Pass on a turn that was saved."""
        for watch in self._watches:
            watch.saved(turn, times)

    def not_saved(self, turn: Turn, times: TurnTimes, error: Exception) -> None:
        """Pass on a turn that was not."""
        for watch in self._watches:
            watch.not_saved(turn, times, error)

    def waited(self, call: str, message: str, since: float, until: float) -> None:
        """Pass on a wait for a service."""
        for watch in self._watches:
            watch.waited(call, message, since, until)

    def replied(self, call: str, message: str, arrived: float, now: float) -> None:
        """Pass on a reply."""
        for watch in self._watches:
            watch.replied(call, message, arrived, now)

    def job_done(self, order: Order, times: JobTimes, event: ServicesEvent) -> None:
        """Pass on a job."""
        for watch in self._watches:
            watch.job_done(order, times, event)

    def delivered(self, tried: DeliveryTry) -> None:
        """Pass on a try to deliver something."""
        for watch in self._watches:
            watch.delivered(tried)
