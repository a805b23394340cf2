"""Asks the provider whether a device code was entered: one poller for each attempt, whoever looks at it how often.

The handler of a call never polls. A poller ends with its attempt: by the provider's word, when its time is over, or
when the call is. Where its server is killed, another one goes on, with the interval that it had.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, Literal

from msgspec.structs import replace

from ivr.errors import StoreUnavailable
from ivr.sign_in_storage import Attempt, AttemptEnd, SignIn, Tokens
from ivr.signin.attempt_rules import SLOWER, DeviceStep, device_step, ended
from ivr.signin.attempts import Attempts
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused
from ivr.signin.drawing import new_id

log = logging.getLogger(__name__)

LONGEST_WAIT: Final = 60.0
"Seconds between two polls of a provider that is away."
LATE: Final = 30.0
"Seconds after which a poller that should have polled is taken to be gone; an answer is not waited for as long."
SAVE_AGAIN: Final = 1.0
"Seconds between two tries to save."


class DevicePoller:
    """The pollers of this server; for one attempt there is one at all of them, who has the lease."""

    def __init__(self, attempts: Attempts, authority: Authority | None) -> None:
        self._attempts = attempts
        self._authority = authority
        self._name = new_id()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        """Return how many pollers there are."""
        return len(self._tasks)

    def begin(self, attempt: Attempt) -> None:
        """Begin to poll for an attempt, unless somebody does."""
        if self._authority is None or attempt.id in self._tasks:
            return
        task = self._tasks[attempt.id] = asyncio.create_task(self._poll(attempt, self._authority), name="device code")
        task.add_done_callback(lambda _: self._ended(attempt, task))

    async def close(self) -> None:
        """Stop. The attempts stay as they are, for another server or the next process."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, attempt: Attempt, task: asyncio.Task[None]) -> None:
        self._tasks.pop(attempt.id, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("poller ended badly", exc_info=error, extra={"call": attempt.call})

    async def _poll(self, attempt: Attempt, authority: Authority) -> None:
        try:
            if await self._leased(attempt, attempt.interval):
                await self._poll_alone(attempt, authority)
        except StoreUnavailable as error:  # house-keeping begins anew
            log.warning("sign-in waits for the store", extra={"call": attempt.call, "reason": str(error)})
        finally:
            with suppress(StoreUnavailable):  # it ends by itself
                await self._attempts.coordination.release("poll", attempt.id, owner=self._name)

    async def _poll_alone(self, attempt: Attempt, authority: Authority) -> None:
        wait = attempt.interval
        with self._attempts.changes(attempt.id) as changed:
            while (now := await self._due(attempt, changed, wait)) is not None:
                attempt = now.attempt
                step, tokens = await self._asked(attempt, authority)
                match step:
                    case "away":
                        wait = min(wait * 2, LONGEST_WAIT)  # RFC 8628, 3.5
                    case "wait":
                        wait = attempt.interval
                    case "slower":
                        wait = attempt.interval + SLOWER
                        await self._save(attempt, partial(replace, interval=wait))
                    case end:
                        await self._end(attempt, end, tokens)
                        return

    async def _asked(
        self, attempt: Attempt, authority: Authority
    ) -> tuple[DeviceStep | Literal["signedIn", "away"], Tokens | None]:
        """Ask the provider once; return what follows, and the tokens of whoever has signed in."""
        try:
            return "signedIn", await authority.poll(attempt.device_code)
        except AuthorityAway:
            return "away", None
        except AuthorityRefused as error:
            step = device_step(error.error)
            if step == "failed":
                log.warning("sign-in refused", extra={"call": attempt.call, "reason": error.error})
            return step, None

    async def _due(self, attempt: Attempt, changed: asyncio.Event, wait: float) -> SignIn | None:
        """Wait before the next poll, and return the attempt as it is then.

        None: there is none, since it is decided, its time is over, or another server polls.
        """
        if not await self._leased(attempt, wait):
            return None
        changed.clear()  # what has changed up to here is seen by looking, what changes from here on ends the rest
        if await self._pending(attempt) is None:
            return None
        await self._attempts.rest(changed, min(wait, attempt.ends - self._attempts.now()))
        return await self._pending(attempt)

    async def _pending(self, attempt: Attempt) -> SignIn | None:
        now = await self._attempts.get(attempt.id, attempt.call)
        return now if self._attempts.standing(now) == "pending" else None

    async def _leased(self, attempt: Attempt, wait: float) -> bool:
        lasts = wait + LATE
        return await self._attempts.coordination.lease("poll", attempt.id, owner=self._name, lasts=lasts)

    async def _end(self, attempt: Attempt, end: AttemptEnd, tokens: Tokens | None = None) -> None:
        if await self._save(attempt, lambda one: ended(one, end), tokens):
            if tokens is not None:
                log.info("signed in", extra={"call": attempt.call})
            else:
                log.info("sign-in ended", extra={"call": attempt.call, "reason": end})

    async def _save(
        self, attempt: Attempt, becomes: Callable[[Attempt], Attempt], tokens: Tokens | None = None
    ) -> bool:
        """Save what became of an attempt, however often that fails: a device code gives its tokens once.

        False: the attempt was over before.
        """

        def step(now: SignIn) -> SignIn | None:
            if self._attempts.standing(now) != "pending":
                return None
            return replace(now, attempt=becomes(now.attempt), tokens=tokens)

        while True:
            try:
                return await self._attempts.change(attempt.id, step) is not None
            except StoreUnavailable as error:
                log.warning("sign-in waits for the store", extra={"call": attempt.call, "reason": str(error)})
            await self._attempts.sleep(SAVE_AGAIN)
