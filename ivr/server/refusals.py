"""What the log says of refused requests: a few lines for each reason, then how many there were besides.

Any client can be refused any number of times. A line for each would fill the disk, and hide what else happens.
"""

import asyncio
import logging

from ivr.server.telemetry.label_counts import LabelCounts

log = logging.getLogger(__name__)

MOST = 20
"Lines for one reason within `WINDOW`."
WINDOW = 10.0
"Seconds."


class Refusals:
    """The lines of one server; to be used in its event loop."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        "How often in this window, by event and kind."
        self._levels: dict[tuple[str, str], int] = {}
        self.totals = LabelCounts()
        "How often since the start, by event and kind."
        self._end: asyncio.TimerHandle | None = None

    def report(
        self,
        event: str,
        *,
        reason: str,
        kind: str | None = None,
        level: int = logging.INFO,
        error: BaseException | None = None,
        **more: object,
    ) -> None:
        """Log a refusal, or count it. Reasons must be few; where one is a sentence, `kind` is what is counted."""
        if self._end is None:
            self._end = asyncio.get_running_loop().call_later(WINDOW, self.close)
        key = event, reason if kind is None else kind
        self._counts[key] = count = self._counts.get(key, 0) + 1
        self._levels[key] = level
        self.totals.count(*key)
        if count <= MOST:
            log.log(level, event, extra={"reason": reason, **more}, exc_info=error)

    def close(self) -> None:
        """End the window: say how many were left out of the log, of each kind."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        for (event, kind), count in self._counts.items():
            if count > MOST:
                log.log(self._levels[event, kind], event, extra={"reason": kind, "left_out": count - MOST})
        self._counts.clear()
        self._levels.clear()
