"""Stays registered, also when the way to the registrar is lost: then another one is looked for."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from ivr.sip.outputs import Hop, Link, Registered, RegistrationFailed
from ivr.sip.registration import FIRST_PAUSE, LONGEST_PAUSE, Registration
from ivr.sip.sip_call import Credentials
from ivr.useragent.transports import Unreachable

NOT_SENT = 503
"The status of what could not be sent."
AHEAD = 1.0
"Seconds before the endpoint tries again: then the way is looked for."


class RegistrationOrder(Struct, frozen=True):
    """What is to be registered where."""

    address: str
    "The address of record, such as `sip:200@pbx.example`."
    registrar: str
    "The domain, such as `sip:pbx.example`."
    hop: Hop
    "Where the registrar is found."
    credentials: Credentials | None = None
    expires: int = 300
    "Seconds to ask for."


class RegistrationKeeper:
    """One registration. Once it is begun it goes on by itself; nothing is raised, `told` gets what becomes of it."""

    def __init__(
        self,
        order: RegistrationOrder,
        reach: Callable[[Hop], Awaitable[Link]],
        register: Callable[[Registration], None],
        tell: Callable[[Registered | RegistrationFailed], None],
    ) -> None:
        """`reach` raises Unreachable; `register` hands the endpoint a registration; `tell` gets the news."""
        self.link: Link | None = None
        "The way that it goes by."
        self.over = False
        self._order = order
        self._reach = reach
        self._register = register
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._pause = FIRST_PAUSE
        self._found_at = -FIRST_PAUSE
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, after: float = 0.0) -> None:
        """Look for the way there, in so many seconds, and register by it if it is another than before."""
        self.stop()
        self._timer = self._loop.call_later(after, self._look)

    def told(self, news: Registered | RegistrationFailed) -> None:
        """Take what the endpoint says of it."""
        if isinstance(news, Registered):
            self._pause = FIRST_PAUSE
            self.over = news.expires == 0
        elif news.retry_in is None:
            self.over = True
        else:
            lost = news.status == NOT_SENT and self._loop.time() - self._found_at >= FIRST_PAUSE
            self.begin(0.0 if lost else max(0.0, news.retry_in - AHEAD))
        self._tell(news)

    def stop(self) -> None:
        """Look for nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _look(self) -> None:
        self._task = self._loop.create_task(self._find())

    async def _find(self) -> None:
        order = self._order
        try:
            link = await self._reach(order.hop)
        except Unreachable as error:
            pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
            if self.link is None:  # else the endpoint says it
                self._tell(RegistrationFailed(NOT_SENT, str(error), pause))
                self._timer = self._loop.call_later(pause, self._look)
            return
        self._found_at = self._loop.time()
        if link != self.link:
            self.link = link
            self._register(Registration(order.address, order.registrar, link, order.credentials, order.expires))
