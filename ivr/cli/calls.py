"""`ivr calls`: the calls that were taken, listed, told, exported as cases, erased."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from ivr.cli.calls_damaged import damaged_calls
from ivr.cli.datafolder import StoredFlows, data_folder, data_option, exported, find_call, mistakes_in, open_archive
from ivr.cli.erasing import ErasureTarget, erase
from ivr.cli.listing import CallFilter, ListedCall, table
from ivr.cli.telling import told
from ivr.errors import FlowError
from ivr.store.archive import ArchiveFile
from ivr.trace.case import CaseError
from ivr.trace.files import NAME, NAME_RULE, dumps, keep_case
from ivr.trace.folders import CASES

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class PointInTime(click.ParamType[float]):
    """A point in time: `2026-11-20`, `2026-11-20T10:00`, or how long ago: `30m`, `2h`, `7d`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return it in seconds since 1970."""
        text = str(value).strip()
        if ago := _AGO.fullmatch(text):
            return (datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).timestamp()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f'"{text}" is no time; write 2026-11-20, 2026-11-20T10:00, or 30m, 2h, 7d for ago', param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _case_name(context: click.Context, param: click.Parameter, name: str | None) -> str | None:
    if name is not None and not re.fullmatch(NAME, name):
        raise click.BadParameter(f'"{name}" is no name of a case. {NAME_RULE}.', context, param)
    return name


@click.group(invoke_without_command=True)
@click.option("--flow", help="Only calls of this flow.")
@click.option("--since", type=PointInTime(), help="Only calls that came in since then (UTC), such as 2026-11-20 or 2h.")
@click.option("--outcome", help="Only calls that ended so.")
@click.option("--caller", help="Only calls of this caller.")
@click.option("--state", help="Only calls that stand, or ended, in this state.")
@click.option("--limit", type=click.IntRange(1), help="At most so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@data_option
@click.pass_context
def calls(context: click.Context, /, as_json: bool, data: Path | None, **wanted: Any) -> None:
    """List the calls that were taken, the newest first; also while a server runs.

    \b
    Example:  ivr calls --flow support --outcome unresolved --since 7d
              ivr calls show 1f3a
              ivr calls export 1f3a --to wrong-key
    """
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    with open_archive(data) as archive:
        found = CallFilter(**wanted).among(_listed(archive))
        if as_json:
            _print_json(found)
        else:
            table(found, now=time.time())


@calls.command()
@click.argument("call")
@click.option("--json", "as_json", is_flag=True, help="Print the case as one JSON document.")
@data_option
@click.pass_obj
def show(of_group: Path | None, /, call: str, as_json: bool, data: Path | None) -> None:
    """Show one call as a transcript with times. CALL is its id, or the beginning of it."""
    with open_archive(data or of_group) as archive:
        recorded = exported(archive, call := find_call(archive, call))
        mistakes = mistakes_in(archive, call)
    if as_json:
        header, lines = to_builtins(recorded.header), to_builtins(recorded.lines)
        errors = [{"at": one.at, **to_builtins(one.failure)} for one in mistakes]
        click.echo(json.dumps({**header, "lines": lines, "errors": errors}, indent=2, ensure_ascii=False))
    else:
        click.echo(told(recorded, mistakes))


@calls.command()
@click.argument("call")
@click.option("--to", "name", callback=_case_name, help=f"Keep it as recordings/cases/<flow>/NAME. {NAME_RULE}.")
@data_option
@click.pass_obj
def export(of_group: Path | None, /, call: str, name: str | None, data: Path | None) -> None:
    """Keep one call as a case beside the flows, or print it. CALL is its id, or the beginning of it.

    What is sensitive is masked; who called, and what was said, is not.

    \b
    Example:  ivr calls export 1f3a --to wrong-key
              ivr calls export 1f3a > elsewhere.jsonl
    """
    with open_archive(data or of_group) as archive:
        recorded = exported(archive, find_call(archive, call))
    if name is None:
        click.echo(dumps(recorded), nl=False)
        return
    try:
        click.echo(f"Saved as {keep_case(recorded, name, CASES)}")
    except CaseError as error:
        raise click.ClickException(str(error)) from error


@calls.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@data_option
@click.pass_obj
def damaged(of_group: Path | None, /, as_json: bool, data: Path | None) -> None:
    """List the calls that cannot be read, and what of them cannot; also while a server runs.

    Those that are not over are set aside by the server: their messages get 503, and the other calls are served. Ends
    with 1 if there are any. What is stored of them stays as it is, until `ivr calls erase --call ID`.
    """
    found = 0
    for one in damaged_calls(data or of_group):
        found += 1
        click.echo(json.dumps(one.as_json(), ensure_ascii=True) if as_json else one.as_text())
    if not found and not as_json:
        click.echo("Every call can be read.")
    if found:
        raise click.exceptions.Exit(1)


@calls.command("erase")
@click.option("--caller", help="Who called, as `ivr calls` shows it.")
@click.option("--call", help="The id of one call, whole, as `ivr calls damaged` shows it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
@click.pass_obj
def erase_caller(of_group: Path | None, /, caller: str | None, call: str | None, yes: bool, data: Path | None) -> None:
    """Erase a caller, or one call: every trace, transcript and recording. Prints a receipt.

    The server must not run meanwhile: it keeps calls in memory. It drains within seconds, and loses no call.

    \b
    Example:  ivr calls erase --caller 29:somebody
              ivr calls erase --call 1f3a… (all 32 digits)
    """
    if (caller is None) == (call is None):
        raise click.UsageError("Name either a --caller or one --call.")
    erase(data_folder(data or of_group), ErasureTarget(caller, call), ask=not yes)


def _listed(archive: ArchiveFile) -> Iterator[ListedCall]:
    flows = StoredFlows(archive)
    names: dict[str, str] = {}
    for summary in archive.summaries():
        if summary.flow not in names:
            try:
                names[summary.flow] = flows.get(summary.flow).flow.name
            except FlowError:
                names[summary.flow] = f"({summary.flow[:8]})"
        yield ListedCall(names[summary.flow], summary)


def _print_json(found: Iterator[ListedCall]) -> None:
    """Print a list without holding it."""
    separator = "[\n  "
    for one in found:
        click.echo(separator + json.dumps(one.as_json(), ensure_ascii=False), nl=False)
        separator = ",\n  "
    click.echo("[]" if separator.startswith("[") else "\n]")
