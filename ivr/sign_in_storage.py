"""What a store keeps of sign-ins, and what it promises: attempts, and the tokens that came of them (docs/sign-in.md).

Nothing of it is in the memory of those who use it: a browser and the call that it belongs to may meet two servers.
"""

from collections.abc import Sequence
from math import inf
from typing import Final, Literal, Protocol, TypeAlias, get_args

from msgspec import Struct

from ivr.sign_in_ports import DirectoryUser, SignInWay

AttemptEnd: TypeAlias = Literal["signedIn", "declined", "expired", "burnt", "failed"]
AttemptPhase: TypeAlias = Literal["open", "sent", "redeeming", "proved", "polling"] | AttemptEnd
"""How far an attempt is.

`open`: link and ticket are good. `sent`: one browser has used them, and is at the provider. `redeeming`: it is back,
and the tokens are being fetched. `proved`: they are there, and the caller's code is awaited. `polling`: of `device`,
the provider is asked now and then. All others are ends.
"""

KEPT: Final = 3600.0
"Seconds for which an attempt that came to nothing is kept after its time, for whoever still asks."
_ENDS: Final[frozenset[str]] = frozenset(get_args(AttemptEnd))
_UNDER_WAY: Final = frozenset({"redeeming", "polling"})
"Phases in which a server has something to do, which it may not live to do."


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
    version: int = 0
    "Changes so far, counted by the store."


class Watched(Struct, frozen=True):
    """A sign-in that house-keeping has to look at."""

    sign_in: SignIn
    over: bool
    "Its call is over, or erased."


class SignInStore(Protocol):
    """Attempts and tokens, sealed wherever they are stored, and erased with their call. Raises StoreUnavailable.

    Several servers may change one attempt: each change is made from what was read, and is none if that has changed.
    What cannot be read is not there.
    """

    async def add(self, attempt: Attempt) -> None:
        """Keep a new attempt; nothing where there is no such call. It survives `kill -9` before this returns."""

    async def get(self, attempt: str) -> SignIn | None:
        """Return an attempt by its id; None: there is none."""

    async def known(self, digest: str) -> SignIn | None:
        """Return the attempt that has this digest (`digests_of`)."""

    async def of_call(self, call: str) -> Sequence[SignIn]:
        """Return the attempts of a call, the oldest first."""

    async def count(self) -> int:
        """Count all that there are."""

    async def change(self, before: SignIn, after: SignIn) -> SignIn | None:
        """Keep `after` in the place of `before`, attempt and tokens, both or neither; None: it is as before no longer.

        Returned with its new version. It survives `kill -9` and power loss before this returns.
        """

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""

    async def watched(self, now: float) -> Sequence[Watched]:
        """Return those of calls that are over, and those that are due by then (`due_at`); of many, the first ones."""


def digests_of(attempt: Attempt) -> Sequence[str]:
    """Return the digests by which an attempt is found: those of its links, its ticket and its state."""
    return [digest for digest in (attempt.link, attempt.entry, attempt.ticket, attempt.state) if digest]


def due_at(sign_in: SignIn) -> float:
    """Return when house-keeping has to look at it, in seconds since 1970."""
    attempt = sign_in.attempt
    if attempt.phase in _UNDER_WAY:
        return 0.0
    if attempt.phase not in _ENDS:
        return attempt.ends
    return attempt.ends + KEPT if sign_in.tokens is None else inf
