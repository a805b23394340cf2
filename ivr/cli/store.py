"""`ivr store`: where calls are kept, and the versions of a database that many servers share."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from ivr.errors import DataUnusable, StoreUnavailable
from ivr.settings import SettingsError, load_settings, location_of
from ivr.store.location import StoreLocation
from ivr.store.opened import SchemaUpkeep, SchemaVersion
from ivr.store.opening import open_upkeep

T = TypeVar("T")

settings_option = click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)


@click.group()
def store() -> None:
    """Look after the database of IVR_STORE, which many servers share.

    \b
    Example:  ivr store status
              ivr store migrate
    """


@store.command()
@settings_option
def status(file: Path | None) -> None:
    """Print which version the tables have. The exit status is 1 if this release cannot use them."""
    location = _location(file)
    found, known = _asked(location, _version)
    if found is None:
        click.echo(f"There is nothing yet in {location}: the first server makes its tables, of version {known}.")
        return
    click.echo(f"{_sentence(found, location)} This release is of version {known}.")
    if found.version < known:
        click.echo("To bring them up to date: ivr store migrate")
    if not found.least <= known <= found.version:
        raise click.exceptions.Exit(1)


@store.command()
@click.option("--back", is_flag=True, help="Go back by one version, which only the release that came from there can.")
@settings_option
def migrate(*, back: bool, file: Path | None) -> None:
    """Bring the tables to the version of this release, while servers go on.

    Servers of the version before can use them, too. So: migrate first, then replace the servers one after the other. As
    long as none of the new ones runs, --back undoes it.
    """
    location = _location(file)
    if back:
        click.echo(_sentence(_asked(location, lambda upkeep: upkeep.migrate_back()), location))
        return
    taken = _asked(location, lambda upkeep: upkeep.migrate())
    for one in taken:
        click.echo(_sentence(one, location))
    if not taken:
        found, _ = _asked(location, _version)
        click.echo(f"{_sentence(found, location) if found else ''} There is nothing to do.".lstrip())


async def _version(upkeep: SchemaUpkeep) -> tuple[SchemaVersion | None, int]:
    return await upkeep.version(), upkeep.known


def _sentence(found: SchemaVersion, location: StoreLocation) -> str:
    return (
        f"The tables of {location} have version {found.version}, for servers of version {found.least}"
        f"{'' if found.least == found.version else f' to {found.version}'}."
    )


def _location(file: Path | None) -> StoreLocation:
    try:
        return location_of(load_settings(file=file).settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _asked(location: StoreLocation, question: Callable[[SchemaUpkeep], Awaitable[T]]) -> T:
    """Ask a shared database, or end the command."""

    async def asked() -> T:
        upkeep = await open_upkeep(location)
        try:
            return await question(upkeep)
        finally:
            await upkeep.close()

    try:
        return asyncio.run(asked())
    except (DataUnusable, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error
