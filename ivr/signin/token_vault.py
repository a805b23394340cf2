"""Gives out access tokens: of a call, for one request, to a host that the operator allows. They are renewed in time."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from weakref import WeakValueDictionary

from msgspec.structs import replace

from ivr.errors import StoreUnavailable
from ivr.sign_in_ports import SignInRefused
from ivr.sign_in_storage import SignIn
from ivr.signin.attempt_rules import ended
from ivr.signin.attempts import LOOK, WAITED_FOR, Attempts
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused
from ivr.signin.drawing import new_id

log = logging.getLogger(__name__)

LAST_MINUTES: Final = 300.0
"Seconds before its end from which on a token is renewed: whoever gets it may have another clock."


class TokenVault:
    """The tokens of all calls."""

    def __init__(self, attempts: Attempts, authority: Authority | None, *, allows: Callable[[str], bool]) -> None:
        """Ask `allows` whether a token may go to an address, which is absolute."""
        self._attempts = attempts
        self._authority = authority
        self._allows = allows
        self._name = new_id()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None) -> str | None:
        """Return the access token; None: nobody is signed in. Raises SignInRefused."""
        if not self._allows(address):
            log.warning("sign-in refused", extra={"call": call, "reason": "host"})
            raise SignInRefused("host", "the token must not be sent to this host")
        if self._authority is None:
            return None
        while (found := await self._signed_in(call, name)) is not None:
            if self._is_good(found, refused, for_long=True):
                return _access(found)
            async with self._lock_of(found):  # of many requests at once, one renews
                if await self._lease(found):
                    try:
                        return await self._renewed(found, self._authority, refused)
                    finally:
                        await self._release(found)
            await self._attempts.sleep(LOOK)  # another server renews it
        return None

    async def _signed_in(self, call: str, name: str) -> SignIn | None:
        found = [one for one in await self._attempts.of_call(call) if one.attempt.name == name]
        return next((one for one in reversed(found) if one.attempt.phase == "signedIn" and one.tokens), None)

    def _is_good(self, found: SignIn, refused: str | None, *, for_long: bool) -> bool:
        tokens = found.tokens
        until = 0.0 if tokens is None else tokens.ends - (LAST_MINUTES if for_long else 0.0)
        return tokens is not None and tokens.access != refused and self._attempts.now() < until

    async def _renewed(self, found: SignIn, authority: Authority, refused: str | None) -> str | None:
        """Return the access token after it was renewed, by this request or by one before it; None: it is withdrawn."""
        attempt = found.attempt
        now = await self._attempts.get(attempt.id, attempt.call)
        if now is None or now.tokens is None:
            return None
        if self._is_good(now, refused, for_long=True):
            return now.tokens.access
        good = self._is_good(now, refused, for_long=False)
        if now.tokens.refresh is None:
            return now.tokens.access if good else None
        try:
            fresh = await authority.refresh(now.tokens, scopes=attempt.scopes, device=attempt.by == "device")
        except AuthorityAway as error:
            if good:
                return now.tokens.access
            raise SignInRefused("unreachable", "the identity provider does not answer") from error
        except AuthorityRefused as error:
            # It was withdrawn, or its directory says so: nobody is signed in any more.
            log.warning("sign-in ended", extra={"call": attempt.call, "reason": error.error})
            await self._attempts.change(
                attempt.id, lambda one: replace(one, attempt=ended(one.attempt, "failed"), tokens=None)
            )
            return None
        changed = await self._attempts.change(attempt.id, lambda one: replace(one, tokens=fresh))
        return fresh.access if changed is not None else None

    def _lock_of(self, found: SignIn) -> asyncio.Lock:
        return self._locks.setdefault(found.attempt.id, asyncio.Lock())

    async def _lease(self, found: SignIn) -> bool:
        """Take a renewal for this server: a provider may take a refresh token that comes twice for a stolen one."""
        lease = self._attempts.coordination.lease
        return await lease("refresh", found.attempt.id, owner=self._name, lasts=WAITED_FOR)

    async def _release(self, found: SignIn) -> None:
        with suppress(StoreUnavailable):  # it ends by itself
            await self._attempts.coordination.release("refresh", found.attempt.id, owner=self._name)


def _access(found: SignIn) -> str | None:
    return None if found.tokens is None else found.tokens.access
