"""Whom the pages call, as whom, and with what sound: one for all pages of a server.

It opens with the first call, if not before: a key has to be made and a voice to be found, and most servers are never
called from a page.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct
from msgspec.structs import replace

from ivr.media.installed import missing
from ivr.media.sound import Sound
from ivr.phone.net.identity import Identity
from ivr.phone.platform import Platform, Target, identity_of, platform, sound_of
from ivr.server.phone.own_bot import OwnBot

BROWSER = "29:browser"
"Who calls our own server."


class _OpenPhone(Struct, frozen=True):
    identity: Identity
    phone: Platform
    sound: Sound


class SharedPhone:
    """A phone's place in a server."""

    def __init__(
        self,
        target: Target,
        *,
        own_bot: OwnBot | None = None,
        sound: Callable[[Platform], Sound] = sound_of,
        misses: Sequence[str] | None = None,
    ) -> None:
        """Call `target`; `own_bot`: it is our own server, in this process. `sound` makes the sound of a phone."""
        self.target = target
        self.own_bot = own_bot
        self.misses = missing() if misses is None else misses
        "What its sound has to do without, in sentences."
        self._sound = sound
        self._open: _OpenPhone | None = None
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def open(self) -> str:
        """Open, and give the address of the phone's metadata; raise KeyUnusable, OSError."""
        return (await self._opened()).phone.metadata

    @asynccontextmanager
    async def phone(self, flow: str) -> AsyncIterator[tuple[Platform, Sound]]:
        """Return a platform that calls one of our flows, or the one bot there is, and its sound."""
        opened = await self._opened()
        if self.own_bot is None:
            yield opened.phone, opened.sound
            return
        target = replace(self.target, bot=self.own_bot.address(flow), identity_port=0, caller=BROWSER)
        async with platform(target, identity=opened.identity) as phone:
            yield phone, opened.sound

    async def close(self) -> None:
        """Put everything away."""
        await self._stack.aclose()

    async def _opened(self) -> _OpenPhone:
        async with self._opening:
            if self._open is None:
                identity = await asyncio.to_thread(identity_of, self.target)  # a key takes its time
                phone = await self._stack.enter_async_context(platform(self.target, identity=identity))
                self._open = _OpenPhone(identity, phone, self._sound(phone))
            return self._open
