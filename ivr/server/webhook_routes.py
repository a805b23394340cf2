"""Which address leads to which channel: a handful of exact ones needs no router, which would cost on every webhook."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from ivr.ports import Endpoint

LONGEST_NAME = 100
"Characters of a flow's name in an address."


class HasEndpoints(Protocol):
    """The part of a channel that routes need."""

    name: str

    @property
    def endpoints(self) -> Sequence[Endpoint]:
        """Where its platform posts."""


class Route(Struct, frozen=True):
    """Where an address leads."""

    channel: str
    endpoint: Endpoint
    flow: str | None = None
    "The flow that the address asks for; none: the server's own choice."


class WebhookRoutes:
    """All addresses at which platforms post."""

    def __init__(self, channels: Iterable[HasEndpoints]) -> None:
        """Know the addresses of some channels; raise ValueError where they cannot be."""
        self._exact: dict[str, Route] = {}
        for channel in channels:
            for endpoint in channel.endpoints:
                if endpoint.path in self._exact:
                    raise ValueError(f"two endpoints have the address {endpoint.path}")
                if ("multipart" in endpoint.bodies) != (endpoint.form is not None):
                    raise ValueError(f"{endpoint.path} takes multipart bodies if it says what they hold, and only then")
                self._exact[endpoint.path] = Route(channel.name, endpoint)

    def find(self, path: str) -> Route | None:
        """Return where a path leads, which is decoded and has no query; None: to no channel."""
        if route := self._exact.get(path):
            return route
        above, _, name = path.rpartition("/")
        route = self._exact.get(above)
        if route is None or not route.endpoint.named or not 0 < len(name) <= LONGEST_NAME:
            return None
        return Route(route.channel, route.endpoint, name)
