"""`ivr calls`: the calls that were taken, listed, told, exported as cases, erased."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from math import inf
from pathlib import Path
from textwrap import wrap
from typing import Any

import click
from msgspec import Struct, to_builtins

from ivr.call_record import recordings_in
from ivr.cli.call_recordings import list_or_save
from ivr.cli.calls_damaged import damaged_calls
from ivr.cli.datafolder import (
    SHORT,
    data_option,
    exported,
    find_call,
    goals_in,
    line_of,
    mistakes_in,
    store_location,
    stored_calls,
)
from ivr.cli.erasing import ErasureTarget, erase
from ivr.cli.stored_calls import StoredCalls
from ivr.cli.terminal_text import escaped, json_text
from ivr.engine.events import CallPlaced
from ivr.engine.line_facts import LineFacts
from ivr.errors import FlowError
from ivr.flowfile.finding import visible
from ivr.storage import CallSummary
from ivr.trace.case import Case, CaseError, CaseLine
from ivr.trace.experience import FlowVoice, experience
from ivr.trace.failures import FlowFailure
from ivr.trace.files import NAME, NAME_RULE, dumps, keep_case, written_lines
from ivr.trace.folders import CASES
from ivr.trace.sentences import caller_action, clock, kept, line_in_full, question, services, spoken, told
from ivr.trace.stored_flows import StoredFlows

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_ROW = "{:<8}  {:<19}  {:<14}  {:<18}  {:>7}  {:<16}  {}"
WIDTH = 100
_INDENT = " " * 7


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
            self.fail(f'"{text}" is not a time; use 2026-11-20, 2026-11-20T10:00, or 30m, 2h, 7d (ago)', param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class ListedCall(Struct, frozen=True):
    """One call in a list."""

    flow: str
    call: CallSummary

    def ended(self, now: float) -> str:
        """Return how the call ended, or for how long nothing was heard of it: its platform or server may be gone."""
        if self.call.damaged:
            return "(damaged, see: ivr calls damaged)"
        if self.call.over:
            return self.call.outcome or "ended"
        silent = _roughly(now - self.call.ended)
        return f"(in progress, silent for {silent})" if silent else "(in progress)"

    def as_json(self) -> dict[str, str | float | bool | None]:
        """Return it for programs."""
        call = self.call
        return {
            "id": call.id,
            "flow": self.flow,
            "hash": call.flow,
            "channel": call.channel,
            "direction": "outgoing" if call.placed else "incoming",
            "caller": call.caller,
            "called": call.called,
            "started": datetime.fromtimestamp(call.started, UTC).isoformat().replace("+00:00", "Z"),
            "seconds": round(max(call.ended - call.started, 0.0), 3),  # a clock may have been set back
            "state": call.state,
            "outcome": call.outcome if call.over else None,
            "over": call.over,
        }


class CallFilter(Struct, frozen=True):
    """Which calls are wanted; None: any."""

    flow: str | None
    since: float | None
    outcome: str | None
    caller: str | None
    state: str | None
    limit: int | None

    def among(self, listed: Iterator[ListedCall]) -> Iterator[ListedCall]:
        """Pick those that are wanted."""
        return islice(filter(self._wants, listed), self.limit)

    def _wants(self, one: ListedCall) -> bool:
        call = one.call
        return (
            self.flow in {None, one.flow}
            and (self.since is None or call.started >= self.since)
            and self.outcome in {None, call.outcome if call.over else None}
            and self.caller in {None, call.party}
            and self.state in {None, call.state}
        )


def _case_name(context: click.Context, param: click.Parameter, name: str | None) -> str | None:
    if name is not None and not re.fullmatch(NAME, name):
        raise click.BadParameter(f'"{name}" is not a valid name for a case. {NAME_RULE}.', context, param)
    return name


@click.group(invoke_without_command=True)
@click.option("--flow", help="Only calls of this flow.")
@click.option("--since", type=PointInTime(), help="Only calls since then (UTC), such as 2026-11-20 or 2h.")
@click.option("--outcome", help="Only calls with this outcome.")
@click.option("--caller", help="Only calls of this caller.")
@click.option("--state", help="Only calls that are, or ended, in this state.")
@click.option("--limit", type=click.IntRange(1), help="Show only the newest, at most this number.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@data_option
@click.pass_context
def calls(context: click.Context, /, as_json: bool, data: Path | None, **wanted: Any) -> None:
    """List recorded calls, the newest first. Works while the server runs.

    \b
    Example:  ivr calls --flow support --outcome unresolved --since 7d
              ivr calls show 1f3a
              ivr calls export 1f3a --to wrong-key
    """
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    with stored_calls(data) as archive:
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
    with stored_calls(data or of_group) as archive:
        recorded = exported(archive, call := find_call(archive, call))
        mistakes = mistakes_in(archive, call)
        line, goals = line_of(archive, call), goals_in(archive, call)
    if as_json:
        header, lines = to_builtins(recorded.header), to_builtins(written_lines(recorded))
        errors = [{"at": one.at, **to_builtins(one.failure)} for one in mistakes]
        told = {} if line is None else {"line": to_builtins(line)}
        reached = {"goals": list(goals)} if goals else {}
        click.echo(json_text({**header, **told, **reached, "lines": lines, "errors": errors}, indent=2))
    else:
        click.echo(transcript(recorded, mistakes, line, goals))


@calls.command()
@click.argument("call")
@click.option("--to", "name", callback=_case_name, help=f"Save it as recordings/cases/<flow>/NAME. {NAME_RULE}.")
@data_option
@click.pass_obj
def export(of_group: Path | None, /, call: str, name: str | None, data: Path | None) -> None:
    """Save one call as a case beside the flows, or print it. CALL is its id, or the beginning of it.

    Sensitive values are masked. The caller's number and what was said are not.

    \b
    Example:  ivr calls export 1f3a --to wrong-key
              ivr calls export 1f3a > elsewhere.jsonl
    """
    with stored_calls(data or of_group) as archive:
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
    """List damaged calls and what is damaged. Works while the server runs.

    The server does not continue a damaged call: it answers its messages with 503, and serves all other calls. The data
    stays unchanged until `ivr calls erase --call ID`. The exit status is 1 if there is a damaged call.
    """
    found = 0
    for one in damaged_calls(data or of_group):
        found += 1
        click.echo(json.dumps(one.as_json(), ensure_ascii=True) if as_json else one.as_text())
    if not found and not as_json:
        click.echo("No call is damaged.")
    if found:
        raise click.exceptions.Exit(1)


@calls.command()
@click.argument("call")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="Save them in this folder, which is made if need be."
)
@data_option
@click.pass_obj
def recordings(of_group: Path | None, /, call: str, to: Path | None, data: Path | None) -> None:
    """List the recordings of one call, or save them as files. CALL is its id, or the beginning of it.

    They are saved as they came, those of sensitive states included.

    \b
    Example:  ivr calls recordings 1f3a
              ivr calls recordings 1f3a --to messages
    """
    with stored_calls(data or of_group) as archive:
        names = recordings_in(archive.trace(call := find_call(archive, call)))
        if names:
            list_or_save(archive, names, to)
        else:
            click.echo(f"Call {call[:SHORT]} has no recordings.")


@calls.command("erase")
@click.option("--caller", help="The caller, as shown by `ivr calls`.")
@click.option("--call", help="The full id of one call, as shown by `ivr calls damaged`.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@data_option
@click.pass_obj
def erase_caller(of_group: Path | None, /, caller: str | None, call: str | None, yes: bool, data: Path | None) -> None:
    """Erase a caller, or one call: trace, transcripts, recordings. Prints a receipt.

    Of a caller, what flows have kept beyond the calls (`user.NAME`) is erased, too.

    With a caller goes what bots keep of a user with the same id (`ivr botstate`).

    With SQLite, stop the server first, because it keeps calls in memory. It stops within seconds and loses no call.
    Servers that share a database go on.

    \b
    Example:  ivr calls erase --caller 29:somebody
              ivr calls erase --call 1f3a… (all 32 digits)
    """
    if (caller is None) == (call is None):
        raise click.UsageError("Use either --caller or --call.")
    erase(store_location(data or of_group), ErasureTarget(caller, call), ask=not yes)


def _listed(archive: StoredCalls) -> Iterator[ListedCall]:
    flows = StoredFlows(archive.flow)
    names: dict[str, str] = {}
    for summary in archive.recent():
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
        click.echo(separator + json_text(one.as_json()), nl=False)
        separator = ",\n  "
    click.echo("[]" if separator.startswith("[") else "\n]")


# --- the list ---------------------------------------------------------------------------------------------------------


def table(found: Iterator[ListedCall], *, now: float) -> None:
    """Print a list for people, row by row; `now` is in seconds since 1970."""
    first = next(found, None)
    if first is None:
        click.echo("No calls.")
        return
    click.echo(_ROW.format("call", "came in (UTC)", "flow", "caller", "lasted", "state", "outcome"))
    for one in chain([first], found):
        click.echo(_row(one, now))


def _row(one: ListedCall, now: float) -> str:
    call = one.call
    started = datetime.fromtimestamp(call.started, UTC).strftime("%Y-%m-%d %H:%M:%S")
    caller = f"to {call.called}" if call.placed else call.caller or "(withheld)"
    lasted = clock(call.ended - call.started)
    words = (call.id[:SHORT], started, one.flow, caller, lasted, call.state, one.ended(now))
    return _ROW.format(*map(escaped, words))


def _roughly(seconds: float) -> str:
    """Write a time in its largest unit; empty: under a minute, which a caller may well take to answer."""
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            number = int(seconds // unit)
            return f"{number} {name}{'' if number == 1 else 's'}"
    return ""


# --- one call as a transcript -----------------------------------------------------------------------------------------


def transcript(
    recorded: Case,
    mistakes: Sequence[FlowFailure] = (),
    came_by: LineFacts | None = None,
    goals: Sequence[str] = (),
) -> str:
    """Return a call as text for people, with what went wrong in its flow, what its line told of itself, its goals."""
    header = recorded.header
    first = recorded.lines[0].event
    how = "a call to" if isinstance(first, CallPlaced) else "called by"
    who = (first.called if isinstance(first, CallPlaced) else getattr(first, "caller", None)) or "a withheld number"
    length = clock(max((line.at, *line.then)[-1] for line in recorded.lines))
    rows = [
        f"{header.flow}, {how} {who} at {header.started:%Y-%m-%d %H:%M:%S} UTC, {length} long",
        f"call {header.call} on {header.channel}, flow {header.hash[:12]}",
        *wrap(
            f"line: {told}" if came_by and (told := line_in_full(came_by)) else "", WIDTH, subsequent_indent="      "
        ),
        "",
    ]
    voice = FlowVoice.of_case(header)
    for line, until in zip(recorded.lines, [*(line.at for line in recorded.lines[1:]), inf], strict=True):
        rows += _transcript_line(line, voice)
        rows += [f"{_INDENT}[{mistake.text}]" for mistake in mistakes if line.at <= mistake.at < until]
    rows.append(f"The call ended: {header.outcome}." if header.outcome else "The call is not finished.")
    if goals:
        rows.append(f"Goals reached: {', '.join(goals)}.")
    return "\n".join(visible(row) for row in rows)


def _transcript_line(line: CaseLine, voice: FlowVoice) -> Iterator[str]:
    applied = experience([line], voice)
    what = caller_action(line.event)
    yield f"{clock(line.at):>5}  {what[:1].upper()}{what[1:]}."
    for taken in line.path:
        yield f"{_INDENT}({taken.state or 'start'}: {taken.event} → {taken.target or 'the end'})"
    if applied.spoken:
        yield from wrap(f'"{spoken(applied.spoken)}"', WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " ")
    if applied.asked is not None:
        said = question(applied.asked)
        yield from wrap(f"[{said}]", WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " ")
    if applied.ordered:
        yield f"{_INDENT}[{services(applied.ordered)} is asked]"
    for notification in applied.told:
        yield from wrap(f"[{told([notification])}]", WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " ")
    if applied.kept:
        yield from wrap(f"[{kept(applied.kept)}]", WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " ")
    if applied.end is not None:
        yield f"{_INDENT}[the flow {'hangs up' if applied.end == 'hangup' else 'declines the call'}]"
