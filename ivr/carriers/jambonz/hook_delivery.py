"""Posts hooks: signed, with the repeats that their addresses ask for, and with the misdeeds that a test asks for.

What a bot must not do is found here: to accept a forged hook, or to answer a repeat with something else.
"""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ivr.carriers.bot import Bot, BotFailed, BotReply, BotRequest
from ivr.carriers.jambonz.call_machine import HookAnswer, HookFailed
from ivr.carriers.jambonz.hook_address import BadHook, HookAddress, pause_before, resolved
from ivr.carriers.jambonz.hook_signing import FORGERIES, HEADER, forged, signature
from ivr.carriers.jambonz.verb_document import Refused, read_document
from ivr.carriers.jambonz.verbs import Auth, Hook
from ivr.carriers.misbehaviour import Misbehaviour
from ivr.phone.net.exchange import reason_of
from ivr.phone.phone_events import PhoneEvent, Replied, Sent

PATIENCE = 10.0
"Seconds in which the bot has to answer one try."
SUCCESS = (200, 202, 204)
"What jambonz takes for a success."
REFUSALS = (401, 403)
"What a forged hook has to be answered with."
SHOWN = 64 * 1024
"Bytes of an answer that are shown."

Pause = Callable[[float], Awaitable[object]]


class HookAccount(Struct, frozen=True):
    """An account at jambonz, as far as its hooks show it."""

    secret: str | None = None
    "Of its webhooks; none: they are not signed, which jambonz never does."
    auth: Auth | None = None
    "For bots that ask for a password."


async def no_pause(_: float) -> None:
    """Let the time before a repeat pass at once, where time is simulated."""


class HookDelivery:
    """Posts the hooks of one call."""

    def __init__(
        self,
        bot: Bot,
        account: HookAccount,
        *,
        base: str,
        misbehaviour: Misbehaviour,
        tell: Callable[[PhoneEvent], None],
        now: Callable[[], float],
        patience: float = PATIENCE,
        pause: Pause = no_pause,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Post to `bot`; `base` is the address of the first hook.

        `now` is the caller's time; `clock` gives seconds since 1970, `pause` waits before a repeat.
        """
        self.findings: list[str] = []
        "What the bot did that it must not do."
        self.requests = 0
        "That were sent, repeats and forged ones included."
        self.base = base
        "Where addresses without a host lead."
        self._bot = bot
        self._account = account
        self._misbehaviour = misbehaviour
        self._tell = tell
        self._now = now
        self._patience = patience
        self._pause = pause
        self._clock = clock
        self._before: BotRequest | None = None

    async def post(self, hook: Hook, payload: Mapping[str, Any], *, is_first: bool = False) -> HookAnswer:
        """Post a hook, and return what the bot wants; of a failure, why. Never raises for what a bot does."""
        try:
            address = resolved(hook if isinstance(hook, str) else hook.url, self.base)
            request, wrong = self._requests(hook, address, msgspec.json.encode(payload))
            for how, one in wrong.items():
                await self._expect_refusal(how, one)
            reply = await self._delivered(request, address)
        except BadHook as error:
            return HookFailed("refused", str(error), (str(error),))
        except BotFailed as error:
            return HookFailed("unreachable", f"{address.url}: {error}.")
        finally:
            before, self._before = self._before, None
            if before is not None and self._misbehaviour.does("late"):
                await self._once_more(before)
        self._before = request
        return read_answer(address.url, reply, is_first=is_first)

    async def _delivered(self, request: BotRequest, address: HookAddress) -> BotReply:
        if self._misbehaviour.does("twice"):
            first, second = await asyncio.gather(self._once(request), self._once(request))
            self._compare(request, first, second)
            return first
        reply = await self._tried(request, address)
        if self._misbehaviour.does("lost"):
            self._compare(request, reply, await self._once(request, attempt=2))
        return reply

    async def _tried(self, request: BotRequest, address: HookAddress) -> BotReply:
        """Send a request as often as its address asks for: the very same, signature included."""
        for attempt in range(1, address.repeats + 2):
            if attempt > 1:
                await self._pause(pause_before(attempt - 1))
            last = attempt > address.repeats
            try:
                reply = await self._once(request, attempt=attempt)
            except BotFailed as error:
                if last or not address.again(0, error.code):
                    raise
                continue
            if reply.status in SUCCESS or last or not address.again(reply.status, ""):
                return reply
        raise AssertionError("the last try returns or raises")

    async def _once_more(self, request: BotRequest) -> None:
        try:
            await self._once(request, attempt=2)
        except BotFailed as error:
            self.findings.append(f"{request.url}: a hook that came late got no answer: {error}")

    def _compare(self, request: BotRequest, one: BotReply, other: BotReply) -> None:
        if (one.status, one.body) != (other.status, other.body):
            self.findings.append(f"{request.url}: the same hook was answered in two ways")

    async def _expect_refusal(self, how: str, request: BotRequest) -> None:
        reply = await self._once(request)
        if reply.status not in REFUSALS:
            self.findings.append(f"{request.url}: a hook with a bad signature ({how}) was answered {reply.status}")

    async def _once(self, request: BotRequest, *, attempt: int = 1) -> BotReply:
        self.requests += 1
        name = dict(request.headers).get(HEADER, "")[-16:]
        self._tell(Sent(request.url, name, attempt, request.body.decode("utf-8", "replace")))
        begun = time.perf_counter()  # the bot takes its time, whatever the caller's is
        try:
            reply = await self._bot.send(request, within=self._patience)
        except BotFailed as error:
            self._tell(Replied(name, 0, "", time.perf_counter() - begun, error.code))
            raise
        body, seconds = reply.body[:SHOWN].decode("utf-8", "replace"), time.perf_counter() - begun
        self._tell(Replied(name, reply.status, body, seconds))
        return reply

    def _requests(self, hook: Hook, address: HookAddress, body: bytes) -> tuple[BotRequest, dict[str, BotRequest]]:
        """Return a request, and copies of it whose signatures are wrong."""
        method = "POST" if isinstance(hook, str) else hook.method
        auth = (None if isinstance(hook, str) else hook.basic_auth) or self._account.auth
        plain = [("Accept", "*/*"), *basic(auth)]
        if method == "POST":
            plain.append(("Content-Type", "application/json"))
        sent = body if method == "POST" else b""  # of a GET, jambonz signs a payload that it does not send
        secret, at, now = self._account.secret, int(self._clock()), self._now()

        def made(header: str | None) -> BotRequest:
            signed = [(HEADER, header)] if header is not None else []
            return BotRequest(method, address.url, (*plain, *signed), sent, now)

        if secret is None:
            return made(None), {}
        kinds = FORGERIES if self._misbehaviour.does("forged") else {}
        return made(signature(body, secret, at)), {how: made(forged(body, secret, at, how)) for how in kinds}


def basic(auth: Auth | None) -> Sequence[tuple[str, str]]:
    """Return the header of a name and a password (RFC 7617)."""
    if auth is None:
        return ()
    text = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
    return (("Authorization", f"Basic {text}"),)


def read_answer(url: str, reply: BotReply, *, is_first: bool) -> HookAnswer:
    """Return the verbs of an answer. One without JSON, or whose JSON is no array, is none; the first one has to be."""
    if reply.status not in SUCCESS:
        return HookFailed("refused", f"{url} answered {reply.status}{reason_of(reply.body) or '.'}")
    if "application/json" not in reply.content_type:
        found = reply.content_type or "nothing"
        problem = f"The first answer has to be application/json, and not {found}."
        return HookFailed("refused", f"{url}: {problem}", (problem,)) if is_first else ()
    if not is_first and not reply.body.lstrip().startswith(b"["):
        try:
            msgspec.json.decode(reply.body)
        except (msgspec.DecodeError, RecursionError) as error:
            return HookFailed("refused", f"{url} answered with something that is not JSON: {error}.")
        return ()
    document = read_document(reply.body)
    if isinstance(document, Refused):
        return HookFailed("refused", f"{url}: {document.problems[0]}", document.problems)
    return document
