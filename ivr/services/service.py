"""What the worker promises a service, and what a service promises the worker.

A service may be asked the same thing twice after a crash; the call's id and the job are the key by which it can tell.
"""

from typing import Protocol

from ivr.engine.events import HttpAnswered, RecordingReady, ServiceAnswered, SignInBegun, SignInChecked
from ivr.errors import IvrError
from ivr.storage import Order


class ServiceError(IvrError):
    """A service's "no"; `code` is what the flow sees (`ServiceFailed.code`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Service(Protocol):
    """Something outside that a call may wait for."""

    async def run(self, order: Order) -> ServiceAnswered | HttpAnswered | RecordingReady | SignInBegun | SignInChecked:
        """Carry out an order and return its answer; raise ServiceError if it cannot be done."""
