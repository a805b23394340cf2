"""`ivr store`: copies of all calls, and the versions of a database that many servers share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from ivr.cli.progress_bar import progress_bar
from ivr.errors import DataUnusable, FolderInUse, StoreUnavailable
from ivr.settings import SettingsError, load_settings, location_of
from ivr.store.copied_tables import CALLS, TURNS
from ivr.store.copying import RECORDINGS, Told, copy_store
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation, has_password, is_url
from ivr.store.opened import SchemaUpkeep, SchemaVersion
from ivr.store.opening import open_upkeep, opened_copy

T = TypeVar("T")

settings_option = click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)


FOLDER = "sqlite:"
"What the address of a data folder begins with."


class StoreAddress(click.ParamType[StoreLocation]):
    """A store on a command line, where nothing secret may be."""

    name = "store"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> StoreLocation:
        """Read it, or end the command."""
        text = str(value)
        if text.startswith(FOLDER) and text != FOLDER:
            return StoreLocation(DataFolder(Path(text.removeprefix(FOLDER))))
        if not is_url(text):
            self.fail("A store is sqlite:FOLDER or postgresql://USER@HOST/DATABASE.", param, ctx)
        if has_password(text):
            self.fail(
                "Others on this machine can read command lines: put the password into PGPASSWORD or ~/.pgpass, and "
                "leave it out of the address.",
                param,
                ctx,
            )
        return StoreLocation(DataFolder(Path()), text)


@click.group()
def store() -> None:
    """Copy all calls into another store, and look after the database of IVR_STORE, which many servers share.

    \b
    Example:  ivr store copy sqlite:recordings/live postgresql://ivr@db.example.com/ivr
              ivr store status
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


@store.command()
@click.argument("source", metavar="FROM", type=StoreAddress())
@click.argument("target", metavar="TO", type=StoreAddress())
@click.option("--anew", is_flag=True, help="Drop what an unfinished copy has left in TO, and begin again.")
def copy(source: StoreLocation, target: StoreLocation, *, anew: bool) -> None:
    """Copy all that is in a store into an empty one, while no server runs, and compare both.

    A store is sqlite:FOLDER, a data folder, or postgresql://USER@HOST/DATABASE; its password is in PGPASSWORD or
    ~/.pgpass. FROM is left as it is. A copy that was cut off goes on where it was, by the same command.
    """
    try:
        counted = asyncio.run(_copied(source, target, anew=anew))
    except (DataUnusable, FolderInUse, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"Copied {counted[CALLS.name]} calls with {counted[TURNS.name]} turns and all that belongs to them, "
        f"{counted[RECORDINGS]} recordings apart. Both sides were compared: they hold the same."
    )
    click.echo(
        "What is sealed needs the same key there: put it into IVR_SEAL_KEY. If it is not set so far, it is in the file "
        "seal.key of the data folder."
    )


async def _copied(source: StoreLocation, target: StoreLocation, *, anew: bool) -> Mapping[str, int]:
    with progress_bar("The stores are opened") as progress:

        def tell(told: Told) -> None:
            doing = "compares" if told.checking else "copies"
            progress.show(f"{doing} {told.what.replace('_', ' ')}", told.done, told.total)

        async with opened_copy(source, target, anew=anew) as (copied, filled):
            return await copy_store(copied, filled, tell)


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
