"""The recordings that are on their way in.

A platform tells the end of a call apart from the recording that the end cut off, and the upload takes as long as it
takes. A call that waits for its recording is not closed while one that may be its own is under way. Which call it
belongs to is in the part of the form that mostly comes first; until that part is there, it may belong to any call.

Where several servers share the store, the upload may be under way at one, and the deadline come up at another. So each
tells the others of those that take longer than a moment (`tell`), and an end is put off until that has been told. While
the store is away nobody can tell, so it is put off as long once that is back.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from ivr.coordination import Coordination, LocalCoordination, call_name
from ivr.ports import CallKey

OWN = 1.0
"Seconds for which an upload is nobody's business but its own server's: nearly all are over by then."
TOLD = 5.0
"Seconds within which one that takes longer has been told: `OWN`, and some rounds of a server with much to do."
GOOD = 10.0
"Seconds for which what was told is believed: its server may be gone."


class Arrival(Struct, eq=False):
    """One upload."""

    began: float
    "When its request's first byte came, in seconds since 1970."
    calls: frozenset[CallKey] | None = None
    "The calls it may belong to; None: not known yet."


class Arrivals:
    """All uploads that are not saved yet, nor refused."""

    def __init__(self, coordination: Coordination | None = None, *, now: Callable[[], float] = time.time) -> None:
        """Without `coordination`, there is no other server; `now` gives seconds since 1970."""
        self._coordination = coordination or LocalCoordination(now)
        self._now = now
        self._name = secrets.token_hex(8)
        self._open: set[Arrival] = set()
        self._has_told = False

    @contextmanager
    def count(self, began: float) -> Iterator[Arrival]:
        """Count an upload for as long as the context lasts."""
        arrival = Arrival(began)
        self._open.add(arrival)
        try:
            yield arrival
        finally:
            self._open.discard(arrival)

    async def under_way(self, key: CallKey, *, before: float) -> bool:
        """Return whether an upload that began before then is this call's, or may be; raise StoreUnavailable.

        Later ones do not count: else strangers' uploads, one after the other, would keep a call open for ever.
        """
        if any(one.began < before and (one.calls is None or key in one.calls) for one in self._open):
            return True
        if self._coordination.alone:
            return False
        if self._now() < before + TOLD or self._coordination.steady_for < TOLD:
            return True
        return await self._coordination.uploading(call_name(key), before=before)

    async def tell(self) -> None:
        """Let the other servers know what is under way here; to be done each second."""
        if self._coordination.alone:
            return
        uploads: dict[str, float] = {}
        for one in self._open:
            if one.began <= self._now() - OWN:
                for name in [""] if one.calls is None else [call_name(key) for key in one.calls]:
                    uploads[name] = min(one.began, uploads.get(name, one.began))
        if uploads or self._has_told:
            await self._coordination.tell_uploads(self._name, uploads, lasts=GOOD)
        self._has_told = bool(uploads)
