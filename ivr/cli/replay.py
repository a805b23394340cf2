"""`ivr replay`: recorded calls through the flows of today; whoever would hear or reach something else is shown."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ivr.cli.datafolder import data_option, stored_calls
from ivr.cli.replay_channel import CHANNELS, moved_to, show
from ivr.cli.replayed_calls import Subject, Subjects, calls_in, cases_in
from ivr.cli.terminal_text import json_text
from ivr.errors import FlowError
from ivr.line_settings import CheckedLine
from ivr.nearest import did_you_mean
from ivr.trace.case import CaseError
from ivr.trace.current_flows import CurrentFlows, NoSuchFlow
from ivr.trace.files import case_files
from ivr.trace.folders import CASES, flows_in
from ivr.trace.replay import replay as replayed
from ivr.trace.report import Group, Report, Tally, as_text, report, without_flow
from ivr.trace.verdict import VERDICTS, Kind

SHOWN = 20
"Groups that are written out; there are seldom more than a few."


@click.command
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--flow", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Only calls of this flow file."
)
@click.option(
    "--flows",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the flows are. [default: flows/; without one, this folder]",
)
@click.option("--live", is_flag=True, help="Replay all stored calls instead of cases; also while a server runs.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["wording", "way"]),
    help="Accept changes of this kind: `wording`, or `way` (path, questions, end, outcome). Can be given twice.",
)
@click.option(
    "--channel",
    type=click.Choice(CHANNELS),
    help="Instead, show what callers would notice if these calls came by this line (docs/lines.md). sip: a gateway "
    "with the voice and the speech engine of the settings.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@data_option
def replay(paths: tuple[Path, ...], file: Path | None, folder: Path | None, live: bool, **how: Any) -> None:
    """Replay recorded calls against the current flows, and show which callers would hear or reach something else.

    PATHS are cases, or folders of them; without any, those in recordings/cases. Ends with 0 if every call is the same
    (or changed as --allow says), with 1 if not or if no call was replayed at all, with 2 if something cannot be read.
    With --channel, 0 means that nobody would notice anything.

    \b
    Example:  ivr replay
              ivr replay --live --flow flows/support.yaml
              ivr replay --allow wording recordings/cases/support
              ivr replay --live --channel sip
    """
    if live and paths:
        raise click.UsageError("--live replays the stored calls and takes no PATHS.")
    registry = CurrentFlows([file]) if file else CurrentFlows.of(folder or flows_in(Path()))
    allowed = frozenset[Kind](how["allow"])
    try:
        wanted = registry.load(file, "UTC").flow.name if file else None
        with ExitStack() as stack:
            if live:
                subjects = calls_in(stack.enter_context(stored_calls(how["data"])))
            else:
                subjects = cases_in(case_files(paths or (CASES,)))
            if how["channel"] is not None:
                _moved(how["channel"], subjects, registry, only=file is not None, as_json=how["as_json"])
                return
            tally = _judged(subjects, registry, allowed, only=file is not None)
    except (CaseError, FlowError) as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(2) from error
    _print_json(tally) if how["as_json"] else _print(tally)
    if not tally.replayed:
        click.echo(_nothing_replayed(tally, file, wanted), err=True)
    if tally.refused or not tally.replayed:
        raise click.exceptions.Exit(1)


def _moved(channel: CheckedLine, subjects: Subjects, registry: CurrentFlows, *, only: bool, as_json: bool) -> None:
    """Show what callers would notice on another line; end with 1 if there is anything, or no call at all."""
    moved = moved_to(channel, _shown(subjects), registry, only=only)
    show(moved, as_json=as_json)
    if moved.noticed or moved.unreadable or not moved.seen:
        raise click.exceptions.Exit(1)


def _nothing_replayed(tally: Tally, file: Path | None, wanted: str | None) -> str:
    """Warn of a run that shows nothing: a flow of another name than its calls would pass for ever."""
    if not tally.others or wanted is None:
        return "Warning: nothing was replayed, since no call is stored yet."
    theirs = ", ".join(
        f'"{name}" ({count})' if name else f"unreadable ({count})" for name, count in tally.others.items()
    )
    hint = did_you_mean(wanted, tally.others)
    return (
        f'Warning: nothing was replayed. {file} holds the flow "{wanted}"; the calls are of: {theirs}. {hint}'.rstrip()
    )


def _judged(subjects: Subjects, registry: CurrentFlows, allowed: frozenset[Kind], *, only: bool) -> Tally:
    """Replay one after the other; `only`: leave out calls of flows that are not among the current ones."""
    tally = Tally(allowed)
    for subject in _shown(subjects):
        told, passes = _verdict(subject, registry, allowed)
        if only and told.kept_out:
            tally.leave_out(told.flow)
        else:
            tally.add(told, passes=passes)
    return tally


def _shown(subjects: Subjects) -> Iterator[Subject]:
    """Show on a terminal how many are left."""
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=subjects.count)
        for subject in subjects.calls:
            progress.advance(task)
            yield subject


def _verdict(subject: Subject, registry: CurrentFlows, allowed: frozenset[Kind]) -> tuple[Report, bool]:
    recorded = subject.recorded
    if recorded is None:
        return without_flow(subject.name, "", subject.trouble), False
    try:
        today = registry.get(recorded)
    except NoSuchFlow as error:
        return without_flow(subject.name, recorded.header.flow, str(error)), False
    verdict = replayed(recorded, today.flow)
    return report(subject.name, recorded, verdict, today.places, subject.then), verdict.allowed(allowed)


def _print(tally: Tally) -> None:
    groups = tally.groups()
    for group in groups[:SHOWN]:
        click.echo(as_text(group.first, group.names[1:]) + "\n")
    if len(groups) > SHOWN:
        click.echo(f"… and {len(groups) - SHOWN} more differences; --json lists all.\n")
    click.echo(tally.summary())


def _print_json(tally: Tally) -> None:
    document: dict[str, object] = {
        **{word: tally.verdicts[word] for word in VERDICTS},
        "refused": tally.refused,
        "leftOut": tally.left_out,
        "groups": [_group(group) for group in tally.groups()],
    }
    click.echo(json_text(document, indent=2))


def _group(group: Group) -> dict[str, object]:
    return {"count": len(group.names), "cases": group.names, "passes": group.passes, "first": to_builtins(group.first)}
