"""What a bot is told of a call that it ordered, until somebody answers (protocol 26): that it rings, that nobody did.

No callback is known yet, so it goes to the bot's calling webhook. Once somebody has answered, `Platform.holding` holds
the call; from then on all is as in every call.
"""

from ivr.engine.line_facts import LineFacts
from ivr.phone.net.exchange import MessageExchange, NotDelivered, Notifications
from ivr.phone.wire import reports


class OrderNews:
    """Tells of one ordered call."""

    def __init__(self, call: str, *, url: str, exchange: MessageExchange) -> None:
        """`call` is the id under which the bot ordered it, `url` the bot's calling webhook."""
        self._id = call
        self._url = url
        self._exchange = exchange
        self._beside = Notifications(exchange)
        self._beside.url = url
        self._rung = False

    def ringing(self) -> None:
        """Let the bot know that the other side is rung, beside the call: nothing waits for it. Once is enough."""
        if not self._rung:
            self._rung = True
            self._beside.post(reports.notification(self._id, "establishing"))

    async def not_answered(self, line: LineFacts) -> bool:
        """Let the bot know that nobody answered; return whether it took that. `line` has the status, and why.

        It comes after what was told before, and is repeated like every message (protocol 14).
        """
        await self._beside.sent()
        try:
            await self._exchange.send(self._url, reports.notification(self._id, "terminated", line=line))
        except NotDelivered:
            return False
        return True

    async def close(self) -> None:
        """Let go of what is still on its way."""
        await self._beside.close()
