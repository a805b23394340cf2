"""`ivr calls recordings`: what a caller left, as files."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import BinaryIO

import click

from ivr.errors import StoreUnavailable
from ivr.storage import MediaStore


def save(media: MediaStore, names: Sequence[str], to: Path) -> None:
    """Save recordings in a folder, for their owner alone to read, and print which; end the command if one is missing.

    A file of the same name is replaced.
    """
    try:
        to.mkdir(parents=True, exist_ok=True)
        sizes = asyncio.run(_saved(media, names, to))
    except StoreUnavailable as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or to} cannot be written: {error.strerror}") from error
    for name, size in zip(names, sizes, strict=True):
        click.echo(f"{to / name}  {size:,} bytes" if size is not None else f"{name} no longer exists", err=size is None)
    if None in sizes:
        raise click.exceptions.Exit(1)


async def _saved(media: MediaStore, names: Sequence[str], to: Path) -> Sequence[int | None]:
    """Return the size in bytes of each; None: it is not there any more."""
    try:
        return [await _save(media, name, to / name) for name in names]
    finally:
        await media.close()


async def _save(media: MediaStore, name: str, file: Path) -> int | None:
    async with AsyncExitStack() as stack:
        try:
            source = await stack.enter_async_context(media.open(name))
        except FileNotFoundError:
            return None
        return _copied(source, file)


def _copied(source: BinaryIO, file: Path) -> int:
    with open(file, "wb", opener=_private) as target:
        shutil.copyfileobj(source, target)
        return target.tell()


def _private(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)
