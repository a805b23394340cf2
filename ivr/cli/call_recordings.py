"""`ivr calls recordings`: what a caller left, listed or saved as files."""

import os
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import BinaryIO

import click

from ivr.cli.stored_calls import StoredCalls
from ivr.errors import StoreUnavailable
from ivr.media_storage import MediaStore


def list_or_save(stored: StoredCalls, names: Sequence[str], to: Path | None) -> None:
    """Print the recordings of a call, and save them in a folder, if one is given; end the command if one is missing.

    The files are for their owner alone to read; one of the same name is replaced.
    """
    try:
        if to is not None:
            to.mkdir(parents=True, exist_ok=True)
        sizes = stored.ask(lambda store: _sizes(store.recordings, names, to))
    except StoreUnavailable as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or to} cannot be written: {error.strerror}") from error
    for name, size in zip(names, sizes, strict=True):
        shown = name if to is None else to / name
        click.echo(f"{shown}  {size:,} bytes" if size is not None else f"{name} no longer exists", err=size is None)
    if None in sizes:
        raise click.exceptions.Exit(1)


async def _sizes(media: MediaStore, names: Sequence[str], to: Path | None) -> Sequence[int | None]:
    """Return the size in bytes of each, once it is saved if there is a folder; None: it is not there any more."""
    return [await (_size(media, name) if to is None else _save(media, name, to / name)) for name in names]


async def _size(media: MediaStore, name: str) -> int | None:
    try:
        return await media.size(name)
    except FileNotFoundError:
        return None


async def _save(media: MediaStore, name: str, file: Path) -> int | None:
    async with AsyncExitStack() as stack:
        try:
            source = await stack.enter_async_context(media.open(name))
        except FileNotFoundError:
            return None
        return _copied(source, file)


def _copied(source: BinaryIO, file: Path) -> int:
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    try:
        with open(part, "wb", opener=_private) as target:
            shutil.copyfileobj(source, target)
            size = target.tell()
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return size


def _private(file: str, flags: int) -> int:
    return os.open(file, flags | os.O_EXCL, 0o600)
