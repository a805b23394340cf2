"""Calls that cannot be read: which they are, and what of them is damaged."""

from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import Struct

from ivr.cli.datafolder import data_folder, open_archive
from ivr.cli.terminal_text import escaped
from ivr.errors import DataUnusable, FlowError
from ivr.settings import SettingsError, load_settings
from ivr.store.archive import ArchiveFile
from ivr.store.data_folder import DataFolder
from ivr.store.sealing import Sealer
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
    folder = data_folder(data)
    with open_archive(data) as archive:
        yield from _unreadable(archive, _key(archive, folder))
        yield from _without_flow(archive)


def _key(archive: ArchiveFile, folder: DataFolder) -> Sealer | None:
    """Return the key, if it is at hand and the right one; without it, sealed values cannot be judged."""
    try:
        setting = load_settings().settings.seal_key
        sealer = Sealer.find(setting.get_secret_value() if setting else None, folder.seal_key)
    except (SettingsError, DataUnusable) as error:
        click.echo(f"Sealed values are not checked: {error}", err=True)
        return None
    if sealer.is_new or not archive.is_sealed_with(sealer):
        click.echo("Sealed values are not checked, because their key was not found.", err=True)
        return None
    return sealer


def _unreadable(archive: ArchiveFile, sealer: Sealer | None) -> Iterator[DamagedEntry]:
    for one in archive.damaged(sealer):
        yield DamagedEntry(str(one.id), str(one.key.channel), str(one.key.id), one.over, f"{one.what}.")


def _without_flow(archive: ArchiveFile) -> Iterator[DamagedEntry]:
    """Return the calls that cannot go on because the flow that they began with is lost."""
    flows = StoredFlows(archive.flow)
    lost: dict[str, str] = {}
    for call in archive.summaries():
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
