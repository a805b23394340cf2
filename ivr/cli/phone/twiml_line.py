"""A carrier of the TwiML family for `ivr phone --as`: its account, its API and the way to the bot."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from ivr import trial_carrier
from ivr.carriers.api_server import api_served
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.carriers.rest import Api
from ivr.carriers.twiml.call_plan import CALLED, CALLER, Callee, TwimlCallPlan
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.ordered_calls import OrderedCalls
from ivr.carriers.twiml.plivo_signing import PlivoSigner
from ivr.carriers.twiml.signing import Ed25519Signer, Signer, TokenSigner, private_key
from ivr.carriers.twiml.twiml_carrier import TwimlCallResult, TwimlCarrier
from ivr.carriers.twiml.twiml_document import Target
from ivr.carriers.twiml.twiml_profile import PROFILES
from ivr.carriers.web_bot import WebBot
from ivr.cli.phone.carrier_flags import CarrierFlags
from ivr.cli.phone.one_telephone import OneTelephone
from ivr.phone.handset import Handset
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.phone.net.prompt_files import fetch_prompt_file
from ivr.phone.phone_events import Ended
from ivr.phone.placed_call import Caller
from ivr.phone.wire.line_news import LookAtLine
from ivr.trial_carrier import ACCOUNT, TOKEN


class TwimlLine:
    """The line (`ivr.cli.phone.carrier_calls.CarrierLine`)."""

    def __init__(self, flags: CarrierFlags, web: WebPost) -> None:
        """Raise BadKey for a secret that cannot sign."""
        self.findings: list[str] = []
        self.notes: list[str] = []
        self._flags = flags
        self._web = web
        profile = PROFILES[flags.carrier]
        token, signer = self._secrets(flags)
        account = CarrierAccount(profile, sid=flags.account or ACCOUNT, token=token, signer=signer)
        misbehaviour = Misbehaviour(flags.misdeeds)
        bot, limits = WebBot(web, most_reply=flags.limits.reply_size), flags.limits
        self.carrier = TwimlCarrier(bot, account, misbehaviour=misbehaviour, limits=limits, patience=limits.answer_time)
        self.telephone = OneTelephone(flags.callee.answers)
        self.ordered = OrderedCalls(self.carrier, answer=self._answer, over=self._ordered_over)

    def _secrets(self, flags: CarrierFlags) -> tuple[str, Signer]:
        """Return the API's token and what signs, and note what the bot has to know."""
        if flags.carrier == "telnyx":
            signer = Ed25519Signer(private_key(flags.secret) if flags.secret else None)
            self.notes.append(f"The public key of its signatures: {signer.public}")
            self.notes.append(f"The API key that it takes: {TOKEN}")
            return TOKEN, signer
        token = flags.secret or TOKEN
        if flags.secret is None:
            self.notes.append(f"The secret of its signatures: {TOKEN}")
        if flags.carrier == "plivo":
            return token, PlivoSigner(token)
        header = "X-SignalWire-Signature" if flags.carrier == "signalwire" else "X-Twilio-Signature"
        return token, TokenSigner(token, header)

    async def fetch(self, url: str) -> bytes:
        """Return an audio file that the bot names; raise Unplayable."""
        return await fetch_prompt_file(self._web, url, self._flags.limits)

    async def place(
        self,
        handset: Handset,
        *,
        who: Caller | None = None,
        bot: str | None = None,
        line: LookAtLine | None = None,
    ) -> Ended:
        """Hold one call to its end (`ivr.phone.platform.PlacesCalls`)."""
        flags = self._flags
        plan = TwimlCallPlan(
            Target(bot or flags.bot),
            flags.caller_of(who) or CALLER,
            flags.called or CALLED,
            status=Target(flags.status) if flags.status else None,
            fallback=Target(flags.fallback) if flags.fallback else None,
        )
        return self._taken(await self.carrier.place(handset, plan))

    def _taken(self, result: TwimlCallResult) -> Ended:
        self.findings += result.findings
        return result.ended

    def _answer(self, _: str) -> tuple[Callee, Handset]:
        answers, handset = self.telephone.called()
        return replace(self._flags.callee, answers=answers), handset

    def _ordered_over(self, handset: Handset, result: TwimlCallResult) -> None:
        self.telephone.ended(handset, self._taken(result))


@asynccontextmanager
async def twiml_line(flags: CarrierFlags) -> AsyncIterator[TwimlLine]:
    """Open a line that lasts as long as the context; raise OSError if its port is taken, BadKey."""
    async with AsyncExitStack() as stack:
        web = WebPost(Guard(flags.allowed))
        stack.push_async_callback(web.close)
        line = TwimlLine(flags, web)
        account = line.carrier.account
        account.api = await _serve_api(stack, line.ordered.api.handle, flags.api_port)
        line.notes.append(f"The carrier's API: {account.api} (account {account.sid})")
        stack.push_async_callback(line.ordered.close)
        yield line


async def _serve_api(stack: AsyncExitStack, api: Api, port: int | None) -> str:
    """Serve the API where it is wanted, else where a server in development looks for it, else anywhere."""
    try:
        return await stack.enter_async_context(api_served(api, trial_carrier.PORT if port is None else port))
    except OSError:
        if port is not None:
            raise
    return await stack.enter_async_context(api_served(api, 0))  # another carrier is played
