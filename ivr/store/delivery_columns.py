"""What is delivered to others, as the columns of a row, for every store.

Its tables have the same columns, so that it is claimed, settled and erased in one way; what the body holds is the
affair of each.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast, get_args

from msgspec import Struct

from ivr.errors import UnreadableRow
from ivr.outbox import DeliveryState, Notification, PlatformRequest
from ivr.ports import CallKey, Outbound
from ivr.store.rows import LATEST, read_notify, read_outbound

D = TypeVar("D")
UNREADABLE: Final = "it cannot be read"
"Why one that is damaged is given up."


class DeliveryColumns(Struct, Generic[D], frozen=True):
    """How the rows of a table are read: id, body, made, state, due, tries, reason."""

    read: Callable[[Sequence[Any]], D]
    "Raises UnreadableRow."
    stand_in: Callable[[str, str, str], D]
    "Stands for a row that cannot be read: of a call, by its name within the call, and the reason."

    def readable(self, row: Sequence[Any]) -> D:
        """Read a row back; of one that cannot be read, its name."""
        try:
            return self.read(row)
        except UnreadableRow:
            call, _, job = str(row[0]).partition(".")
            return self.stand_in(call, job, UNREADABLE)

    def sorted_out(self, rows: Sequence[Sequence[Any]]) -> tuple[list[D], list[str]]:
        """Return what can be read of rows, and by name what cannot."""
        read: list[D] = []
        damaged: list[str] = []
        for row in rows:
            try:
                read.append(self.read(row))
            except UnreadableRow:
                damaged.append(str(row[0]))
        return read, damaged


def read_notification(row: Sequence[Any]) -> Notification:
    """Read a row back; raise UnreadableRow."""
    call, job, body, made, state, due, tries, reason = _parts(row)
    notify = read_notify(body) if body != "" else None
    return Notification(call, notify, job, made, state, tries, due, reason)


def _unreadable_notification(call: str, job: str, reason: str) -> Notification:
    return Notification(call, None, job, 0.0, "dead", reason=reason)


def read_platform_request(row: Sequence[Any]) -> PlatformRequest:
    """Read a row back; raise UnreadableRow."""
    call, _, body, made, state, due, tries, reason = _parts(row)
    key, request = read_outbound(body)
    return PlatformRequest(call, key, request, made, state, tries, due, reason)


def _unreadable_request(call: str, job: str, reason: str) -> PlatformRequest:
    """Return a request that is never sent again."""
    return PlatformRequest(call, CallKey("?", "", ""), Outbound(job, "?", "", once=True), 0.0, "dead", reason=reason)


def _parts(row: Sequence[Any]) -> tuple[str, str, str, float, DeliveryState, float, int, str]:
    name, body, made, state, due, tries, reason = row
    times = (made, due)
    if state not in get_args(DeliveryState) or not all(isinstance(at, float) and abs(at) <= LATEST for at in times):
        raise UnreadableRow("what is to be delivered has an invalid format")
    call, _, job = str(name).partition(".")
    return call, job, body, made, cast("DeliveryState", state), due, int(tries), str(reason)


NOTIFICATION_COLUMNS: Final = DeliveryColumns(read_notification, _unreadable_notification)
REQUEST_COLUMNS: Final = DeliveryColumns(read_platform_request, _unreadable_request)
