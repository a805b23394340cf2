"""The calls of a gateway: each, taken or ordered, becomes a session with its bot, and in the end all are drained."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Coroutine, Iterable

from ivr.engine.line_facts import LineFacts
from ivr.gateway.admission import AdmissionPolicy, AdmissionRules
from ivr.gateway.gateway_call import CallPlan, CallServices
from ivr.gateway.metrics import Metrics
from ivr.gateway.numbers import NumberPlan
from ivr.gateway.order_book import RESTARTED, CallOrder, Load, NotTaken, OrderBook, OrderRules
from ivr.gateway.ordered_call import OrderedCall
from ivr.gateway.taken_call import TakenCall
from ivr.phone.placed_call import Caller
from ivr.sip.caller_identity import call_parties, called_number
from ivr.sip.media_plan import CodecName
from ivr.sip.message import Request
from ivr.useragent.call_leg import CallLeg
from ivr.useragent.user_agent import UserAgent

log = logging.getLogger(__name__)

ANONYMOUS = "anonymous"
"The caller, for the bot, where the number is withheld (RFC 3323 4.1.1.3)."
UNKNOWN = "unknown"
"The same where From has neither a number nor a name, or nobody was called by one; nobody may be blank (protocol 4.1)."
PARTING = 5.0
"Seconds that bots have to hear of calls that were hung up by draining."


class Gateway:
    """Takes calls, as soon as it has `services`, and places those that are ordered."""

    def __init__(self, plan: NumberPlan, rules: AdmissionRules, orders: OrderRules, *, language: str) -> None:
        self.plan = plan
        self.metrics = Metrics()
        self.policy = AdmissionPolicy(
            rules,
            secret=secrets.token_bytes(32),
            served=self._serves,
            refused=lambda why: self.metrics.refused.update((why,)),
        )
        self.services: CallServices | None = None
        self._orders = OrderBook(orders)
        self._language = language
        self._calls: dict[asyncio.Task[None], TakenCall | OrderedCall] = {}

    def take(self, leg: CallLeg) -> None:
        """Begin a call that came in."""
        number = called_number(leg.invite)
        bot = self.plan.bot_for(number)
        if bot is None or self.services is None:  # the policy has asked before; a gateway that begins is not there yet
            leg.reject(404, "Not Found")
            return
        self.policy.began(leg.link)
        self.metrics.taken.begun += 1
        call = TakenCall(leg, self._planned(leg, number, bot), self.services, over=lambda: self.policy.ended(leg.link))
        self._begin(call, call.run())

    def order(self, order: CallOrder, agent: UserAgent) -> None:
        """Begin a call that the bot orders; one that was ordered before does not begin again. Raise NotTaken."""
        if self.services is None:
            raise NotTaken(503, "draining", "This gateway has not begun yet.", retry_after=RESTARTED)
        now = asyncio.get_running_loop().time()
        placed = self._orders.take(order, now, Load(self.policy.full, self.policy.draining))
        if placed is None:
            return
        self.policy.placed += 1
        self.metrics.placed.begun += 1
        call = OrderedCall(
            placed, self.plan.bot, self.services, language=self._language, over=lambda: self._order_over(placed.id)
        )
        self._begin(call, call.run(agent))

    async def drain(self, patience: float) -> None:
        """Take no more calls, let those that there are end within `patience` seconds, and hang up the rest."""
        self.policy.draining = True
        log.info("draining", extra={"calls": self.metrics.calls})
        if self._calls:
            await asyncio.wait(self._calls, timeout=patience)
        for call in self._calls.values():
            call.drain()
        if self._calls:
            await asyncio.wait(self._calls, timeout=PARTING)

    async def close(self) -> None:
        """Leave nothing running, and let nothing begin."""
        self.policy.draining = True
        tasks = tuple(self._calls)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _planned(self, leg: CallLeg, number: str, bot: str) -> CallPlan:
        parties = call_parties(leg.invite, trusted=leg.trusted)
        host, port = leg.link.remote
        facts = LineFacts(
            kind="sip",
            trunk=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            transport=leg.link.transport,
            called=number or None,
            diverted=parties.diverted_from or None,
            withheld=parties.withheld or None,
        )
        who = Caller(parties.caller or (ANONYMOUS if parties.withheld else UNKNOWN), number or UNKNOWN, self._language)
        return CallPlan(bot, who, facts, None if facts.withheld else who.caller)

    def _serves(self, request: Request) -> bool:
        return self.plan.bot_for(called_number(request)) is not None

    def _order_over(self, call: str) -> None:
        self.policy.placed -= 1
        self._orders.ended(call, asyncio.get_running_loop().time())

    def _begin(self, call: TakenCall | OrderedCall, run: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(run)
        self._calls[task] = call
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._calls[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call failed", exc_info=error)


def codecs_now(legs: Iterable[CallLeg]) -> Counter[CodecName]:
    """Count the calls by codec."""
    return Counter(leg.plan.codec for leg in legs if leg.plan is not None)
