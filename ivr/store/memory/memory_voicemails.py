"""The twin in memory of recordings and which of them are done: what a `MemoryStore` holds. No method ever waits."""

from collections.abc import Mapping

from ivr.call_record import recordings_in
from ivr.store.live import Saved
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.rows import without_private
from ivr.voicemails import RecordedCall, RecordedCalls


class MemoryVoicemails:
    """`Voicemails`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def recorded(self, *, done: bool, before: int | None, limit: int, look: int) -> RecordedCalls:
        """Look for calls of which a recording is done, or of which one is not."""
        older = [saved for saved in reversed(self._store.calls.values()) if before is None or saved.row < before]
        looked = [saved for saved in older if (self._done(saved) if done else self._taken(saved))][:look]
        wanted = [saved for saved in looked if done or len(self._done(saved)) < len(self._taken(saved))]
        found = wanted[:limit]
        calls = [
            RecordedCall(without_private(saved.record), list(self._store.traces[saved.record.id]), self._done(saved))
            for saved in found
        ]
        if len(found) == limit:
            return RecordedCalls(calls, found[-1].row)
        return RecordedCalls(calls, looked[-1].row if len(looked) == look else None)

    async def mark(self, call: str, media: str, *, done: bool, at: float) -> None:
        """Mark a recording of a call as done, or as not."""
        saved = self._store.calls.get(call)
        if saved is None or media not in self._taken(saved):
            return
        if done:
            self._store.handled.setdefault(media, at)
        else:
            self._store.handled.pop(media, None)

    def _taken(self, saved: Saved) -> list[str]:
        return list(dict.fromkeys(recordings_in(self._store.traces[saved.record.id])))

    def _done(self, saved: Saved) -> Mapping[str, float]:
        handled = self._store.handled
        return {media: handled[media] for media in self._taken(saved) if media in handled}
