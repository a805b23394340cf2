"""A carrier of the TwiML family: places calls at one bot, any number at a time.

    carrier = TwimlCarrier(bot, account)
    result = await carrier.place(TurnBased(person, SIMULATED), TwimlCallPlan(Target("https://bot.example/twilio/call")))

`bot` is whatever answers (`ivr.carriers.bot.Bot`): `WebBot` over HTTP, or a server in this process, without a socket.
With `TurnBased` time is simulated: a call of minutes takes as long as the bot needs for its answers.
"""

import asyncio

from msgspec import Struct

from ivr.carriers.bot import Bot
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.carriers.twiml.call_plan import TwimlCallPlan
from ivr.carriers.twiml.carried_call import CarriedCall
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.delivery import PATIENCE, Delivery
from ivr.media.recorder import Recorder
from ivr.media.sound import SilentRenderer, Sound
from ivr.phone.handset import Handset
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Ended

SIMULATED = Sound(SilentRenderer(), Recorder(encodes=False))
"For callers in simulated time: prompts take as long as they would, recordings hold a tone."
WELL_BEHAVED = Misbehaviour()
LIMITS = PhoneLimits()


class TwimlCallResult(Struct, frozen=True):
    """What became of a call."""

    sid: str
    ended: Ended
    findings: tuple[str, ...]
    "What the bot did that it must not do, in sentences."
    requests: int
    "That were sent."


class TwimlCarrier:
    """Places calls."""

    def __init__(
        self,
        bot: Bot,
        account: CarrierAccount,
        *,
        misbehaviour: Misbehaviour = WELL_BEHAVED,
        limits: PhoneLimits = LIMITS,
        patience: float = PATIENCE,
    ) -> None:
        self.account = account
        self._bot = bot
        self._misbehaviour = misbehaviour
        self._limits = limits
        self._patience = patience

    def new_sid(self) -> str:
        """Draw the id of a call."""
        return f"{self.account.profile.call_prefix}{self.account.new_id()}"

    async def place(self, handset: Handset, plan: TwimlCallPlan, *, sid: str | None = None) -> TwimlCallResult:
        """Hold one call to its end.

        If cancelled, the caller hangs up, and the bot is told within `PhoneLimits.parting` seconds.
        """
        sid = sid or self.new_sid()
        delivery = Delivery(
            self._bot,
            self.account,
            misbehaviour=self._misbehaviour,
            tell=handset.tell,
            now=handset.now,
            patience=self._patience,
        )
        one = CarriedCall(
            sid,
            plan,
            handset=handset,
            delivery=delivery,
            account=self.account,
            misbehaviour=self._misbehaviour,
            limits=self._limits,
        )
        call = asyncio.create_task(one.run())
        try:
            ended = await asyncio.shield(call)
            return TwimlCallResult(sid, ended, tuple(delivery.findings), delivery.requests)
        except asyncio.CancelledError:
            handset.hang_up()
            await asyncio.wait({call}, timeout=self._limits.parting)
            raise
        finally:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
