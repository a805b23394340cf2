"""Asks the provider whether a device code was entered: one poller for each attempt, whoever looks at it how often.

The handler of a call never polls. A poller goes on after a restart with the interval that it had, and ends with its
attempt: by the provider's word, when its time is over, or when the call is.
"""

import asyncio
import logging
from typing import Final, Literal

from msgspec.structs import replace

from ivr.errors import StoreUnavailable
from ivr.sign_in_storage import Attempt, AttemptEnd, Tokens
from ivr.signin.attempt_rules import SLOWER, DeviceStep, device_step, ended
from ivr.signin.attempts import Attempts, Held
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused

log = logging.getLogger(__name__)

LONGEST_WAIT: Final = 60.0
"Seconds between two polls of a provider that is away."
SAVE_AGAIN: Final = 1.0
"Seconds between two tries to save."


class DevicePoller:
    """The pollers of all attempts."""

    def __init__(self, attempts: Attempts, authority: Authority | None) -> None:
        self._attempts = attempts
        self._authority = authority
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        """Return how many pollers there are."""
        return len(self._tasks)

    def start(self) -> None:
        """Go on with what the last process left."""
        for held in self._attempts.polling():
            self.begin(held)

    def begin(self, held: Held) -> None:
        """Begin to poll for an attempt."""
        if self._authority is None or held.attempt.id in self._tasks:
            return
        task = self._tasks[held.attempt.id] = asyncio.create_task(self._poll(held, self._authority), name="device code")
        task.add_done_callback(lambda _: self._ended(held, task))

    async def close(self) -> None:
        """Stop. The attempts stay as they are, for the next process."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, held: Held, task: asyncio.Task[None]) -> None:
        self._tasks.pop(held.attempt.id, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("poller ended badly", exc_info=error, extra={"call": held.attempt.call})

    async def _poll(self, held: Held, authority: Authority) -> None:
        wait = held.attempt.interval
        while await self._slept(held, wait):
            step, tokens = await self._asked(held, authority)
            match step:
                case "away":
                    wait = min(wait * 2, LONGEST_WAIT)  # RFC 8628, 3.5
                case "wait":
                    wait = held.attempt.interval
                case "slower":
                    await self._save(held, replace(held.attempt, interval=held.attempt.interval + SLOWER))
                    wait = held.attempt.interval
                case end:
                    await self._end(held, end, tokens)
                    return

    async def _asked(
        self, held: Held, authority: Authority
    ) -> tuple[DeviceStep | Literal["signedIn", "away"], Tokens | None]:
        """Ask the provider once; return what follows, and the tokens of whoever has signed in."""
        try:
            return "signedIn", await authority.poll(held.attempt.device_code)
        except AuthorityAway:
            return "away", None
        except AuthorityRefused as error:
            step = device_step(error.error)
            if step == "failed":
                log.warning("sign-in refused", extra={"call": held.attempt.call, "reason": error.error})
            return step, None

    async def _slept(self, held: Held, wait: float) -> bool:
        """Wait before the next poll; False: there is none, since the attempt is decided or its time is over."""
        left = held.attempt.ends - self._attempts.now()
        changed = asyncio.ensure_future(held.changed.wait())
        slept = asyncio.ensure_future(self._attempts.sleep(max(min(wait, left), 0.0)))
        try:
            await asyncio.wait({changed, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            slept.cancel()
        return self._attempts.standing(held) == "pending"

    async def _end(self, held: Held, end: AttemptEnd, tokens: Tokens | None = None) -> None:
        if await self._save(held, ended(held.attempt, end), tokens):
            if tokens is not None:
                log.info("signed in", extra={"call": held.attempt.call})
            else:
                log.info("sign-in ended", extra={"call": held.attempt.call, "reason": end})

    async def _save(self, held: Held, attempt: Attempt, tokens: Tokens | None = None) -> bool:
        """Save what became of an attempt, however often that fails: a device code gives its tokens once.

        False: the attempt was over before.
        """
        while self._attempts.standing(held) == "pending":
            try:
                async with held.lock:
                    return self._attempts.standing(held) == "pending" and await self._attempts.save(
                        held, attempt, tokens
                    )
            except StoreUnavailable as error:
                log.warning("sign-in waits for the store", extra={"call": attempt.call, "reason": str(error)})
            await self._attempts.sleep(SAVE_AGAIN)
        return False
