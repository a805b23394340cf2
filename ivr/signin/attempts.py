"""All attempts that there are: in the store, where several servers look for them, and nowhere else.

A change is made from what an attempt is then, and made anew if another was faster (`change`). So of two browsers, or a
browser and a hang-up, at the same server or at two, one comes first, and the other sees what it left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

from msgspec.structs import replace

from ivr.coordination import Coordination
from ivr.news import News
from ivr.sign_in_ports import SignInResult
from ivr.sign_in_storage import KEPT, Attempt, SignIn, SignInStore
from ivr.signin.attempt_rules import ended, is_over, standing

log = logging.getLogger(__name__)

LOOK: Final = 0.5
"Seconds between two looks at an attempt that another server may have changed: news can get lost."
WAITED_FOR: Final = 60.0
"Seconds after which a server that fetches tokens is taken to be gone; the provider is not waited for as long."

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
Step: TypeAlias = Callable[[SignIn], SignIn | None]
"What an attempt becomes, from what it is; None: it stays."


class Attempts:
    """The attempts of all calls."""

    def __init__(
        self,
        store: SignInStore,
        coordination: Coordination,
        news: News,
        *,
        now: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`now` gives seconds since 1970, `sleep` waits so many."""
        self._store = store
        self.coordination = coordination
        self.now = now
        self.sleep = sleep
        self._news = news
        self._waiting: dict[str, list[asyncio.Event]] = {}
        "By attempt: those who wait for a change of it here."
        news.hear("signIn", self._changed)

    async def get(self, attempt: str, call: str) -> SignIn | None:
        """Return the attempt of a call; None: it has none of this id."""
        found = await self._store.get(attempt)
        return found if found is not None and found.attempt.call == call else None

    async def of_page(self, attempt: str) -> SignIn | None:
        """Return an attempt by the id in a page's address; the browser is still to prove itself."""
        return await self._store.get(attempt)

    async def known(self, digest: str) -> SignIn | None:
        """Return the attempt that a link, a ticket or a state belongs to, by its digest."""
        return await self._store.known(digest)

    async def of_call(self, call: str) -> Sequence[SignIn]:
        """Return the attempts of a call, the oldest first."""
        return await self._store.of_call(call)

    async def count(self) -> int:
        """Count all that there are."""
        return await self._store.count()

    def standing(self, sign_in: SignIn | None) -> SignInResult:
        """Return how an attempt stands now; one that was erased is over, as its call is."""
        return "expired" if sign_in is None else standing(sign_in.attempt, self.now())

    async def add(self, attempt: Attempt) -> None:
        """Begin with an attempt."""
        await self._store.add(attempt)

    async def change(self, attempt: str, step: Step) -> SignIn | None:
        """Let an attempt become what `step` makes of it; None: it stays as it is, or is no longer there.

        `step` is asked again with what another has made of the attempt meanwhile.
        """
        while (before := await self._store.get(attempt)) is not None:
            after = step(before)
            if after is None:
                return None
            changed = await self._store.change(before, after)
            if changed is not None:
                self._news.tell("signIn", attempt)
                return changed
        return None

    async def erase(self, some: Sequence[str]) -> None:
        """Erase attempts and their tokens, and tell whoever waits for them."""
        if some:
            await self._store.erase(some)
            for attempt in some:
                self._news.tell("signIn", attempt)

    async def decided(self, call: str, attempt: str) -> SignInResult:
        """Return how an attempt of a call came out, once it has."""
        with self.changes(attempt) as changed:
            while True:
                changed.clear()
                sign_in = await self.get(attempt, call)
                result = self.standing(sign_in)
                if sign_in is None or result != "pending":
                    return result
                left = sign_in.attempt.ends - self.now()
                await self.rest(changed, left if self.coordination.alone else min(left, LOOK))

    @contextmanager
    def changes(self, attempt: str) -> Iterator[asyncio.Event]:
        """Return what is set with each change of an attempt, for as long as the context lasts."""
        changed = asyncio.Event()
        self._waiting.setdefault(attempt, []).append(changed)
        try:
            yield changed
        finally:
            self._waiting[attempt].remove(changed)
            if not self._waiting[attempt]:
                del self._waiting[attempt]

    async def rest(self, changed: asyncio.Event, seconds: float) -> None:
        """Wait so long, or until something has changed."""
        waits = asyncio.ensure_future(changed.wait())
        sleeps = asyncio.ensure_future(self.sleep(max(seconds, 0.0)))
        try:
            await asyncio.wait({waits, sleeps}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waits.cancel()
            sleeps.cancel()

    async def sweep(self) -> Sequence[SignIn]:
        """Erase what belongs to calls that are over, or came to nothing long ago; end what was not used in time.

        What is not used in time may have tokens already: a caller who never said the code has no right to them. Where a
        server was killed while it fetched tokens, nobody has them: the attempt has failed. Returns those for which the
        provider is to be asked.
        """
        now = self.now()
        polled = []
        for watched in await self._store.watched(now):
            sign_in, attempt = watched.sign_in, watched.sign_in.attempt
            if watched.over or (sign_in.tokens is None and now >= attempt.ends + KEPT):
                await self.erase([attempt.id])
            elif self.standing(sign_in) == "expired" and not is_over(attempt):
                if await self.change(attempt.id, self._expired) is not None:
                    log.info("sign-in expired", extra={"call": attempt.call})
            elif attempt.phase == "polling":
                polled.append(sign_in)
            elif attempt.phase == "redeeming":
                await self._end_if_abandoned(attempt)
        return polled

    async def _end_if_abandoned(self, attempt: Attempt) -> None:
        if await self.coordination.leased("redeem", attempt.id):
            return
        if await self.change(attempt.id, _abandoned) is not None:
            log.warning("sign-in ended", extra={"call": attempt.call, "reason": "the server was stopped"})

    def _expired(self, sign_in: SignIn) -> SignIn | None:
        if is_over(sign_in.attempt) or self.standing(sign_in) != "expired":
            return None
        return replace(sign_in, attempt=ended(sign_in.attempt, "expired"), tokens=None)

    def _changed(self, attempt: str) -> None:
        for changed in self._waiting.get(attempt, ()):
            changed.set()


def _abandoned(sign_in: SignIn) -> SignIn | None:
    if sign_in.attempt.phase != "redeeming":
        return None
    return replace(sign_in, attempt=ended(sign_in.attempt, "failed"), tokens=None)
