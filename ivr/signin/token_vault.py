"""Gives out access tokens: of a call, for one request, to a host that the operator allows. They are renewed in time."""

import logging
from collections.abc import Callable
from typing import Final

from ivr.sign_in_ports import SignInRefused
from ivr.sign_in_storage import Tokens
from ivr.signin.attempt_rules import ended
from ivr.signin.attempts import Attempts, Held
from ivr.signin.authority import Authority, AuthorityAway, AuthorityRefused

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

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None) -> str | None:
        """Return the access token; None: nobody is signed in. Raises SignInRefused."""
        if not self._allows(address):
            log.warning("sign-in refused", extra={"call": call, "reason": "host"})
            raise SignInRefused("host", "the token must not be sent to this host")
        held = self._signed_in(call, name)
        if held is None or self._authority is None:
            return None
        async with held.lock:  # of many requests at once, one renews
            tokens = held.tokens
            if tokens is None or held.gone:
                return None
            if tokens.access != refused and self._attempts.now() < tokens.ends - LAST_MINUTES:
                return tokens.access
            renewed = await self._renewed(held, tokens, self._authority, refused)
            return renewed.access if renewed is not None else None

    def _signed_in(self, call: str, name: str) -> Held | None:
        found = [one for one in self._attempts.of_call(call) if one.attempt.name == name]
        return next((one for one in reversed(found) if one.attempt.phase == "signedIn" and one.tokens), None)

    async def _renewed(self, held: Held, tokens: Tokens, authority: Authority, refused: str | None) -> Tokens | None:
        attempt = held.attempt
        good = tokens.access != refused and self._attempts.now() < tokens.ends
        if tokens.refresh is None:
            return tokens if good else None
        try:
            fresh = await authority.refresh(tokens, scopes=attempt.scopes, device=attempt.by == "device")
        except AuthorityAway as error:
            if good:
                return tokens
            raise SignInRefused("unreachable", "the identity provider does not answer") from error
        except AuthorityRefused as error:
            # It was withdrawn, or its directory says so: nobody is signed in any more.
            log.warning("sign-in ended", extra={"call": attempt.call, "reason": error.error})
            await self._attempts.save(held, ended(attempt, "failed"))
            return None
        return fresh if await self._attempts.save(held, attempt, fresh) else None
