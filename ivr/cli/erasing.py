"""Erasing a caller: what is deleted, in which order, and the receipt."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ivr.errors import DataUnusable, FolderInUse, StoreUnavailable
from ivr.store.archive import ErasedCall, Erasure, erase_calls
from ivr.store.folder import DataFolder, sync_folder
from ivr.trace.case import MAX_BYTES, Called, CaseError, loads
from ivr.trace.folders import CASES, SUFFIX

PATIENCE = 5.0
"Seconds that commands which are reading are waited for."


def erase(folder: DataFolder, caller: str, *, ask: bool, patience: float = PATIENCE) -> None:
    """Erase a caller from a data folder and print a receipt; ends the command if the folder is in use.

    The command fails, too, if something of the caller is left on the disk; the receipt says so.
    """
    if not folder.database.is_file():
        raise click.ClickException(f"There are no calls yet: {folder.database} does not exist.")
    if ask:
        click.confirm(f"Erase every call of {caller} for good?", abort=True)
    try:
        with DataFolder.open(folder.path):
            # Rows first: audio that no call names is swept by the server, should this be cut off in between.
            erasure = erase_calls(folder.database, caller, patience=patience)
            audio = list(_delete_audio(folder, erasure.calls))
    except (FolderInUse, DataUnusable) as error:
        raise click.ClickException(str(error)) from error
    except (OSError, StoreUnavailable) as error:
        raise click.ClickException(f"Not everything could be erased: {error}. Try again.") from error
    _receipt(caller, erasure, audio)
    if erasure.left:
        raise click.exceptions.Exit(1)


def _delete_audio(folder: DataFolder, erased: Sequence[ErasedCall]) -> Iterator[tuple[str, int]]:
    """Delete the audio files; give name and size of each that was there."""
    for name in (name for call in erased for name in call.recordings):
        file = folder.audio / name
        if file.parent != folder.audio or not file.is_file():
            continue
        size = file.stat().st_size
        file.unlink()
        yield name, size
    sync_folder(folder.audio)


def _receipt(caller: str, erasure: Erasure, audio: Sequence[tuple[str, int]]) -> None:
    now = datetime.now(UTC)
    click.echo(f"Receipt: {caller} was erased at {now:%Y-%m-%d %H:%M:%S} UTC.")
    for call in erasure.calls:
        started = datetime.fromtimestamp(call.started, UTC)
        click.echo(f"  call {call.id} of {started:%Y-%m-%d %H:%M:%S} UTC: trace of {call.lines} lines, transcripts")
    for name, size in audio:
        click.echo(f"  audio {name}: {size} bytes")
    click.echo(f"Erased: {len(erasure.calls)} calls, {len(audio)} recordings.")
    if erasure.left:
        click.echo(f"NOT YET GONE FROM THE DISK: the database's log still holds what was erased, since {erasure.left}.")
        click.echo("Run this command again when that is over.")
    if cases := list(_cases_of(caller)):
        click.echo("Not erased, since they are files of yours; these cases hold a call of this caller:")
        for file in cases:
            click.echo(f"  {file}")
    click.echo("Not touched: backups, and logs of the server (they hold the ids of calls, never who called).")


def _cases_of(caller: str) -> Iterator[Path]:
    for file in sorted(CASES.rglob(f"*{SUFFIX}")):
        try:
            with file.open("rb") as opened:
                first = loads(opened.read(MAX_BYTES + 1), str(file)).lines[0].event
        except (OSError, CaseError):
            continue
        if isinstance(first, Called) and first.caller == caller:
            yield file
