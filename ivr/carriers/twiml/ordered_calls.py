"""Calls that a bot has ordered through the API: each is a task of its own, until it is over."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from ivr.carriers.twiml.call_plan import Callee, CallNumbers, TwimlCallPlan
from ivr.carriers.twiml.carrier_api import CarrierApi
from ivr.carriers.twiml.plivo_api import PlivoApi
from ivr.carriers.twiml.twiml_carrier import TwimlCallResult, TwimlCarrier
from ivr.phone.handset import Handset


class OrderedCalls:
    """The calls of one carrier."""

    def __init__(
        self,
        carrier: TwimlCarrier,
        *,
        answer: Callable[[str], tuple[Callee, Handset]],
        over: Callable[[Handset, TwimlCallResult], None] = lambda handset, result: None,
    ) -> None:
        """`answer`: who is at a number, and their handset, once for each call; `over` is told what became of it."""
        api = PlivoApi if carrier.account.profile.dialect == "Plivo XML" else CarrierApi
        self.api: CarrierApi | PlivoApi = api(carrier.account, place=self._place, hang_up=self._hang_up)
        self._carrier = carrier
        self._answer = answer
        self._over = over
        self._calls: dict[str, tuple[Handset, asyncio.Task[None]]] = {}

    async def all_over(self) -> None:
        """Wait until no call is left."""
        while self._calls:
            await asyncio.wait([call for _, call in self._calls.values()])

    async def close(self) -> None:
        """Hang up whatever is left."""
        left = [call for _, call in self._calls.values()]
        for call in left:
            call.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _place(self, plan: TwimlCallPlan) -> str:
        sid, account = self._carrier.new_sid(), self._carrier.account
        callee, handset = self._answer(plan.called)
        plan = replace(plan, callee=callee)
        account.note(CallNumbers(sid, account.sid, plan), "queued", 0)
        call = asyncio.create_task(self._hold(sid, handset, plan))
        self._calls[sid] = handset, call
        call.add_done_callback(lambda _: self._calls.pop(sid, None))
        return sid

    def _hang_up(self, sid: str) -> bool:
        if sid not in self._calls:
            return False
        handset, _ = self._calls[sid]
        handset.hang_up()
        return True

    async def _hold(self, sid: str, handset: Handset, plan: TwimlCallPlan) -> None:
        self._over(handset, await self._carrier.place(handset, plan, sid=sid))
