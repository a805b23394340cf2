"""Erasing a caller: what is deleted, in which order, and the receipt."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec import Struct

from ivr.bot_state import ErasedStates
from ivr.cli.stored_calls import StoredCalls
from ivr.engine.events import CallPlaced
from ivr.errors import DataUnusable, FolderInUse, StoreUnavailable
from ivr.nearest import did_you_mean
from ivr.storage import PATIENCE, ErasedCall, Erasure
from ivr.store.data_folder import DataFolder, sync_folder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.trace.case import CaseError
from ivr.trace.files import read_case
from ivr.trace.folders import CASES, SUFFIX


class DeletedFiles(Struct, frozen=True):
    """What became of the recordings, and of mails that were written as files."""

    gone: Sequence[tuple[str, int]]
    "Name and size in bytes of each recording that was there."
    left: Sequence[str]
    "What could not be deleted, and why."
    mails: Sequence[tuple[str, int]] = ()
    "Name and size in bytes of each mail that was there as a file."
    mails_left: Sequence[tuple[Path, str]] = ()
    "Mails that could not be deleted, and why."


class ErasureTarget(Struct, frozen=True):
    """What is to be erased: all calls of a caller, or one call."""

    caller: str | None = None
    call: str | None = None

    def __str__(self) -> str:
        """Return it as a part of a sentence."""
        return f"call {self.call}" if self.caller is None else self.caller


def erase(location: StoreLocation, wanted: ErasureTarget, *, ask: bool, patience: float = PATIENCE) -> None:
    """Erase a caller, or one call, and print a receipt; ends the command if a server has the store for itself.

    The command fails, too, if something of the caller is left on the disk, as the receipt says, and if there is no
    such call, since the name was mistaken then; of that there is no receipt.
    """
    kept, folder = ErasedStates(0), location.folder
    try:
        location.require()
        with (
            location.hold(),  # before anything is asked: a server that has the store for itself must be stopped first
            StoredCalls(open_for_command(location, patience=patience)) as archive,
        ):
            known, records = _known(archive, wanted), _count_records(archive, wanted)
            if ask and (known[str(wanted)] or records):
                click.confirm(_question(known[str(wanted)], records, wanted), abort=True)
            kept = _erase_records(archive, wanted)
            # Rows first: audio that no call names is swept by the server, should this be cut off in between. Without
            # any, too: the database's log may hold what was erased before.
            erasure = archive.erase(caller=wanted.caller, call=wanted.call)
            files = _delete_files(folder, erasure.calls)
    except (FolderInUse, DataUnusable) as error:
        raise click.ClickException(str(error)) from error
    except StoreUnavailable as error:
        what = f"{_records(kept.records)} erased, but no call" if kept.records else "Nothing was erased"
        raise click.ClickException(f"{what}: {error}. Try again.") from error
    found = bool(erasure.calls or erasure.values or kept.records)
    if found:
        _receipt(folder, wanted, erasure, files, kept)
    else:
        which = f"No call of {wanted}" if wanted.caller else f"No {wanted}"
        click.echo(f"{which} was found. Nothing was erased. {did_you_mean(str(wanted), known)}".rstrip())
        _tell_log(erasure)
        _tell_rest(wanted, erasure)
    if erasure.left or files.left or files.mails_left or erasure.unknown_values or not found:
        raise click.exceptions.Exit(1)


def _count_records(stored: StoredCalls, wanted: ErasureTarget) -> int:
    """Count what bots keep of a caller: it is kept under the id that the caller has on a channel."""
    if wanted.caller is None:
        return 0
    return stored.ask(lambda store: store.states.count(wanted.caller))


def _erase_records(stored: StoredCalls, wanted: ErasureTarget) -> ErasedStates:
    if wanted.caller is None:
        return ErasedStates(0)
    return stored.ask(lambda store: store.states.erase(wanted.caller))


def _known(archive: StoredCalls, wanted: ErasureTarget) -> Counter[str]:
    """Count the calls of each caller, those of the newest call first; or find the one call."""
    if wanted.call is not None:
        return Counter([str(wanted)] * archive.find(wanted.call).count(wanted.call))
    return Counter(call.party for call in archive.recent() if call.party is not None)


def _question(number: int, records: int, wanted: ErasureTarget) -> str:
    what = str(wanted) if wanted.caller is None else f"{_many(number, 'call')} of {wanted}"
    return f"Erase {what}{f' and {_records(records)}' if records else ''} permanently?"


def _records(number: int) -> str:
    return f"{_many(number, 'record')} of bots"


def _delete_files(folder: DataFolder, erased: Sequence[ErasedCall]) -> DeletedFiles:
    """Delete recordings and mails, each whatever becomes of the others; what was in the rows is gone with them."""
    gone = [(name, size) for call in erased for name, size in call.recordings if size is not None]
    named = [folder.audio / name for call in erased for name, size in call.recordings if size is None]
    deleted, kept = _deleted(file for file in named if file.parent == folder.audio)
    left = [f"audio {file.name} ({why})" for file, why in kept]
    try:
        if folder.audio.is_dir():
            sync_folder(folder.audio)
    except OSError as error:
        left.append(f"file names in {folder.audio}, until they are written to the disk ({error.strerror})")
    mails, mails_left = _deleted(folder.mails_of({call.id for call in erased}))
    return DeletedFiles([*gone, *deleted], left, mails, mails_left)


def _deleted(files: Iterable[Path]) -> tuple[Sequence[tuple[str, int]], Sequence[tuple[Path, str]]]:
    """Delete files; return name and size of those that were there, and which could not be deleted, and why."""
    gone, left = [], []
    for file in files:
        try:
            on_disk = file.stat().st_size
            file.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            left.append((file, str(error.strerror)))
        else:
            gone.append((file.name, on_disk))
    return gone, left


def _receipt(
    folder: DataFolder, wanted: ErasureTarget, erasure: Erasure, files: DeletedFiles, kept: ErasedStates
) -> None:
    now = datetime.now(UTC)
    click.echo(f"Receipt: {wanted} was erased at {now:%Y-%m-%d %H:%M:%S} UTC.")
    for call in erasure.calls:
        started = datetime.fromtimestamp(call.started, UTC)
        trace = f"trace of {_many(call.lines, 'line')}"
        click.echo(f"  call {call.id} of {started:%Y-%m-%d %H:%M:%S} UTC: {trace}, transcripts")
    for what, deleted in (("audio", files.gone), ("mail", files.mails)):
        for name, size in deleted:
            click.echo(f"  {what} {name}: {_many(size, 'byte')}")
    if erasure.values:
        click.echo(f"  what flows had kept of the caller: {_many(erasure.values, 'value')}")
    more = f", {_many(len(files.mails), 'mail')}" if files.mails else ""
    more += f", {_records(kept.records)}" if kept.records else ""
    click.echo(f"Erased: {_many(len(erasure.calls), 'call')}, {_many(len(files.gone), 'recording')}{more}.")
    _tell_log(erasure)
    for file, why in files.mails_left:
        click.echo(f"STILL ON THE DISK: {file} ({why}). Delete it by hand.")
    if files.left:
        click.echo("STILL ON THE DISK:")
        for what in files.left:
            click.echo(f"  {what}")
        click.echo("These files belong to no call any more, so this command will not find them again. A running server")
        click.echo(f"deletes them after IVR_SWEEP_AFTER seconds. To delete them now, use the folder {folder.audio}.")
    _tell_rest(wanted, erasure)
    click.echo("Not erased: backups, and the server's logs (they contain call ids, but no callers).")


def _tell_log(erasure: Erasure) -> None:
    if erasure.left:
        click.echo(f"STILL ON THE DISK: the erased data is still in the database's log, because {erasure.left}.")
        click.echo("Run this command again later. It will find no call, and will empty the log.")


def _tell_rest(wanted: ErasureTarget, erasure: Erasure) -> None:
    """Print where else something of a caller may be."""
    if wanted.caller is None:
        return
    if erasure.unread:
        click.echo(
            f"Not erased: {_many(erasure.unread, 'damaged call')} without a readable caller, perhaps of this caller."
        )
        click.echo("To find and erase them: ivr calls damaged, then ivr calls erase --call ID")
    if erasure.unknown_values:
        click.echo(
            "STILL ON THE DISK: what flows have kept of callers. Without the sealing key nobody can tell whose it is."
        )
        click.echo("Set IVR_SEAL_KEY as for the server, or put its key file back, and run this command again.")
    _tell_cases(wanted.caller)


def _tell_cases(caller: str) -> None:
    if cases := list(_cases_of(caller)):
        click.echo("Not erased, because they are your own files: these cases contain a call of this caller:")
        for file in cases:
            click.echo(f"  {file}")


def _cases_of(caller: str) -> Iterator[Path]:
    for file in sorted(CASES.rglob(f"*{SUFFIX}")):
        try:
            first = read_case(file).lines[0].event
        except CaseError:
            continue
        who = first.called if isinstance(first, CallPlaced) else getattr(first, "caller", None)
        if who == caller:
            yield file


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
