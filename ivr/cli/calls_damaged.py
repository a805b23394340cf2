"""Calls that cannot be read: which they are, and what of them is damaged."""

from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import Struct

from ivr.cli.datafolder import stored_calls
from ivr.cli.stored_calls import StoredCalls
from ivr.cli.terminal_text import escaped
from ivr.errors import DataUnusable, FlowError
from ivr.settings import SettingsError, load_settings
from ivr.trace.stored_flows import StoredFlows


class DamagedEntry(Struct, frozen=True):
    """One call."""

    id: str
    channel: str
    platform: str
    "The platform's id of it."
    over: bool
    what: str

    def as_text(self) -> str:
        """Write it for people."""
        standing = "finished" if self.over else "not finished, set aside"
        return f"{escaped(self.id)}  ({standing}; {escaped(self.channel)}: {escaped(self.platform)}) {self.what}"

    def as_json(self) -> dict[str, str | bool]:
        """Write it for programs."""
        return {
            "id": self.id,
            "channel": self.channel,
            "platformCall": self.platform,
            "over": self.over,
            "reason": self.what,
        }


def damaged_calls(data: Path | None) -> Iterator[DamagedEntry]:
    """Return every stored call that cannot be read, or end the command."""
    trouble = ""
    try:
        load_settings()
    except SettingsError as error:
        trouble = str(error)
    with stored_calls(data) as archive:
        yield from _unreadable(archive, sealed=_opens_seals(archive, trouble))
        yield from _without_flow(archive)


def _opens_seals(archive: StoredCalls, trouble: str) -> bool:
    """Return whether sealed values can be judged; `trouble`: why the settings may lack their key."""
    try:
        opens = not trouble and archive.opens_seals()
    except DataUnusable as error:
        opens, trouble = False, str(error)
    if not opens:
        why = f": {trouble}" if trouble else ", because their key was not found."
        click.echo(f"Sealed values are not checked{why}", err=True)
    return opens


def _unreadable(archive: StoredCalls, *, sealed: bool) -> Iterator[DamagedEntry]:
    for one in archive.damaged(sealed=sealed):
        yield DamagedEntry(one.id, str(one.key.channel), str(one.key.id), one.over, f"{one.what}.")


def _without_flow(archive: StoredCalls) -> Iterator[DamagedEntry]:
    """Return the calls that cannot go on because the flow that they began with is lost."""
    flows = StoredFlows(archive.flow)
    lost: dict[str, str] = {}
    for call in archive.recent():
        if call.over or call.damaged:
            continue
        if call.flow not in lost:
            try:
                flows.get(call.flow)
                lost[call.flow] = ""
            except FlowError as error:
                lost[call.flow] = str(error)
        if lost[call.flow]:
            yield DamagedEntry(call.id, call.channel, "", over=False, what=f"{lost[call.flow]}.")
