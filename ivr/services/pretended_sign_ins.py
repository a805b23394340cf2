"""Sign-ins for who tries a flow out without an identity provider: everybody is let in by one code, and nobody asked.

Only in a server for development. No page is served, and the token that it hands out is none.
"""

import logging
from typing import Final

from ivr.sign_in_ports import Begun, SignInCaller, SignInOrder, SignInResult

log = logging.getLogger(__name__)

CODE: Final = "12345678"
"The right code of every sign-in."
TOKEN: Final = "pretended"  # noqa: S105  # opens nothing
TRIES: Final = 5
_PAGE = "sign-in.example"
_TICKET = "123456789"


class PretendedSignIns:
    """Attempts and tokens that are made up; follows `ivr.sign_in_ports.SignIns`."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], int] = {}
        "By call and attempt: how many codes were wrong."
        self._names: dict[tuple[str, str], str] = {}
        self._signed_in: set[tuple[str, str]] = set()
        log.warning("sign-ins are pretended", extra={"reason": "no identity provider is set"})

    async def begin(self, call: str, order: SignInOrder, caller: SignInCaller) -> Begun:
        """Begin an attempt."""
        self._wrong[call, order.job] = 0
        self._names[call, order.job] = order.name
        if order.by == "device":
            return Begun(order.job, "device", _PAGE, code="ABCD1234")
        return Begun(order.job, "code", _PAGE, _TICKET, f"https://{_PAGE}/s/{_TICKET}")

    async def check(self, call: str, attempt: str, code: str | None) -> SignInResult:
        """Judge a code; without one, all is done."""
        if (call, attempt) not in self._wrong:
            return "expired"
        if code not in {CODE, None}:
            self._wrong[call, attempt] += 1
            if self._wrong[call, attempt] < TRIES:
                return "wrong"
            del self._wrong[call, attempt]
            return "burnt"
        self._signed_in.add((call, self._names[call, attempt]))
        return "signedIn"

    async def settled(self, call: str, attempt: str) -> SignInResult:
        """Let whoever is awaited in."""
        return await self.check(call, attempt, None)

    async def close(self, call: str) -> None:
        """Forget a call."""
        for known in (self._wrong, self._names):
            for key in [key for key in known if key[0] == call]:
                del known[key]
        self._signed_in = {key for key in self._signed_in if key[0] != call}

    async def bearer(self, call: str, name: str, *, address: str, refused: str | None = None) -> str | None:
        """Return what stands for a token, to whoever is signed in."""
        return TOKEN if (call, name) in self._signed_in and refused is None else None
