"""The platform: places calls at one bot, with one identity and one way into the network.

async with platform(Target(bot="http://127.0.0.1:8080/call", app_id="my-bot")) as phone:
ended = await phone.place(handset)
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.media.installed import installed_sound
from ivr.media.sound import Sound
from ivr.phone.handset import Handset
from ivr.phone.net.exchange import MessageExchange
from ivr.phone.net.guard import Guard
from ivr.phone.net.identity import Identity, identity_served
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import Post, WebPost
from ivr.phone.net.prompt_files import fetch_prompt_file
from ivr.phone.order_news import OrderNews
from ivr.phone.phone_events import Ended, PhoneEvent
from ivr.phone.placed_call import Caller, PlacedCall
from ivr.phone.wire.line_news import LookAtLine

DEFAULT_APP = "development"
"For bots that ask for no tokens."


class Target(Struct, frozen=True):
    """A bot, and how far the phone goes for it."""

    bot: str
    "The address of its calling webhook."
    app_id: str = DEFAULT_APP
    "The bot's; tokens are made out to it."
    allowed: tuple[str, ...] = ()
    "Hosts that the phone may connect to, besides this machine."
    limits: PhoneLimits = PhoneLimits()
    identity_port: int = 0
    "Where the phone's metadata is served; 0: any free port."
    key: Path | None = None
    "The file of the phone's key; none: a new key for each phone."
    caller: str = Caller().caller
    language: str | None = Caller().language
    at: str | None = None
    "The time that it is to be for the bot (protocol 21)."
    transfers: tuple[str, ...] | None = ()
    """Patterns of the addresses that a call may be transferred to (protocol 23); none: it is not offered to the bot.

    None: all addresses, of a phone that calls nobody."""
    questions: bool = False
    "Whether the bot is offered what is added to questions (protocol 25)."

    @property
    def who(self) -> Caller:
        """Who calls whom, unless a call says otherwise."""
        return Caller(self.caller, f"28:{self.app_id}", self.language, self.at)

    @property
    def signed(self) -> bool:
        """Whether the bot probably checks tokens: a setting for them was given."""
        return self.app_id != DEFAULT_APP or self.key is not None or self.identity_port != 0


class PlacesCalls(Protocol):
    """Whatever can place a call for a handset: the platform, or another carrier."""

    async def place(
        self,
        handset: Handset,
        *,
        who: Caller | None = None,
        bot: str | None = None,
        line: LookAtLine | None = None,
    ) -> Ended:
        """Hold one call to its end, as `Platform.place`."""


class Platform:
    """Places calls, any number at a time."""

    def __init__(self, target: Target, post: Post, identity: Identity, *, metadata: str, files: WebPost) -> None:
        self.target = target
        self.workers = Workers()
        "Processes that look at audio; none is started before it is needed."
        self.metadata = metadata
        "The address of the phone's OpenID metadata, for the bot's settings."
        self._files = files
        self._post = post
        self._identity = identity

    async def fetch(self, url: str) -> bytes:
        """Return an audio file that a bot names, within the limits of the phone; raise Unplayable."""
        return await fetch_prompt_file(self._files, url, self.target.limits)

    async def place(
        self,
        handset: Handset,
        *,
        who: Caller | None = None,
        bot: str | None = None,
        line: LookAtLine | None = None,
        tries_out: bool = False,
        ordered: str | None = None,
    ) -> Ended:
        """Hold one call to its end; `bot` is another address than the target's, `line` what it is told of the line.

        `tries_out`: a flow of our own is tried out, so that it is offered all there is: transfers to every address,
        since nobody is called, and what is added to questions (protocol 23, 25). `ordered`: the id under which the bot
        has ordered this call, which was answered (26).

        If cancelled, the caller hangs up, and the bot is told within `PhoneLimits.parting` seconds; if cancelled again,
        it is not told.
        """
        target = self.target
        exchange = MessageExchange(self._post, target.limits, token=self._identity.token, tell=handset.tell)
        url = bot or target.bot
        one = PlacedCall(
            ordered or str(uuid4()),
            url=url,
            handset=handset,
            exchange=exchange,
            limits=target.limits,
            line=line,
            transfers=None if tries_out else target.transfers,
            questions=tries_out or target.questions,
            ordered=ordered is not None,
        )
        call = asyncio.create_task(one.run(who or target.who))
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            handset.hang_up()
            await asyncio.wait({call}, timeout=target.limits.parting)
            if not call.done():
                handset.tell(Ended("caller", "left", "The bot was still busy and was not notified."))
            raise
        finally:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    def holding(self, call: str) -> PlacesCalls:
        """Return what holds the call that the bot ordered under this id, now that somebody has answered it."""
        return _AnsweredOrder(self, call)

    def news_of(
        self, call: str, *, bot: str | None = None, tell: Callable[[PhoneEvent], None] = lambda _: None
    ) -> OrderNews:
        """Return what tells the bot of a call that it ordered under this id, until somebody answers.

        `bot` is another address than the target's; `tell` is shown each message and what became of it.
        """
        exchange = MessageExchange(self._post, self.target.limits, token=self._identity.token, tell=tell)
        return OrderNews(call, url=bot or self.target.bot, exchange=exchange)


class _AnsweredOrder:
    """`PlacesCalls` for one call that the bot ordered."""

    def __init__(self, phone: Platform, call: str) -> None:
        self._phone = phone
        self._call = call

    async def place(
        self,
        handset: Handset,
        *,
        who: Caller | None = None,
        bot: str | None = None,
        line: LookAtLine | None = None,
    ) -> Ended:
        """Hold it to its end, as `Platform.place`."""
        return await self._phone.place(handset, who=who, bot=bot, line=line, ordered=self._call)


def sound_of(phone: Platform) -> Sound:
    """Return the sound of a phone, good for any number of calls as long as the phone lasts."""
    return installed_sound(phone.workers, phone.fetch)


def identity_of(target: Target) -> Identity:
    """Take the kept key, or make one; raise KeyUnusable, or OSError."""
    return Identity.kept(target.app_id, target.key) if target.key else Identity(target.app_id)


@asynccontextmanager
async def platform(
    target: Target, *, post: Post | None = None, identity: Identity | None = None
) -> AsyncIterator[Platform]:
    """Make a platform that lasts as long as the context; raise OSError if its port is taken, KeyUnusable.

    `post` replaces aiohttp, for load; `identity` lets several platforms share one.
    """
    if identity is None:
        identity = await asyncio.to_thread(identity_of, target)  # a key takes its time
    web = WebPost(Guard(target.allowed))
    try:
        async with identity_served(identity, target.identity_port) as metadata:
            phone = Platform(target, post or web, identity, metadata=metadata, files=web)
            try:
                yield phone
            finally:
                await phone.workers.close()
    finally:
        await web.close()
