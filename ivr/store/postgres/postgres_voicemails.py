"""Recordings and which of them are done, in a database that several servers share.

An index holds which calls took recordings, so no other call is looked at.
"""

from collections import defaultdict
from typing import Final

from ivr.store.call_listing import NEWEST
from ivr.store.postgres.postgres_listing import find_these
from ivr.store.postgres.postgres_pool import LONG, PostgresPool
from ivr.store.postgres.postgres_text import can_stand
from ivr.voicemails import RecordedCall, RecordedCalls

# What is done is counted call by call, so that it is never read as a whole.
_OPEN: Final = """
SELECT call, taken > (SELECT count(*) FROM handled WHERE handled.call = recorded.call) FROM (
    SELECT call, count(DISTINCT media) AS taken FROM turn WHERE media IS NOT NULL AND call <= $1
    GROUP BY call ORDER BY call DESC LIMIT $2
) AS recorded ORDER BY call DESC
"""
_DONE: Final = "SELECT DISTINCT call, true FROM handled WHERE call <= $1 ORDER BY call DESC LIMIT $2"
_MARKS: Final = "SELECT id, media, at FROM handled JOIN call ON call.row = handled.call WHERE handled.call = ANY($1)"
# The lock keeps the call from being erased before the mark is there, which would stay behind.
_MARK: Final = """
WITH known AS MATERIALIZED (SELECT row, month FROM call WHERE id = $1 FOR KEY SHARE)
INSERT INTO handled (media, call, at) SELECT $2, row, $3 FROM known WHERE EXISTS (
    SELECT FROM turn WHERE turn.month = known.month AND turn.call = known.row AND media = $2
) ON CONFLICT DO NOTHING
"""
_UNDO: Final = "DELETE FROM handled WHERE media = $2 AND call = (SELECT row FROM call WHERE id = $1)"


class PostgresVoicemails:
    """`Voicemails`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def recorded(self, *, done: bool, before: int | None, limit: int, look: int) -> RecordedCalls:
        """Look for calls of which a recording is done, or of which one is not."""
        last = NEWEST if before is None else before - 1
        looked_at = await self._pool.rows(_DONE if done else _OPEN, last, look, patience=LONG)
        found = [row for row, wanted in map(tuple, looked_at) if wanted][:limit]
        marks: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for call, media, at in map(tuple, await self._pool.rows(_MARKS, found)):
            marks[call][media] = at
        calls = [
            RecordedCall(one.record, one.trace, marks[one.id])
            for one in reversed(await find_these(self._pool, found))
            if one.record is not None
        ]
        if len(found) == limit:
            return RecordedCalls(calls, found[-1])
        return RecordedCalls(calls, looked_at[-1][0] if len(looked_at) == look else None)

    async def mark(self, call: str, media: str, *, done: bool, at: float) -> None:
        """Mark a recording of a call as done, or as not; durable once this returns."""
        if not (can_stand(call) and can_stand(media)):
            return
        if done:
            await self._pool.rows(_MARK, call, media, at)
        else:
            await self._pool.rows(_UNDO, call, media)
