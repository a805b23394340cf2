"""What the turns of a server ask of what stands around them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from ivr.engine.flow import Flow
from ivr.ports import CallKey


class Flows(Protocol):
    """The flows that can be called, and those that calls under way still need."""

    def choose(self, name: str | None, called: str) -> Flow:
        """Pick the flow for a new call: by name, by called identity, or the default; raise WebhookError 404."""

    def held(self, flow_hash: str) -> Flow | None:
        """Return the flow that a running call began with, if it is in memory."""

    async def get(self, flow_hash: str) -> Flow:
        """Return the flow that a running call began with."""


class Jobs(Protocol):
    """The worker that carries out orders to services."""

    def kick(self) -> None:
        """Look for new orders soon: some were committed."""

    async def settled(self, call: str, timeout: float) -> None:  # noqa: ASYNC109
        """Return when an answer for this call lies in its inbox, or after `timeout` seconds."""


class Deliveries(Protocol):
    """A worker that delivers what calls have ordered, and that no call waits for."""

    def kick(self) -> None:
        """Look for something to deliver soon: some was committed."""


class NoDeliveries:
    """Nobody delivers anything: it waits in the store."""

    def kick(self) -> None:
        """Do nothing."""


class Uploads(Protocol):
    """The recordings that are on their way in."""

    async def under_way(self, key: CallKey, *, before: float) -> bool:
        """Return whether one that began before then (seconds since 1970) is this call's, or may be."""


class Closings(Protocol):
    """What the operator has closed."""

    def of(self, calendars: Iterable[str]) -> Mapping[str, str]:
        """Return those of some calendars that are closed now, each with its notice, which may be empty."""
