"""What the workers tell of jobs and deliveries to whoever counts or traces them: after the fact, like turns."""

from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.engine.events import ServicesEvent
from ivr.storage import Order
from ivr.turn_watch import TurnWatch

DeliveryKind: TypeAlias = Literal["notification", "platform_request"]
"What is delivered."
DeliveryResult: TypeAlias = Literal["sent", "failed", "dead"]
"What became of one try: `failed` is tried again, `dead` is not."


class JobTimes(Struct, frozen=True):
    """When the parts of one run of a job were, in seconds since 1970."""

    began: float
    "The worker had claimed it."
    answered: float
    "The service had answered, or failed."
    saved: float
    "The answer was saved."


class DeliveryTry(Struct, frozen=True):
    """One try to deliver what a call had ordered."""

    kind: DeliveryKind
    call: str
    job: str
    "The order's name within the call."
    began: float
    "In seconds since 1970, like its end."
    ended: float
    result: DeliveryResult


class JobWatch(Protocol):
    """Who follows jobs; called in the event loop, and never to wait or to raise."""

    def job_done(self, order: Order, times: JobTimes, event: ServicesEvent) -> None:
        """Note a job whose answer was saved."""

    def delivered(self, tried: DeliveryTry) -> None:
        """Note a try to deliver something."""


class Watch(TurnWatch, JobWatch, Protocol):
    """Who follows both."""
