"""A jambonz with one application on it: places calls at a bot, and makes those that the bot orders.

carrier = JambonzCarrier(bot, Application("http://127.0.0.1:8080/jambonz/call"), HookAccount("secret"))
ended = await carrier.place(TurnBased(person, sound))
"""

import time
from collections.abc import Callable
from uuid import uuid4

from msgspec import structs

from ivr.carriers.bot import Bot
from ivr.carriers.jambonz.call_info import CallFacts
from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.call_order import FAILURES, Callee, CallOrder, detections, number_of
from ivr.carriers.jambonz.caller_stream import Streams
from ivr.carriers.jambonz.hook_delivery import PATIENCE, HookAccount, HookDelivery, Pause, no_pause
from ivr.carriers.jambonz.jambonz_call import LIMITS, NO_MISDEEDS, JambonzCall
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.line import CallerLeft
from ivr.phone.handset import Handset
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Dialled, Ended, StateChanged

CALLER = "+4930901820"
CALLED = "+498999998100"
"Numbers that are given to nobody, for films (Bundesnetzagentur)."


class JambonzCarrier:
    """Any number of calls, for one application of one account."""

    def __init__(
        self,
        bot: Bot,
        application: Application,
        account: HookAccount,
        *,
        streams: Streams | None = None,
        misbehaviour: Misbehaviour = NO_MISDEEDS,
        limits: PhoneLimits = LIMITS,
        pause: Pause = no_pause,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        """`pause` waits before a repeat, `clock` gives seconds since 1970, `new_id` draws a UUID."""
        self.findings: list[str] = []
        "What the bot did that it must not do, in all calls."
        self.requests = 0
        "That were sent, in all calls."
        self._bot = bot
        self._application = application
        self._account = account
        self._streams = streams
        self._misbehaviour = misbehaviour
        self._limits = limits
        self._pause = pause
        self._clock = clock
        self.new_id = new_id

    def facts(self, caller: str = CALLER, called: str = CALLED) -> CallFacts:
        """Return what there is to know of a new call that comes in."""
        sid = self.new_id()
        return CallFacts(sid, call_id=f"sip-{sid}", caller=caller, called=called)

    async def place(
        self, handset: Handset, *, facts: CallFacts | None = None, application: Application | None = None
    ) -> Ended:
        """Hold a call that comes in to its end; `application` is another than the carrier's own.

        Never raises for anything that the bot does.
        """
        application = application or self._application
        delivery = self._delivery(application, handset)
        call = JambonzCall(
            facts or self.facts(),
            application,
            handset=handset,
            delivery=delivery,
            streams=self._streams,
            misbehaviour=self._misbehaviour,
            limits=self._limits,
        )
        return self._noted(await call.run(), delivery)

    async def make(self, order: CallOrder, callee: Callee, handset: Handset, *, sid: str = "") -> Ended:
        """Make a call that the bot has ordered, and hold it to its end; whoever answers has the handset."""
        sid = sid or self.new_id()
        application = Application(order.call_hook, order.call_status_hook)
        facts = CallFacts(
            sid,
            call_id=f"sip-{sid}",
            direction="outbound",
            caller=order.from_,
            called=number_of(order),
            tag=order.tag,
        )
        delivery = self._delivery(application, handset)
        rings = min(callee.rings, order.timeout)
        answered = callee.answers in ("human", "machine") and callee.rings <= order.timeout
        began = handset.now()
        call = JambonzCall(
            facts,
            application,
            handset=handset,
            delivery=delivery,
            streams=self._streams,
            misbehaviour=self._misbehaviour,
            detections=detections(order, callee, began + rings) if answered else (),
            limits=structs.replace(self._limits, call_length=order.time_limit) if order.time_limit else self._limits,
        )
        handset.tell(Dialled(sid, delivery.base))
        call.machine.changes("trying", 100)
        call.machine.changes("ringing", 180)
        await call.settle()
        cancelled = not await _rung(handset, began + rings)
        if answered and not cancelled:
            call.machine.connected(handset.now())
        else:
            failure = "nobody" if answered or callee.answers in ("human", "machine") else callee.answers
            call.machine.fails(*FAILURES[failure])
        handset.tell(StateChanged("incoming"))
        return self._noted(await call.hold(), delivery)

    def _delivery(self, application: Application, handset: Handset) -> HookDelivery:
        hook = application.call_hook
        return HookDelivery(
            self._bot,
            self._account,
            base=hook if isinstance(hook, str) else hook.url,
            misbehaviour=self._misbehaviour,
            tell=handset.tell,
            now=handset.now,
            patience=min(PATIENCE, self._limits.answer_time),
            pause=self._pause,
            clock=self._clock,
        )

    def _noted(self, ended: Ended, delivery: HookDelivery) -> Ended:
        self.findings += delivery.findings
        self.requests += delivery.requests
        return ended


async def _rung(handset: Handset, until: float) -> bool:
    """Let it ring; return False if the call is given up meanwhile."""
    while handset.now() < until:
        if isinstance(await handset.next(until), CallerLeft):
            return False
    return True
