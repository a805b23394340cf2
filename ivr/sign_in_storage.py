"""What a store keeps of sign-ins, and what it promises: attempts, and the tokens that came of them (docs/sign-in.md).

Whoever uses it has all of it in memory; the store is read once, when a server starts.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.sign_in_ports import DirectoryUser, SignInWay

AttemptEnd: TypeAlias = Literal["signedIn", "declined", "expired", "burnt", "failed"]
AttemptPhase: TypeAlias = Literal["open", "sent", "redeeming", "proved", "polling"] | AttemptEnd
"""How far an attempt is.

`open`: link and ticket are good. `sent`: one browser has used them, and is at the provider. `redeeming`: it is back,
and the tokens are being fetched. `proved`: they are there, and the caller's code is awaited. `polling`: of `device`,
the provider is asked now and then. All others are ends.
"""


class Attempt(Struct, frozen=True, omit_defaults=True):
    """One attempt of a call. What browsers hold is here by its digest alone, and so is the caller's code."""

    id: str
    "32 hexadecimal digits; no secret."
    call: str
    "Our id of the call."
    job: str
    "The order's name within the call."
    name: str
    "What the flow calls it."
    by: SignInWay
    scopes: tuple[str, ...]
    language: str
    caller: str
    "The last two digits of the caller's number; empty: it has none."
    made: float
    "Seconds since 1970, like `ends`."
    ends: float
    phase: AttemptPhase
    wanted: DirectoryUser | None = None
    "Who has to sign in, of `link` alone."
    link: str = ""
    "Digest of the one-time link."
    entry: str = ""
    "Digest of the link that whoever entered the ticket was given."
    ticket: str = ""
    browser: str = ""
    "Digest of the cookie of the one browser."
    state: str = ""
    "Digest of what the provider sends back."
    nonce: str = ""
    verifier: str = ""
    "Of PKCE (RFC 7636)."
    code: str = ""
    "Digest of the caller's code; empty: none was shown."
    wrong: int = 0
    "Wrong codes so far."
    device_code: str = ""
    interval: float = 0.0
    "Seconds between two polls."


class Tokens(Struct, frozen=True):
    """What the provider gave."""

    access: str
    ends: float
    "When the access token is good no longer, in seconds since 1970."
    refresh: str | None
    user: DirectoryUser
    "Whose they are."


class SignIn(Struct, frozen=True):
    """An attempt, and the tokens that it has brought."""

    attempt: Attempt
    tokens: Tokens | None = None


class SignInStore(Protocol):
    """Attempts and tokens, sealed wherever they are stored, and erased with their call. Raises StoreUnavailable."""

    async def load(self) -> Sequence[SignIn]:
        """Return those of calls that are not over, the oldest first; what cannot be read is left out."""

    async def save(self, sign_in: SignIn) -> None:
        """Keep an attempt and its tokens as they are now, both or neither; nothing where there is no such call.

        It survives `kill -9` and power loss before this returns.
        """

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""

    async def over(self, calls: Sequence[str]) -> Sequence[str]:
        """Return those of these calls that are over, or that there are not."""

    async def close(self) -> None:
        """Let go of the data."""
