"""Remembers the tokens that were found good: checking a signature costs a hundred times as much as looking here.

Tokens are remembered by their hash, so nothing is held here that could be stolen and used.
"""

from collections import OrderedDict
from hashlib import sha256

from msgspec import Struct

SKEW = 300
"Seconds by which the platform's clock and ours may differ (protocol 13)."

LIMIT = 4096
"Tokens; the platform uses one for many calls, so this is far more than are good at a time, in under a megabyte."


class Lifetime(Struct, frozen=True):
    """When a token is good, in seconds since 1970, by the platform's clock."""

    begins: float
    ends: float

    def objection(self, now: float) -> str | None:
        """Return what is wrong with the time; None: nothing."""
        if now < self.begins - SKEW:
            return "token-early"
        if now >= self.ends + SKEW:
            return "token-expired"
        return None


class VerifiedTokens:
    """The last `limit` good tokens. Good by one generation of keys: with the next, all are forgotten."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._generation = 0
        self._lifetimes: OrderedDict[bytes, Lifetime] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lifetimes)

    def get(self, token: str, generation: int) -> Lifetime | None:
        """Return a remembered token's lifetime, which may be over."""
        self._keep_only(generation)
        digest = _digest(token)
        lifetime = self._lifetimes.get(digest)
        if lifetime is not None:
            self._lifetimes.move_to_end(digest)
        return lifetime

    def add(self, token: str, lifetime: Lifetime, generation: int) -> None:
        """Remember a token, and forget the one that was not seen for longest if there are too many."""
        self._keep_only(generation)
        self._lifetimes[_digest(token)] = lifetime
        if len(self._lifetimes) > self._limit:
            self._lifetimes.popitem(last=False)

    def _keep_only(self, generation: int) -> None:
        if generation != self._generation:
            self._lifetimes.clear()
            self._generation = generation


def _digest(token: str) -> bytes:
    # Of the whole token, signature included: header and claims alone can be copied from another token.
    return sha256(token.encode()).digest()
