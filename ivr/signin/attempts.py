"""All attempts that there are: in memory, where they are found, and in the store, which each change reaches first.

A change is made under the attempt's own lock, from what it is then; so of two browsers, or a browser and a hang-up, one
comes first, and the other sees what it left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct, field

from ivr.sign_in_ports import SignInResult
from ivr.sign_in_storage import Attempt, SignIn, SignInStore, Tokens
from ivr.signin.attempt_rules import ended, is_over, standing

log = logging.getLogger(__name__)

KEPT = 3600.0
"Seconds for which an attempt that came to nothing is kept after its time, for whoever still asks."

Sleep = Callable[[float], Awaitable[None]]


class Held(Struct, eq=False):
    """One attempt in memory."""

    sign_in: SignIn
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    "Set with the next change; then there is another one."
    gone: bool = False
    "It was erased: nothing of it is saved any more."
    code: str = ""
    "The code that its page shows. It is here alone, so that a page which is loaded again shows the same."

    @property
    def attempt(self) -> Attempt:
        """The attempt as last saved."""
        return self.sign_in.attempt

    @property
    def tokens(self) -> Tokens | None:
        """Its tokens."""
        return self.sign_in.tokens


class Attempts:
    """The attempts of all calls."""

    def __init__(self, store: SignInStore, *, now: Callable[[], float], sleep: Sleep = asyncio.sleep) -> None:
        """`now` gives seconds since 1970, `sleep` waits so many."""
        self._store = store
        self.now = now
        self.sleep = sleep
        self._all: dict[str, Held] = {}
        "By id, the oldest first."
        self._digests: dict[str, Held] = {}
        "By the digests of links, tickets and states."

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._all)

    async def load(self) -> None:
        """Take up what the last process left.

        Where it was killed while it fetched tokens, nobody has them: the attempt has failed.
        """
        for sign_in in await self._store.load():
            held = self._all[sign_in.attempt.id] = Held(sign_in)
            self._index(held)
            if held.attempt.phase == "redeeming":
                await self.save(held, ended(held.attempt, "failed"))

    def get(self, attempt: str, call: str) -> Held | None:
        """Return the attempt of a call; None: it has none of this id."""
        held = self._all.get(attempt)
        return held if held is not None and held.attempt.call == call else None

    def of_page(self, attempt: str) -> Held | None:
        """Return an attempt by the id in a page's address; the browser is still to prove itself."""
        return self._all.get(attempt)

    def known(self, digest: str) -> Held | None:
        """Return the attempt that a link, a ticket or a state belongs to, by its digest."""
        return self._digests.get(digest)

    def of_call(self, call: str) -> Sequence[Held]:
        """Return the attempts of a call, the oldest first."""
        return [held for held in self._all.values() if held.attempt.call == call]

    def polling(self) -> Sequence[Held]:
        """Return those for which the provider is to be asked."""
        return [held for held in self._all.values() if held.attempt.phase == "polling"]

    def standing(self, held: Held) -> SignInResult:
        """Return how an attempt stands now; one that was erased is over, as its call is."""
        return "expired" if held.gone else standing(held.attempt, self.now())

    async def add(self, attempt: Attempt) -> Held:
        """Begin with an attempt."""
        sign_in = SignIn(attempt)
        await self._store.save(sign_in)
        held = self._all[attempt.id] = Held(sign_in)
        self._index(held)
        return held

    async def save(self, held: Held, attempt: Attempt, tokens: Tokens | None = None) -> bool:
        """Save what an attempt is now, under its lock; False: it was erased meanwhile.

        Its tokens are those that are given here: none, if none are.
        """
        if held.gone:
            return False
        sign_in = SignIn(attempt, tokens)
        await self._store.save(sign_in)
        self._forget(held)
        held.sign_in = sign_in
        self._index(held)
        self._tell(held)
        return True

    async def erase(self, some: Sequence[Held]) -> None:
        """Erase attempts and their tokens, and tell whoever waits for them."""
        for held in some:
            async with held.lock:  # what is being saved comes first
                held.gone, held.code = True, ""  # also if the store is away: then the next sweep erases it there
                self._forget(held)
                self._tell(held)
                await self._store.erase([held.attempt.id])
                self._all.pop(held.attempt.id, None)

    async def decided(self, held: Held) -> SignInResult:
        """Return how an attempt came out, once it has."""
        while (result := self.standing(held)) == "pending":
            changed = asyncio.ensure_future(held.changed.wait())
            over = asyncio.ensure_future(self.sleep(held.attempt.ends - self.now()))
            try:
                await asyncio.wait({changed, over}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
                over.cancel()
        return result

    async def sweep(self) -> None:
        """Erase what belongs to calls that are over, or came to nothing long ago; end what was not used in time.

        What is not used in time may have tokens already: a caller who never said the code has no right to them.
        """
        if not self._all:
            return
        over = set(await self._store.over(list({held.attempt.call for held in self._all.values()})))
        now = self.now()
        old = [
            held
            for held in self._all.values()
            if held.gone or held.attempt.call in over or (held.tokens is None and now >= held.attempt.ends + KEPT)
        ]
        await self.erase(old)
        for held in [one for one in self._all.values() if not is_over(one.attempt)]:
            async with held.lock:
                if not held.gone and not is_over(held.attempt) and self.standing(held) == "expired":
                    log.info("sign-in expired", extra={"call": held.attempt.call})
                    await self.save(held, ended(held.attempt, "expired"))

    def _index(self, held: Held) -> None:
        for digest in _digests(held.attempt):
            self._digests[digest] = held

    def _forget(self, held: Held) -> None:
        for digest in _digests(held.attempt):
            self._digests.pop(digest, None)

    def _tell(self, held: Held) -> None:
        told, held.changed = held.changed, asyncio.Event()
        told.set()


def _digests(attempt: Attempt) -> Sequence[str]:
    return [digest for digest in (attempt.link, attempt.entry, attempt.ticket, attempt.state) if digest]
