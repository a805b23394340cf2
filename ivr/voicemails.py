"""What callers have left as recordings, and which of them an operator has marked as done, for the console."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ivr.call_record import CallRecord, Stepped


class RecordedCall(Struct, frozen=True):
    """A call that took recordings; without what is private in it."""

    record: CallRecord
    trace: Sequence[Stepped]
    done: Mapping[str, float]
    "Those of its recordings that are done, and when they were marked as such, in seconds since 1970."


class RecordedCalls(Struct, frozen=True):
    """What one look has found."""

    calls: Sequence[RecordedCall]
    "The newest first."
    next: int | None
    "Before which row the next look goes on; None: there are no older ones."


class Voicemails(Protocol):
    """Recordings by call; everything raises StoreUnavailable. What is done goes with its call."""

    async def recorded(self, *, done: bool, before: int | None, limit: int, look: int) -> RecordedCalls:
        """Look for calls of which a recording is done, or of which one is not.

        Looks before a row (None: at the newest), at `look` calls with recordings at most, until `limit` are found.
        Calls that cannot be read are left out.
        """

    async def mark(self, call: str, media: str, *, done: bool, at: float) -> None:
        """Mark a recording of a call as done, or as not; durable once this returns.

        What is marked already stays as it is, and nothing happens if the call has no such recording.
        """
