"""What commands that read calls share: finding the store, and a call in it by the beginning of its id."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec.structs import replace

from ivr.cli.stored_calls import StoredCalls
from ivr.engine.line_facts import LineFacts
from ivr.errors import DataUnusable, FlowError, StoreUnavailable, UnreadableRow
from ivr.settings import SettingsError, load_settings, location_of
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opening import open_for_command
from ivr.trace.case import Case, CaseError
from ivr.trace.failures import FlowFailure, flow_failures
from ivr.trace.milestones import goals_reached, states_reached
from ivr.trace.stored_flows import StoredFlows

SHORT = 8
"Digits of a call's id that lists show."

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder that holds the calls. [default: IVR_DATA]",
)


def store_location(data: Path | None) -> StoreLocation:
    """Return where the calls are that are meant, without holding it; end the command if the settings cannot be used.

    A folder that is named is meant by itself, whatever the settings say; if they can be used, its key may be in them.
    """
    try:
        meant = location_of(load_settings().settings)
    except SettingsError as error:
        if data is None:
            raise click.ClickException(str(error)) from error
        return StoreLocation(DataFolder(data))
    return meant if data is None else replace(meant, folder=DataFolder(data), url="")


@contextmanager
def stored_calls(data: Path | None) -> Iterator[StoredCalls]:
    """Open the calls that are meant, beside running servers, too; end the command if they cannot be read."""
    try:
        with StoredCalls(open_for_command(store_location(data))) as archive:
            yield archive
    except (DataUnusable, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error


def find_call(archive: StoredCalls, beginning: str) -> str:
    """Find the one call whose id begins so, or end the command."""
    found = archive.find(beginning.strip().lower())
    if not found:
        raise click.ClickException(f'There is no call "{beginning}". `ivr calls` lists all calls.')
    if len(found) > 1:
        some = ", ".join(call[: SHORT + 4] for call in found)
        raise click.ClickException(f'Several calls begin with "{beginning}": {some}.')
    return found[0]


def mistakes_in(archive: StoredCalls, call: str) -> Sequence[FlowFailure]:
    """List what went wrong in the flow of a stored call; of a flow that is lost, without the name of its file."""
    record, trace = archive.call(call), archive.trace(call)
    if record is None or not any(step.failures for step in trace):
        return ()
    try:
        file = StoredFlows(archive.flow).get(record.call.flow).flow.file
    except FlowError:
        file = ""
    return flow_failures(trace, file)


def goals_in(archive: StoredCalls, call: str) -> Sequence[str]:
    """List the goals that a stored call has reached; of a flow that is lost, none is known."""
    record = archive.call(call)
    try:
        flow = StoredFlows(archive.flow).get(record.call.flow).flow if record else None
    except FlowError:
        return ()
    path = (taken for step in archive.trace(call) for taken in step.path)
    return goals_reached(states_reached(path), flow) if flow and flow.goals else ()


def line_of(archive: StoredCalls, call: str) -> LineFacts | None:
    """Return what the line of a stored call told of itself; None: nothing."""
    record = archive.call(call)
    return record.line if record else None


def exported(archive: StoredCalls, call: str) -> Case:
    """Make a case of a stored call, or end the command."""
    try:
        record = archive.call(call)
        if record is None:
            raise click.ClickException(f'There is no call "{call}".')
        return StoredFlows(archive.flow).case(record, archive.trace(call)).case
    except (FlowError, CaseError, UnreadableRow) as error:
        raise click.ClickException(f"Call {call[:SHORT]} cannot be read: {error}") from error
