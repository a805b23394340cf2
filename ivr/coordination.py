"""What servers that share a store have to agree on: who does something, how often it was done, what is on its way in.

Each of these ends by itself, so a server that was killed holds nothing up for long. Nothing of a call is kept here, and
what is lost here loses nothing that was acknowledged.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from math import inf
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from ivr.ports import CallKey
from ivr.tally import Tally

LeaseKind: TypeAlias = Literal["chore", "poll", "redeem", "refresh", "recording", "session"]
"""What one has at a time.

`chore`: a task of house-keeping. `poll`: the provider is asked whether a device code was entered. `redeem`: tokens are
fetched for a browser that came back; `refresh`: a token is exchanged for a new one. `recording`: a caller is recorded
by a socket. `session`: somebody is logged in to the console.
"""
_SWEPT = 256
"Leases from which on those that are over are dropped before one more is taken."


class Bound(Struct, frozen=True):
    """How often something may be done."""

    kind: Literal["wrong ticket", "wrong tickets", "sign-in", "wrong codes", "placed call"]
    most: int
    window: float
    "Seconds in which it may be done so often."


class Coordination(Protocol):
    """Leases, counts and uploads of all servers on one store. Raises StoreUnavailable.

    A name is no secret: what must not be read in a database is named by a digest.
    """

    @property
    def alone(self) -> bool:
        """Whether no other server can be on this store."""

    @property
    def steady_for(self) -> float:
        """Seconds for which the store was there without a break, as this server knows; before, none could tell."""

    async def lease(self, kind: LeaseKind, name: str, *, owner: str, lasts: float) -> bool:
        """Take something for so many seconds, or keep what one has; False: it is another owner's."""

    async def leased(self, kind: LeaseKind, name: str) -> bool:
        """Return whether somebody has it."""

    async def release(self, kind: LeaseKind, name: str, *, owner: str) -> None:
        """Let go of what one has."""

    async def is_full(self, bound: Bound, who: str) -> bool:
        """Return whether somebody has done it as often as it may be done."""

    async def count(self, bound: Bound, who: str) -> bool:
        """Note that somebody does it; False: it is not noted, since it may not be done once more.

        Of any number that do it at once, no more are noted than may.
        """

    async def tell_uploads(self, owner: str, uploads: Mapping[str, float], *, lasts: float) -> None:
        """Note which uploads a server has under way, instead of what it told before, for so many seconds.

        By the name of the call (`call_name`; empty: any call's) since when, in seconds since 1970.
        """

    async def uploading(self, call: str, *, before: float) -> bool:
        """Return whether an upload that began before then may be this call's, at a server that has told of it."""


def call_name(key: CallKey) -> str:
    """Return a call as it is named here: by a digest, whatever its platform has put into its own name."""
    return sha256(f"{key.channel}/{key.account}/{key.id}".encode("utf-8", "surrogatepass")).hexdigest()


class LocalCoordination:
    """`Coordination` of a server that has its store for itself: all of it is in memory."""

    alone = True
    steady_for = inf

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives the time in seconds."""
        self._now = now
        self._leases: dict[tuple[LeaseKind, str], tuple[str, float]] = {}
        "Owner and end of each."
        self._tallies: dict[Bound, Tally] = {}
        self._uploads: dict[str, tuple[Mapping[str, float], float]] = {}
        "By server: what it has told, and for how long that is good."

    async def lease(self, kind: LeaseKind, name: str, *, owner: str, lasts: float) -> bool:
        """Take something for so many seconds, or keep what one has; False: it is another owner's."""
        now = self._now()
        if len(self._leases) >= _SWEPT:
            self._leases = {place: held for place, held in self._leases.items() if held[1] > now}
        has, until = self._leases.get((kind, name), (owner, 0.0))
        if has != owner and until > now:
            return False
        self._leases[kind, name] = owner, now + lasts
        return True

    async def leased(self, kind: LeaseKind, name: str) -> bool:
        """Return whether somebody has it."""
        return self._leases.get((kind, name), ("", 0.0))[1] > self._now()

    async def release(self, kind: LeaseKind, name: str, *, owner: str) -> None:
        """Let go of what one has."""
        if self._leases.get((kind, name), ("", 0.0))[0] == owner:
            del self._leases[kind, name]

    async def is_full(self, bound: Bound, who: str) -> bool:
        """Return whether somebody has done it as often as it may be done."""
        return self._tally(bound).is_full(who, self._now())

    async def count(self, bound: Bound, who: str) -> bool:
        """Note that somebody does it; False: it is not noted, since it may not be done once more."""
        tally, now = self._tally(bound), self._now()
        if tally.is_full(who, now):
            return False
        tally.count(who, now)
        return True

    async def tell_uploads(self, owner: str, uploads: Mapping[str, float], *, lasts: float) -> None:
        """Note which uploads a server has under way, instead of what it told before."""
        self._uploads[owner] = uploads, self._now() + lasts

    async def uploading(self, call: str, *, before: float) -> bool:
        """Return whether an upload that began before then may be this call's."""
        now = self._now()
        told = [uploads for uploads, until in self._uploads.values() if until > now]
        return any(uploads[name] < before for uploads in told for name in ("", call) if name in uploads)

    def _tally(self, bound: Bound) -> Tally:
        return self._tallies.setdefault(bound, Tally(bound.most, bound.window))
