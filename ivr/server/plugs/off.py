"""A channel that is off: its calls that were under way may still be stored, and have to come to an end."""

from collections.abc import Sequence
from typing import Literal

from ivr.capabilities import Capabilities
from ivr.engine.commands import LineCommand
from ivr.errors import WebhookError
from ivr.ports import Endpoint, Exchange, Incoming, Leg, WebhookReply, WebhookRequest


class ChannelThatIsOff:
    """Says nothing, and is told nothing: what is left of its calls is closed once they have been silent too long."""

    reads: frozenset[str] = frozenset()
    endpoints: Sequence[Endpoint] = ()

    def __init__(self, name: str, can: Capabilities) -> None:
        self.name = name
        self.can = can

    def decode(self, request: WebhookRequest) -> Sequence[Incoming] | WebhookReply:
        """Refuse every request; raise WebhookError."""
        raise WebhookError(404, "not-found", "Not found.")

    def hear(self, leg: Leg, incoming: Incoming, *, now: float) -> Exchange:
        """Return the leg as it is: nothing is heard."""
        return Exchange(leg)

    def speak(self, leg: Leg, commands: Sequence[LineCommand], *, now: float) -> Exchange:
        """Return the leg as it is: nothing is said."""
        return Exchange(leg)

    def tick(self, leg: Leg, *, now: float) -> Exchange:
        """Return the leg as it is."""
        return Exchange(leg)

    def nothing(self, wants: Literal["commands", "ack"]) -> WebhookReply:
        """Return an empty reply, which nobody gets."""
        return WebhookReply()
