"""A call that came in: what the caller gets before it is answered, and instead of an answer.

| the bot | the caller gets |
| --- | --- |
| answers | 200, and sound from then on |
| rejects | 603 |
| transfers the call | 302 |
| serves no such flow (404 to the first message) | 404 |
| does not answer a message | it rings on, while the message is sent again |
| still does not answer it | an answer, the apology, BYE; 503 if there is no apology |
| ends the call in another way | 480 |

A caller who gives up is told to the bot (`callTerminated`).
"""

from collections.abc import Callable

from ivr.engine.commands import Transfer
from ivr.errors import IvrError
from ivr.gateway.gateway_call import BAD_ADDRESS, CallPlan, CallServices, GatewayCall
from ivr.gateway.metrics import End
from ivr.gateway.whispers import with_whisper
from ivr.sip.addresses import MalformedAddress
from ivr.useragent.call_leg import CallLeg


class TakenCall(GatewayCall):
    """One call that came in. `run` it once."""

    left = "caller"

    def __init__(self, leg: CallLeg, plan: CallPlan, services: CallServices, *, over: Callable[[], None]) -> None:
        """`over` is called when the leg has ended; the bot may still have to be told."""
        metrics, apology = services.metrics, services.apologies.to_callers
        super().__init__(leg, plan, services, phone=services.phone, counts=metrics.taken, apology=apology, over=over)

    async def run(self) -> None:
        """Hold the call to its end, and until the bot was told of it."""
        if self._leg.over is not None:
            return
        self._leg.ring()
        self._session.dial(self._plan.who, bot=self._plan.bot, line=self._look)
        await self.hold()

    async def _established(self) -> None:
        try:
            await self._leg.answer()
        except (IvrError, OSError) as error:  # the caller has got a 503
            self._end, self._reason = "failed", str(error)
            self._session.hang_up()
            return
        if self._leg.over is None:
            self._note_answer()

    async def _finish(self, end: End, reason: str) -> None:
        if self._answered is not None or end == "bot-away":
            await super()._finish(end, reason)
        else:
            self._reject(end, reason)

    def _reject(self, end: End, reason: str) -> None:
        self._end, self._reason = end, reason
        match end:
            case "rejected":
                self._leg.reject(603, "Decline")
            case "not-found":
                self._leg.reject(404, "Not Found")
            case _:
                self._leg.reject(480, "Temporarily Unavailable")

    async def _apologise(self, end: End, reason: str) -> None:
        """Answer if need be, for the apology to be heard."""
        self._end, self._reason = end, reason
        if self._answered is None and not self._apology:
            self._leg.reject(503, "Service Unavailable")
            return
        if self._answered is None:
            await self._established()
        await super()._apologise(end, reason)

    async def _connect(self, command: Transfer) -> int:
        """Send a caller who was not answered there (302)."""
        if self._answered is not None:
            return await super()._connect(command)
        before, self._end = self._end, "transferred"  # known before the leg ends
        try:
            self._leg.redirect(with_whisper(command.target, command.whisper))
        except MalformedAddress:
            self._end = before
            return BAD_ADDRESS
        return 200
