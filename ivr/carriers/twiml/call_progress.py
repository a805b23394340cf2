"""How far a call is: what the status callback is told, what the API shows, and the ringing of an ordered call."""

from collections.abc import Mapping
from contextlib import suppress
from email.utils import formatdate
from math import ceil
from typing import Final

from ivr.carriers.bot import BotFailed
from ivr.carriers.twiml.call_plan import Callee, CallNumbers, CallStatus, call_form
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.delivery import Delivery
from ivr.line import CallerLeft
from ivr.phone.handset import Handset

EVENTS: Final[Mapping[CallStatus, str]] = {
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
}
"The event that tells a status; every other one is told by `completed`."
UNANSWERED: Final[Mapping[str, tuple[CallStatus, str]]] = {
    "busy": ("busy", "486"),
    "noAnswer": ("no-answer", "480"),
    "rejected": ("busy", "603"),
    "unreachable": ("failed", "404"),
}
"What a carrier says, and the SIP status behind it."
DETECTION_TIME = 3.0
"Seconds after the answer in which a machine is told from a human."


class CallProgress:
    """How far one call is."""

    def __init__(self, numbers: CallNumbers, *, delivery: Delivery, handset: Handset, account: CarrierAccount) -> None:
        self.answered_at: float | None = None
        "By the handset's clock."
        self._numbers = numbers
        self._delivery = delivery
        self._handset = handset
        self._account = account
        self._told = 0
        self._over = False

    @property
    def status(self) -> CallStatus:
        """The status that requests for documents have."""
        return "ringing" if self.answered_at is None else "in-progress"

    def answer(self) -> None:
        """Note that the call is answered."""
        self.answered_at = self._handset.now()
        self._account.note(self._numbers, "in-progress", 0)

    async def tell(self, status: CallStatus, more: Mapping[str, str]) -> None:
        """Let the bot know of a status, if it wants to."""
        plan = self._numbers.plan
        self._account.note(self._numbers, status, self._seconds())
        wanted = EVENTS.get(status, "completed") in plan.status_events
        target = plan.rings if status == "ringing" and plan.rings else plan.status if wanted else None
        if target is None:
            return
        form = {
            **call_form(self._numbers, status),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._told),
            "Timestamp": formatdate(usegmt=True),
            **more,
        }
        self._told += 1
        with suppress(BotFailed):
            await self._delivery.ask(target, form)

    async def tell_end(self, status: CallStatus, sip: str = "200") -> None:
        """Let the bot know that the call is over, once."""
        if not self._over:
            self._over = True
            seconds = str(self._seconds())
            await self.tell(status, {"CallDuration": seconds, "Duration": seconds, "SipResponseCode": sip})

    async def ring(self, callee: Callee) -> tuple[CallStatus, str] | None:
        """Ring at the callee's; None: somebody has answered, else what a carrier says, and the SIP status."""
        await self.tell("initiated", {})
        await self.tell("ringing", {})
        allowed = self._numbers.plan.ringing
        until = self._handset.now() + min(callee.ring, allowed)
        while self._handset.now() < until:
            if isinstance(await self._handset.next(until), CallerLeft):
                return "canceled", "487"
        if callee.ring >= allowed:
            return "no-answer", "487"
        if callee.answers in UNANSWERED:
            return UNANSWERED[callee.answers]
        self.answer()
        await self.tell("in-progress", {})
        return None

    async def detect(self, callee: Callee) -> Mapping[str, str]:
        """Return what the first document is asked with where it waits for the detection; else let the bot know."""
        plan = self._numbers.plan
        if plan.detection is None:
            return {}
        found = {
            "AnsweredBy": callee.answers
            if callee.answers != "machine"
            else "machine_start"
            if plan.detection == "Enable"
            else "machine_end_beep",
            "MachineDetectionDuration": str(round(1000 * DETECTION_TIME)),
        }
        if plan.detected is None:
            return found
        with suppress(BotFailed):
            await self._delivery.ask(
                plan.detected, {"AccountSid": self._account.sid, "CallSid": self._numbers.sid, **found}
            )
        return {}

    def _seconds(self) -> int:
        return 0 if self.answered_at is None else ceil(self._handset.now() - self.answered_at)
