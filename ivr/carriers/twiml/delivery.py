"""Sends a carrier's requests: signed, with their repeats, and with the misdeeds that a test asks for.

What a bot must not do is found here: to accept a forged request, or to answer a repeat with something else.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import urldefrag, urlencode

from ivr.carriers.bot import Bot, BotFailed, BotReply, BotRequest
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.plivo_forms import plivo_form
from ivr.carriers.twiml.twiml_document import Target
from ivr.phone.phone_events import PhoneEvent, Replied, Sent

PATIENCE = 15.0
"Seconds in which the bot has to answer, repeats included."
REFUSALS = (401, 403)
"What a forged request has to be answered with."
SHOWN = 64 * 1024
"Bytes of an answer that are shown."


class Delivery:
    """Sends the requests of one call."""

    def __init__(
        self,
        bot: Bot,
        account: CarrierAccount,
        *,
        misbehaviour: Misbehaviour,
        tell: Callable[[PhoneEvent], None],
        now: Callable[[], float],
        patience: float = PATIENCE,
    ) -> None:
        self.findings: list[str] = []
        "What the bot did that it must not do."
        self.requests = 0
        "That were sent, repeats and forged ones included."
        self._bot = bot
        self._account = account
        self._misbehaviour = misbehaviour
        self._tell = tell
        self._now = now
        self._patience = patience
        self._before: BotRequest | None = None

    async def ask(self, target: Target, fields: Mapping[str, str]) -> BotReply:
        """Send one request, and return its answer; raise BotFailed."""
        request, forged = self._requests(target, fields)
        for how, wrong in forged.items():
            await self._expect_refusal(how, wrong)
        reply = await self._delivered(request)
        before, self._before = self._before, request
        if before is not None and self._misbehaviour.does("late"):
            await self._once(before)
        return reply

    async def _delivered(self, request: BotRequest) -> BotReply:
        if self._misbehaviour.does("twice"):
            first, second = await asyncio.gather(self._once(request), self._once(request))
            self._compare(request, first, second)
            return first
        try:
            reply = await self._once(request)
        except BotFailed as error:
            if error.code != "connect":
                raise
            return await self._once(request, attempt=2)  # the carrier tries a connection once more
        if self._misbehaviour.does("lost"):
            again = await self._once(request, attempt=2)
            self._compare(request, reply, again)
        return reply

    def _compare(self, request: BotRequest, one: BotReply, other: BotReply) -> None:
        if (one.status, one.body) != (other.status, other.body):
            self.findings.append(f"{request.url}: the same request was answered in two ways")

    async def _expect_refusal(self, how: str, request: BotRequest) -> None:
        self.requests += 1
        reply = await self._bot.send(request, within=self._patience)
        if reply.status not in REFUSALS:
            self.findings.append(f"{request.url}: a request with a bad signature ({how}) was answered {reply.status}")

    async def _once(self, request: BotRequest, *, attempt: int = 1) -> BotReply:
        self.requests += 1
        name = dict(request.headers).get("I-Twilio-Idempotency-Token", "")
        self._tell(Sent(request.url, name, attempt, request.body.decode("ascii", "replace")))
        begun = time.perf_counter()  # of the bot, whatever time it is for the caller
        try:
            reply = await self._bot.send(request, within=self._patience)
        except BotFailed as error:
            self._tell(Replied(name, 0, "", time.perf_counter() - begun, error.code))
            raise
        self._tell(
            Replied(name, reply.status, reply.body[:SHOWN].decode("utf-8", "replace"), time.perf_counter() - begun)
        )
        return reply

    def _requests(self, target: Target, fields: Mapping[str, str]) -> tuple[BotRequest, dict[str, BotRequest]]:
        """Return a request, and copies of it whose signatures are wrong."""
        of_plivo = self._account.profile.dialect == "Plivo XML"
        form = list((plivo_form(fields) if of_plivo else fields).items())
        url = urldefrag(target.url).url  # what follows `#` is for the carrier alone
        body = urlencode(form).encode()
        if target.method == "GET":
            url += ("&" if "?" in url else "?") + body.decode()
            form, body = [], b""
        signer, profile = self._account.signer, self._account.profile
        plain = [("User-Agent", "TwilioProxy/1.1"), ("Accept", "*/*")]
        if target.method == "POST":
            plain.append(("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"))
        if profile.idempotency:
            plain.append((profile.idempotency, self._account.new_id()))
        at = self._now()
        request = BotRequest(target.method, url, (*plain, *signer.headers(url, form, body)), body, at)
        kinds = signer.forgeries if self._misbehaviour.does("forged") else ()
        return request, {
            how: BotRequest(target.method, url, (*plain, *signer.forged(url, form, body, how)), body, at)
            for how in kinds
        }
