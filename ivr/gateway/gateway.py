"""The calls of a gateway: each that comes in becomes a session with its bot, and in the end all are drained."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Iterable

from ivr.engine.line_facts import LineFacts
from ivr.gateway.admission import AdmissionPolicy, AdmissionRules
from ivr.gateway.gateway_call import CallPlan, CallServices, GatewayCall
from ivr.gateway.metrics import Metrics
from ivr.gateway.numbers import NumberPlan
from ivr.gateway.taken_call import TakenCall
from ivr.phone.placed_call import Caller
from ivr.sip.caller_identity import call_parties, called_number
from ivr.sip.media_plan import CodecName
from ivr.sip.message import Request
from ivr.useragent.call_leg import CallLeg

log = logging.getLogger(__name__)

ANONYMOUS = "anonymous"
"The caller, for the bot, where the number is withheld (RFC 3323 4.1.1.3)."
UNKNOWN = "unknown"
"The same where From has neither a number nor a name, or nobody was called by one; nobody may be blank (protocol 4.1)."
PARTING = 5.0
"Seconds that bots have to hear of calls that were hung up by draining."


class Gateway:
    """Takes calls, as soon as it has `services`."""

    def __init__(self, plan: NumberPlan, rules: AdmissionRules, *, language: str) -> None:
        self.plan = plan
        self.metrics = Metrics()
        self.policy = AdmissionPolicy(
            rules,
            secret=secrets.token_bytes(32),
            served=self._serves,
            refused=lambda why: self.metrics.refused.update((why,)),
        )
        self.services: CallServices | None = None
        self._language = language
        self._calls: dict[asyncio.Task[None], GatewayCall] = {}

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
        task = asyncio.create_task(call.run())
        self._calls[task] = call
        task.add_done_callback(self._done)

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

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._calls[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call failed", exc_info=error)


def codecs_now(legs: Iterable[CallLeg]) -> Counter[CodecName]:
    """Count the calls by codec."""
    return Counter(leg.plan.codec for leg in legs if leg.plan is not None)
