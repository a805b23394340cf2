"""Everything that happens because time passes: calls that are due, silent connections, rubbish, edited flows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing

from ivr.bot_state import BotStates
from ivr.errors import IvrError, StoreUnavailable
from ivr.media_storage import MediaStore
from ivr.ports import CallKey
from ivr.storage import Archive, CallStore
from ivr.store.data_folder import DataFolder

log = logging.getLogger(__name__)

WOKEN_AT_ONCE = 64
FORGOTTEN_AT_ONCE = 8
"Calls that are erased in one commit, which turns wait for: some 6 ms for each, read from a disk and overwritten."
STATES_AT_ONCE = 64
"Records of bots that are forgotten in one commit."


async def every(seconds: float, action: Callable[[], Awaitable[None]], *, name: str) -> None:
    """Do something again and again, until cancelled; the first time at once."""
    away = ""
    while True:
        try:
            await action()
            away = ""
        except StoreUnavailable as error:
            if away != str(error):  # one line for each time that it is away, which may be long
                away = str(error)
                log.warning("house-keeping waits for the store", extra={"task": name, "reason": away})
        except Exception:  # one bad round must not end the house-keeping of a server that runs for months
            log.exception("house-keeping failed", extra={"task": name})
        await asyncio.sleep(seconds)


async def wake_due(store: CallStore, wake: Callable[[CallKey], Awaitable[None]], now: float) -> None:
    """Wake every call whose deadline, idle time or wake-up time is over, or whose inbox waits."""
    keys = await store.due(now)
    for start in range(0, len(keys), WOKEN_AT_ONCE):
        results = await asyncio.gather(
            *(wake(key) for key in keys[start : start + WOKEN_AT_ONCE]), return_exceptions=True
        )
        for result in results:
            if isinstance(result, IvrError):
                log.warning("wake failed", extra={"reason": type(result).__name__})
            elif isinstance(result, BaseException):
                log.error("wake failed", exc_info=result)


class Retention:
    """Erases calls whose time is up, from the database, from its log and from the folders of recordings and mails."""

    def __init__(self, archive: Archive, recordings: MediaStore, folder: DataFolder) -> None:
        self._archive = archive
        self._recordings = recordings
        self._folder = folder
        self._log_holds_some = False

    async def erase_old(self, *, before: float) -> None:
        """Erase the calls that ended before then (seconds since 1970), in portions; to be done again and again."""
        forgotten = 0
        while found := await self._archive.forget(before=before, limit=FORGOTTEN_AT_ONCE):
            forgotten += len(found)
            self._log_holds_some = True
            for name in (name for one in found for name, size in one.recordings if size is None):
                await self._delete(name)
            await asyncio.to_thread(self._delete_mails, {one.id for one in found})
        if forgotten:
            log.info("calls forgotten", extra={"removed": forgotten})
        if self._log_holds_some and await self._archive.empty_log():
            self._log_holds_some = False  # otherwise a reader prevents it: the next round tries it again

    def _delete_mails(self, calls: Collection[str]) -> None:
        try:
            for file in self._folder.mails_of(calls):
                file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("mails of a forgotten call are left", extra={"reason": type(error).__name__})

    async def _delete(self, name: str) -> None:
        try:
            await self._recordings.delete(name)
        except (FileNotFoundError, IvrError) as error:  # not a valid name, or the disk failed: the sweep tries again
            log.warning("recording left to the sweep", extra={"reason": type(error).__name__})


class ValueRetention:
    """Erases what flows have kept of callers for as long as it was to be, from the database and from its log."""

    def __init__(self, store: CallStore, archive: Archive) -> None:
        self._store = store
        self._archive = archive
        self._log_holds_some = False

    async def erase_old(self, *, now: float) -> None:
        """Erase what is to be erased by then (seconds since 1970); to be done again and again."""
        forgotten = await self._store.forget_values(now=now)
        if forgotten:
            self._log_holds_some = True
            log.info("values of callers forgotten", extra={"removed": forgotten})
        if self._log_holds_some and await self._archive.empty_log():
            self._log_holds_some = False


async def sweep_recordings(store: CallStore, recordings: MediaStore, *, before: float) -> None:
    """Delete the audio that no call names and that is older than any retry could be, in portions."""
    removed = 0
    async with aclosing(recordings.older(before)) as portions:
        async for old in portions:
            for name in await store.unnamed(old):
                await recordings.delete(name)
                removed += 1
    if removed:
        log.info("recordings swept", extra={"removed": removed})


async def forget_bot_states(states: BotStates, *, before: float | None) -> None:
    """Forget what bots have not used since then (seconds since 1970; None: nothing), and leave nothing of it."""
    forgotten = 0
    while before is not None and (found := await states.forget(before=before, limit=STATES_AT_ONCE)):
        forgotten += found
    if forgotten:
        log.info("bot state forgotten", extra={"removed": forgotten})
    await states.tidy()
