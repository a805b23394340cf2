"""The carriers of TwiML: played by our own emulator in simulated time, against the channel in this process."""

from urllib.parse import unquote, urlsplit

from ivr.carriers.bot import BotReply, BotRequest
from ivr.carriers.twiml.call_plan import TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.signing import TokenSigner
from ivr.carriers.twiml.twiml_carrier import TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.carriers.twiml.twiml_profile import PROFILES as PLAYED
from ivr.channels.address_token import AddressTokens
from ivr.channels.twiml import PROFILES, TwimlChannel
from ivr.engine.flow import Flow
from ivr.phone.callers.turn_based import TurnBased
from ivr.ports import WebhookRequest
from tests.lines.bot_in_memory import BotInMemory
from tests.lines.native_lines import BOT, SOUND
from tests.lines.visit import AskedPerson, Visit

ACCOUNT = "AC" + "0" * 32
WITHHELD = "+266696687"
"The number by which Twilio tells that a caller does not want to be known."


class BotOfCarrier:
    """`ivr.carriers.bot.Bot`, without a network."""

    def __init__(self, bot: BotInMemory) -> None:
        self._bot = bot

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        self._bot.at(request.at)
        parts = urlsplit(request.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {name.lower(): value for name, value in request.headers}
        reply = await self._bot.take(
            WebhookRequest(request.method, unquote(parts.path), headers, request.body, target=target)
        )
        return BotReply(reply.status, reply.content_type.partition(";")[0], reply.body)


class TwimlLine:
    """A carrier of the TwiML family."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.can = PROFILES[name].can

    async def call(self, flow: Flow, visit: Visit) -> BotInMemory:
        """Carry a call, and return the server's side of it once it is over."""
        channel = TwimlChannel(
            PROFILES[self.name],
            account=ACCOUNT,
            public=BOT,
            media_base=f"{BOT}/media",
            tokens=AddressTokens(bytes(32)),
        )
        bot = BotInMemory(flow, channel, visit)
        numbers = iter(range(1, 10_000))
        account = CarrierAccount(
            PLAYED[self.name], sid=ACCOUNT, token="t", signer=TokenSigner("t"), new_id=lambda: f"{next(numbers):032x}"
        )
        carrier = TwimlCarrier(BotOfCarrier(bot), account)
        handset = TurnBased(AskedPerson(visit.mind, bot.question), SOUND)
        plan = TwimlCallPlan(
            Target(f"{BOT}/{self.name}/call"),
            caller=visit.caller or WITHHELD,
            called=visit.called,
            status=Target(f"{BOT}/{self.name}/status"),
        )
        result = await carrier.place(handset, plan)
        bot.findings += result.findings
        await bot.settle()
        return bot
