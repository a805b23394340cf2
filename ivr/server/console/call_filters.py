"""Which calls somebody wants to see, as the address of a list says it. Pure, but for the names of flows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from ivr.call_search import WantedCalls
from ivr.errors import WebhookError
from ivr.server.console.flow_names import FlowNames

LONGEST: Final = 200
"Characters of a condition."
FIELDS: Final = ("number", "flow", "outcome", "state", "channel", "since", "until")


class CallFilter(Struct, frozen=True):
    """What stands in the form, field by field, as it was written; empty: it does not matter."""

    number: str = ""
    flow: str = ""
    "The flow's name."
    outcome: str = ""
    state: str = ""
    channel: str = ""
    since: str = ""
    "In UTC, ISO 8601, like `until`; without a time of day it is the first moment of the day."
    until: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "CallFilter":
        """Read it from an address; raise WebhookError 400 for what cannot be looked for."""
        given = {name: _written(query.get(name, "")) for name in FIELDS}
        for name, value in given.items():
            if len(value) > LONGEST:
                raise WebhookError(400, "filter", f"“{name}” is longer than {LONGEST} characters.")
        for name in ("since", "until"):
            if given[name]:
                in_utc(given[name])
        return cls(**given)

    @property
    def is_set(self) -> bool:
        """Whether anything matters."""
        return self != CallFilter()

    def query(self, **more: str) -> str:
        """Return what stands behind the question mark of an address, with the mark; empty: nothing."""
        stated = {name: value for name in FIELDS if (value := getattr(self, name))}
        encoded = urlencode({**stated, **more})
        return f"?{encoded}" if encoded else ""

    async def wanted(self, names: FlowNames) -> WantedCalls:
        """Return what a store is asked."""
        return WantedCalls(
            number=self.number,
            flows=await names.hashes(self.flow) if self.flow else None,
            channel=self.channel,
            state=self.state,
            outcome=self.outcome,
            since=in_utc(self.since).timestamp() if self.since else None,
            until=in_utc(self.until).timestamp() if self.until else None,
        )


def position_of(query: Mapping[str, str]) -> int | None:
    """Return where a page begins: before which row; None: at the newest. Raises WebhookError 400."""
    before = query.get("before", "")
    if not before:
        return None
    if not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise WebhookError(400, "page", "There is no such page.")
    return int(before)


def _written(given: str) -> str:
    """Return what somebody wrote, without what came along unseen: a number is often copied with marks around it."""
    return "".join(char for char in " ".join(given.split()) if char.isprintable())


def in_utc(moment: str) -> datetime:
    """Return a time as the address has it; raise WebhookError 400 for what is none, or none that UTC has."""
    try:
        at = datetime.fromisoformat(moment)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise WebhookError(400, "filter", "A time is written like 2026-03-01 or 2026-03-01T09:30 (UTC).") from error
