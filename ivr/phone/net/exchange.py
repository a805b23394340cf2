"""Sends the messages of one call, each with its id; a 5xx or a silence gets the same message again (protocol 14)."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from uuid import uuid4

import msgspec
from msgspec import Struct

from ivr.channels.skype.wire import MESSAGE_ID, PRETENDED_TIME
from ivr.errors import IvrError
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import NoReply, Post, Reply
from ivr.phone.phone_events import PhoneEvent, Replied, Sent
from ivr.phone.wire.reports import PhoneMessage

CHAIN_ID = "x-microsoft-skype-chain-id"
USER_AGENT = "Microsoft-Skype/3.0,(Calling/1.0)"  # bots may look at it (protocol 3)
SHOWN = 64 * 1024
"Bytes of a reply that are shown."
REASON = 200
"Characters of a bot's own reason that are shown."


class NotDelivered(IvrError):
    """The bot did not take a message: `unreachable` if the last try had no answer, `refused` by its own answer."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class MessageExchange:
    """The way to the bot, for one call."""

    def __init__(
        self, post: Post, limits: PhoneLimits, *, token: Callable[[float], str], tell: Callable[[PhoneEvent], None]
    ) -> None:
        """`token` gives a bearer token that is good at a time, in seconds since 1970."""
        self._post = post
        self._limits = limits
        self._token = token
        self._tell = tell
        self._chain = str(uuid4())

    async def send(self, url: str, message: PhoneMessage) -> bytes:
        """Return the body of the bot's successful reply; raise NotDelivered."""
        message_id = str(uuid4())
        given_up = NotDelivered("unreachable", "")
        clock, limits = asyncio.get_running_loop(), self._limits
        ends_at = clock.time() + limits.give_up
        for attempt in range(1, limits.retries + 2):
            if attempt > 1:
                await asyncio.sleep(min(limits.retry_most, limits.retry_after * 2.0 ** min(attempt - 2, 30)))
            left = ends_at - clock.time()
            if attempt > 1 and left <= 0:
                break
            self._tell(Sent(url, message_id, attempt, message.json.decode(), message.audio))
            try:
                reply = await self._once(url, message, message_id, min(limits.answer_time, left))
            except NoReply as error:
                self._tell(Replied(message_id, 0, "", 0.0, error.code))
                given_up = NotDelivered("unreachable", str(error))
                if not error.again:
                    raise given_up from error
                continue
            self._show(message_id, reply)
            if 200 <= reply.status < 300:
                return reply.body
            given_up = NotDelivered("refused", _answered(reply))
            if reply.status < 500:
                break
        raise given_up

    async def _once(self, url: str, message: PhoneMessage, message_id: str, answer_time: float) -> Reply:
        headers = {
            "Content-Type": message.content_type,
            "Accept": "application/json",
            "Authorization": f"Bearer {self._token(time.time())}",
            CHAIN_ID: self._chain,
            MESSAGE_ID: message_id,
            "User-Agent": USER_AGENT,
            **({PRETENDED_TIME: message.at} if message.at else {}),
        }
        return await self._post.send(url, message.data, headers, answer_time=answer_time, most=self._limits.reply_size)

    def _show(self, message_id: str, reply: Reply) -> None:
        body = reply.body[:SHOWN].decode("utf-8", "replace")
        self._tell(Replied(message_id, reply.status, body, reply.seconds))


class Notifications:
    """Posts the notifications of one call: in order, beside the call, to `links.notification` alone (protocol 12).

    Before a bot has said where to, and if it never does, they are dropped.
    """

    def __init__(self, exchange: MessageExchange) -> None:
        self.url: str | None = None
        self._exchange = exchange
        self._last: asyncio.Task[None] | None = None

    def post(self, message: PhoneMessage) -> None:
        """Send a notification after those that are on their way; the call does not wait for it."""
        if self.url is not None:
            self._last = asyncio.create_task(self._send(self.url, message, self._last))

    async def sent(self) -> None:
        """Wait until all are sent, or given up."""
        if self._last is not None:
            await self._last

    async def close(self) -> None:
        """Send nothing more, whatever is on its way."""
        if self._last is not None:
            self._last.cancel()
            await asyncio.gather(self._last, return_exceptions=True)

    async def _send(self, url: str, message: PhoneMessage, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        with contextlib.suppress(NotDelivered):  # nothing depends on a notification
            await self._exchange.send(url, message)


class _Fault(Struct, frozen=True):
    message: str = ""


class _Refusal(Struct, frozen=True):
    """The body that many bots, ours too, send with an error status (docs/operations.md)."""

    error: _Fault = _Fault()


def _answered(reply: Reply) -> str:
    return f"The bot answered {reply.status}{reason_of(reply.body) or '.'}"


def reason_of(body: bytes) -> str:
    """Return the reason that a bot gives in the body of a refusal, after a colon; none: an empty text."""
    reason = ""
    with contextlib.suppress(ValueError, RecursionError):  # no JSON, or not of this shape: then it gives none
        reason = msgspec.json.decode(body[:SHOWN], type=_Refusal).error.message
    # The bot is foreign: its text may be long, and move a terminal's cursor or turn the writing round.
    plain = " ".join("".join(char if char.isprintable() else " " for char in reason[: 2 * REASON]).split())
    shown = plain if len(plain) <= REASON else f"{plain[:REASON]}…"
    return f": {shown}" if shown else ""
