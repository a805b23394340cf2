"""A call that the bot ordered: rung until somebody answers or nobody does, and then held like every other.

| who is called | the bot gets |
| --- | --- |
| is rung (18x) | a notification `establishing`, once, beside the call |
| answers | the Conversation, `established`; from then on all is as in `gateway_call` |
| is busy, declines, cannot be reached | a notification `terminated` with the SIP status |
| does not answer in time | the same with 487; a CANCEL goes out, and an answer that crosses it is hung up |
| asks for a password that is not known | the same with 401 or 407 |
| nothing comes from there at all | the same with 503 |
| the gateway cannot place it, or ends | the same with 500 |
| answers, and the bot is away or does not know the call | the apology is heard, BYE |
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.destinations import why_not_answered
from ivr.engine.line_facts import LineFacts
from ivr.errors import IvrError
from ivr.gateway.gateway_call import CallPlan, CallServices, GatewayCall, log_end
from ivr.gateway.metrics import End
from ivr.gateway.order_book import PlacedOrder
from ivr.phone.order_news import OrderNews
from ivr.phone.placed_call import Caller
from ivr.sip.addresses import host_port
from ivr.useragent.call_leg import CallLeg, NotAnswered
from ivr.useragent.transports import Unreachable
from ivr.useragent.user_agent import UserAgent

log = logging.getLogger(__name__)

RANG_OUT: Final = 487
"Request Terminated: the answer that a CANCEL leads to (RFC 3261 9.2)."
NOBODY_THERE: Final = 503
NOT_PLACED: Final = 500
WRONG_PASSWORD: Final = (401, 407)
_ENDS: Mapping[str, End] = {"busy": "busy", "noAnswer": "no-answer", "rejected": "declined", "failed": "failed"}
"By the outcome that the bot makes of the same status."


class _Failure(Struct, frozen=True):
    """Why nobody answered."""

    status: int
    why: str
    "A sentence in our words."
    end: End


class AnsweredCall(GatewayCall):
    """An ordered call from its answer on."""

    left = "called"

    def __init__(
        self, leg: CallLeg, plan: CallPlan, services: CallServices, *, call: str, began: float, over: Callable[[], None]
    ) -> None:
        """`call` is the id of the order, `began` when it was taken, by the loop's clock."""
        phone, apology = services.phone.holding(call), services.apologies.to_called
        super().__init__(leg, plan, services, phone=phone, counts=services.metrics.placed, apology=apology, over=over)
        self._id, self._began = call, began
        self._note_answer()
        if leg.plan is not None:
            self._on_media(leg.plan)

    async def run(self) -> None:
        """Hold the call to its end, and until the bot was told of it."""
        self._session.dial(self._plan.who, bot=self._plan.bot, line=self._look)
        if self._leg.over is not None:  # in the instant of the answer: the bot hears of that, and then of the end
            self._on_ended(self._leg.over)
        await self.hold()


class OrderedCall:
    """One call from its order on. `run` it once."""

    def __init__(
        self, order: PlacedOrder, bot: str, services: CallServices, *, language: str, over: Callable[[], None]
    ) -> None:
        """`bot` is its calling webhook; `over` is called when the line is free: the bot may still have to be told."""
        self._order = order
        self._bot = bot
        self._services = services
        self._language = language
        self._over = over
        self._leg: CallLeg | None = None
        self._call: AnsweredCall | None = None
        self._began = asyncio.get_running_loop().time()
        self._draining = False
        self._settled = False

    async def run(self, agent: UserAgent) -> None:
        """Place the call, hold it to its end, and until the bot was told of it."""
        news = self._services.phone.news_of(self._order.id, bot=self._bot)
        try:
            found = await self._answered(agent, news)
            if isinstance(found, _Failure):
                await self._not_answered(found, news)
            else:
                self._call = self._begun(found)
                await self._call.run()
        finally:
            if self._call is None:
                self._give_up()
            await news.close()

    def drain(self) -> None:
        """End the call, since the gateway ends."""
        self._draining = True
        if self._call is not None:
            self._call.drain()
        elif self._leg is not None:
            self._leg.hang_up()

    async def _answered(self, agent: UserAgent, news: OrderNews) -> CallLeg | _Failure:
        """Ring until somebody answers, or nobody does."""
        route = self._order.route
        try:
            leg = self._leg = await agent.dial(
                route.uri, route.hop, caller=route.caller, credentials=route.credentials, headers=route.headers,
                on_ringing=lambda _: news.ringing(),
            )  # fmt: skip
        except Unreachable as error:
            return _Failure(NOBODY_THERE, str(error), "unreachable")
        except (IvrError, OSError) as error:
            return _Failure(NOT_PLACED, str(error), "failed")
        if self._draining:
            leg.hang_up()
        try:
            async with asyncio.timeout(self._order.ring):
                await leg.answered()
        except NotAnswered as failure:
            return self._failure(failure)
        except TimeoutError:
            if not leg.established:  # else the answer came in the last instant
                leg.hang_up()
                return await self._rung_in_vain(leg)
        return leg

    async def _rung_in_vain(self, leg: CallLeg) -> _Failure:
        try:
            await leg.answered()
        except NotAnswered as failure:
            if failure.silent:
                return self._failure(failure)
        return _Failure(RANG_OUT, f"nobody answered in {self._order.ring:g} s", "no-answer")

    def _failure(self, failure: NotAnswered) -> _Failure:
        """Put what became of the INVITE into our words; the other side's own are hostile."""
        hop = self._order.route.hop
        if self._draining:
            return _Failure(NOT_PLACED, "the gateway ends", "drained")
        if failure.silent:
            return _Failure(NOBODY_THERE, f"nobody answers at {host_port(hop.host, hop.port)}", "unreachable")
        if failure.status in WRONG_PASSWORD:
            log.warning("trunk wants another password", extra={"status": failure.status, "trunk": self._facts.trunk})
        end = _ENDS.get(why_not_answered(failure.status), "unreachable")
        return _Failure(failure.status, f"the answer was {failure.status}", end)

    async def _not_answered(self, failure: _Failure, news: OrderNews) -> None:
        self._settle(failure.end, failure.why)
        if not await news.not_answered(replace(self._facts, status=failure.status, ended=failure.why)):
            log.warning("bot not told", extra={"platform_call": self._order.id, "status": failure.status})

    def _begun(self, leg: CallLeg) -> AnsweredCall:
        who = Caller(self._order.target, self._order.route.shown, self._language)
        plan = CallPlan(self._bot, who, self._facts, self._order.route.shown)
        return AnsweredCall(leg, plan, self._services, call=self._order.id, began=self._began, over=self._over)

    @property
    def _facts(self) -> LineFacts:
        hop = self._order.route.hop
        host, port = (hop.host, hop.port) if self._leg is None else self._leg.link.remote
        return LineFacts(kind="sip", trunk=host_port(host, port), transport=hop.transport, called=self._order.target)

    def _give_up(self) -> None:
        """Leave nobody ringing: whatever happened, and if this is cancelled."""
        if self._leg is not None:
            self._leg.hang_up()
        if self._draining:
            self._settle("drained", "the gateway ends")
        else:
            self._settle("failed", "a fault of ours: see the log")

    def _settle(self, end: End, reason: str) -> None:
        """Count a call that nobody answered, and log it."""
        if self._settled:
            return
        self._settled = True
        self._services.metrics.placed.ended[end] += 1
        seconds = asyncio.get_running_loop().time() - self._began
        log_end(end, reason, seconds, call=self._order.id, caller=self._order.route.shown, facts=self._facts)
        self._over()
