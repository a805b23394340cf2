"""jambonz for `ivr phone --as`: one application of one account, its API, and the way to the bot and its streams."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from ivr.carriers.api_server import api_served
from ivr.carriers.jambonz.call_machine import Application
from ivr.carriers.jambonz.call_order import Answers, Callee
from ivr.carriers.jambonz.hook_delivery import HookAccount
from ivr.carriers.jambonz.jambonz_carrier import CALLED, CALLER, JambonzCarrier
from ivr.carriers.jambonz.jambonz_orders import JambonzOrders
from ivr.carriers.jambonz.web_streams import WebStreams
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.carriers.web_bot import WebBot
from ivr.cli.phone.carrier_flags import CarrierFlags
from ivr.cli.phone.one_telephone import Answering, OneTelephone
from ivr.phone.handset import Handset
from ivr.phone.net.guard import Guard
from ivr.phone.net.post import WebPost
from ivr.phone.net.prompt_files import fetch_prompt_file
from ivr.phone.phone_events import Ended
from ivr.phone.placed_call import Caller
from ivr.phone.wire.line_news import LookAtLine

ACCOUNT = "00000000-0000-4000-8000-00000000acc0"
SECRET = "a-secret-for-trying-out"  # noqa: S105  # printed; a real one is a flag
_ANSWERS: Mapping[Answering, Answers] = {
    "human": "human",
    "machine": "machine",
    "fax": "machine",
    "busy": "busy",
    "noAnswer": "nobody",
    "rejected": "rejected",
    "unreachable": "unreachable",
}
"Who answers, in the words of the flags and in jambonz's."


class JambonzLine:
    """The line (`ivr.cli.phone.carrier_calls.CarrierLine`)."""

    def __init__(self, flags: CarrierFlags, web: WebPost, guard: Guard) -> None:
        secret = flags.secret or SECRET
        self.notes: list[str] = []
        if flags.secret is None:
            self.notes.append(f"The secret of its webhooks: {SECRET}")
        self._flags = flags
        self._web = web
        self.account = flags.account or ACCOUNT
        self.carrier = JambonzCarrier(
            WebBot(web, most_reply=flags.limits.reply_size),
            Application(flags.bot, flags.status),
            HookAccount(secret),
            streams=WebStreams(guard),
            misbehaviour=Misbehaviour(flags.misdeeds),
            limits=flags.limits,
            pause=asyncio.sleep,
        )
        self.findings = self.carrier.findings
        self.telephone = OneTelephone(flags.callee.answers)
        self.ordered = JambonzOrders(
            self.carrier,
            account=self.account,
            key=secret,
            answer=self._answer,
            over=self.telephone.ended,
        )

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
        application = Application(bot, flags.status) if bot else None
        facts = self.carrier.facts(flags.caller_of(who) or CALLER, flags.called or CALLED)
        return await self.carrier.place(handset, facts=facts, application=application)

    def _answer(self, _: str) -> tuple[Callee, Handset]:
        answers, handset = self.telephone.called()
        return Callee(_ANSWERS[answers]), handset


@asynccontextmanager
async def jambonz_line(flags: CarrierFlags) -> AsyncIterator[JambonzLine]:
    """Open a line that lasts as long as the context; raise OSError if its port is taken."""
    async with AsyncExitStack() as stack:
        guard = Guard(flags.allowed)
        web = WebPost(guard)
        stack.push_async_callback(web.close)
        line = JambonzLine(flags, web, guard)
        base = await stack.enter_async_context(api_served(line.ordered.handle, flags.api_port or 0))
        line.notes.append(f"The carrier's API: {base}/v1 (account {line.account}, its key is the secret)")
        stack.push_async_callback(line.ordered.close)
        yield line
