"""What stands in the store, looked at when somebody asks for the metrics, and not more often than every few seconds.

The store may be slow or away: whoever asks waits a moment at most, and is told so.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from ivr.errors import IvrError
from ivr.outbox import DeliveryState, Outbox, PlatformRequests
from ivr.server.telemetry.job_watch import DeliveryKind
from ivr.storage import Backlog, CallStore

log = logging.getLogger(__name__)

FRESH = 5.0
"Seconds for which a look is good: all servers ask the same database."
PATIENCE = 2.0
"Seconds after which a store that has not answered counts as away; Prometheus waits for ten."
_STATES: tuple[DeliveryState, ...] = ("waiting", "dead")


class StoreLook(Struct, frozen=True):
    """What was found."""

    up: bool = False
    backlog: Backlog = Backlog(0, 0)
    oldest: float = 0.0
    "Age of the oldest order without an answer, in seconds; 0: there is none."
    deliveries: Mapping[tuple[str, ...], int] = {}
    "How many by kind and state."


class StoreLooks:
    """Looks at one store, one at a time."""

    def __init__(self, store: CallStore, outbox: Outbox, requests: PlatformRequests) -> None:
        self._store = store
        self._counts: Mapping[DeliveryKind, Callable[[DeliveryState], Awaitable[int]]] = {
            "notification": outbox.count,
            "platform_request": requests.count,
        }
        self._began = 0.0
        self._look: asyncio.Future[StoreLook] | None = None

    async def now(self) -> StoreLook:
        """Return how it stands, as of some seconds ago at most; not up: it cannot be told."""
        now = asyncio.get_running_loop().time()
        if self._look is None or (self._look.done() and now - self._began >= FRESH):
            self._began = now
            self._look = asyncio.ensure_future(self._taken())
        look = self._look
        await asyncio.wait({look}, timeout=max(0.0, self._began + PATIENCE - now))
        return look.result() if look.done() else StoreLook()

    async def _taken(self) -> StoreLook:
        try:
            await self._store.probe()
            backlog = await self._store.backlog()
            deliveries: dict[tuple[str, ...], int] = {
                (kind, state): await count(state) for kind, count in self._counts.items() for state in _STATES
            }
        except IvrError:
            return StoreLook()
        except Exception:  # a mistake of ours must not hide all other metrics
            log.exception("store not counted")
            return StoreLook()
        oldest = 0.0 if backlog.oldest is None else max(0.0, time.time() - backlog.oldest)
        return StoreLook(True, backlog, oldest, deliveries)
