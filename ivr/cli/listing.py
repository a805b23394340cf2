"""The list of calls: which ones, and how they look."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice

import click
from msgspec import Struct

from ivr.cli.datafolder import SHORT
from ivr.store.archive import CallSummary
from ivr.trace.sentences import clock

_ROW = "{:<8}  {:<19}  {:<14}  {:<18}  {:>7}  {:<16}  {}"


class ListedCall(Struct, frozen=True):
    """One call in a list."""

    flow: str
    call: CallSummary

    def ended(self, now: float) -> str:
        """Return how the call ended, or for how long nothing was heard of it: its platform or server may be gone."""
        if self.call.damaged:
            return "(damaged: see ivr calls damaged)"
        if self.call.over:
            return self.call.outcome or "ended"
        silent = _roughly(now - self.call.ended)
        return f"(going on, silent for {silent})" if silent else "(going on)"

    def as_json(self) -> dict[str, str | float | bool | None]:
        """Return it for programs."""
        call = self.call
        return {
            "id": call.id,
            "flow": self.flow,
            "hash": call.flow,
            "channel": call.channel,
            "caller": call.caller,
            "called": call.called,
            "started": datetime.fromtimestamp(call.started, UTC).isoformat().replace("+00:00", "Z"),
            "seconds": round(max(call.ended - call.started, 0.0), 3),  # a clock may have been set back
            "state": call.state,
            "outcome": call.outcome if call.over else None,
            "over": call.over,
        }


class CallFilter(Struct, frozen=True):
    """Which calls are wanted; None: any."""

    flow: str | None
    since: float | None
    outcome: str | None
    caller: str | None
    state: str | None
    limit: int | None

    def among(self, listed: Iterator[ListedCall]) -> Iterator[ListedCall]:
        """Pick those that are wanted."""
        return islice(filter(self._wants, listed), self.limit)

    def _wants(self, one: ListedCall) -> bool:
        call = one.call
        return (
            self.flow in {None, one.flow}
            and (self.since is None or call.started >= self.since)
            and self.outcome in {None, call.outcome if call.over else None}
            and self.caller in {None, call.caller}
            and self.state in {None, call.state}
        )


def table(found: Iterator[ListedCall], *, now: float) -> None:
    """Print a list for people, row by row; `now` is in seconds since 1970."""
    first = next(found, None)
    if first is None:
        click.echo("No calls.")
        return
    click.echo(_ROW.format("call", "came in (UTC)", "flow", "caller", "lasted", "state", "outcome"))
    for one in chain([first], found):
        click.echo(_row(one, now))


def _row(one: ListedCall, now: float) -> str:
    call = one.call
    started = datetime.fromtimestamp(call.started, UTC).strftime("%Y-%m-%d %H:%M:%S")
    caller = call.caller or "(withheld)"
    lasted = clock(call.ended - call.started)
    words = (call.id[:SHORT], started, one.flow, caller, lasted, call.state, one.ended(now))
    return _ROW.format(*map(visible, words))


def _roughly(seconds: float) -> str:
    """Write a time in its largest unit; empty: under a minute, which a caller may well take to answer."""
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            number = int(seconds // unit)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return ""


def visible(text: str) -> str:
    """Write a platform's words for a terminal: what would steer it is shown, not done."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
