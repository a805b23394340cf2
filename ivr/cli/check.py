"""`ivr check`: every mistake of flow files at once, each at its line and column."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from ivr.cli.file_fixer import Checker, FileFixer
from ivr.cli.terminal_text import json_text
from ivr.flowfile.checks import Provided
from ivr.flowfile.finding import Finding, as_text, visible
from ivr.flowfile.flow_folder import find_flows, same_name, twin_of
from ivr.flowfile.yaml.reader import MAX_BYTES, read
from ivr.line_settings import CheckedLine
from ivr.server.plugs.lines import lines_of_flows
from ivr.server.settings_provided import egress_of, hosts_refused, provided_by
from ivr.server.speech_abilities import missing_of, phrases_of
from ivr.setting_sources import LoadedSettings
from ivr.settings import Settings, SettingsError, load_settings, secrets_of
from ivr.smallfiles import read_head
from ivr.speech.registry import Engine

ENGINES = get_args(Engine)
CHANNELS: tuple[CheckedLine, ...] = get_args(CheckedLine)
NONE = "none"
_OF_SERVERS = ("http_hosts", "secrets", "secrets_folder", "smtp_server", "webhook_secret")
"Settings that an author has only where they are those of a server: then all that they lack is told."


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, for editors and other programs.")
@click.option(
    "--channel",
    type=click.Choice([*CHANNELS, NONE]),
    help="Also check what this line supports. sip: a gateway with the voice and the speech engine of the settings. "
    "none: check no line. Default: that of IVR_CHECK_CHANNEL, or all that the settings turn on, or skype.",
)
@click.option(
    "--stt",
    type=click.Choice(ENGINES),
    help="Also warn of what this speech engine does not support. Default: the engine of IVR_STT, if it is set.",
)
@click.option(
    "--http-hosts",
    metavar="HOSTS",
    help="Also warn of web services that are not on this list. Default: that of IVR_HTTP_HOSTS, if it is set.",
)
@click.option(
    "--settings",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The TOML file of a server's settings: also warn of what they lack for a flow, such as a secret.",
)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--fix", is_flag=True, help="Correct in the files what has one plain correction; the rest is shown.")
@click.option("--diff", is_flag=True, help="With --fix: show the corrections as a diff, and change no file.")
def check(
    paths: tuple[Path, ...],
    *,
    as_json: bool,
    channel: str | None,
    stt: str | None,
    http_hosts: str | None,
    file: Path | None,
    strict: bool,
    fix: bool,
    diff: bool,
) -> None:
    """Find every mistake in flow files, or in all flow files of folders.

    Errors refuse a flow; warnings do not, and a state can acknowledge them with "allow". Ends with 1 if there are
    errors.

    \b
    Example:  ivr check flows/
              ivr check --strict --stt pocketsphinx flows/support.yaml
              ivr check --channel sip flows/
              ivr check --settings ivr.toml flows/
              ivr check --fix --diff flows/
    """
    if diff and not fix:
        raise click.UsageError("--diff goes with --fix.")
    files = find_flows(paths)
    for skipped in files.skipped:
        click.echo(f"Skipped {skipped.file}: {skipped.reason}.", err=True)
    if not files.flows:
        raise click.ClickException("There is no flow (*.yaml, *.yml) in these folders.")
    checker = _checker(channel, stt=stt, http_hosts=http_hosts, file=file)
    fixer = FileFixer(checker, write=not diff) if fix else None
    findings = _findings(files.flows, checker, fixer)
    errors = sum(found.is_error for found in findings)
    # What programs read stands alone on the output: the list of --json, or a diff for `patch`.
    if fixer is not None:
        _show_fixes(fixer, as_diff=diff, quiet=as_json or diff)
    if as_json:
        click.echo(json_text([found.as_json() for found in findings], indent=2), err=diff)
    else:
        if findings:
            click.echo(as_text(findings) + "\n", err=diff)
        click.echo(_summary(len(files.flows), fixer, errors, len(findings) - errors), err=diff)
    if errors or (strict and findings) or (fixer is not None and fixer.failed):
        raise click.exceptions.Exit(1)


def _checker(channel: str | None, *, stt: str | None, http_hosts: str | None, file: Path | None) -> Checker:
    """Return what flows are checked by: what is named, or what the settings say."""
    named = next((name for name in CHANNELS if name == channel), None)
    try:
        loaded = load_settings(file=file, flags={"stt": stt, "http_hosts": http_hosts})
        settings = loaded.settings
        lines = {} if channel == NONE else lines_of_flows(settings, named)
        provided = _provided(loaded, of_server=file is not None)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    if loaded.sources["stt"] == "default":
        return Checker(lines, None, None, provided)
    return Checker(lines, missing_of(settings), phrases_of(settings), provided)


def _provided(loaded: LoadedSettings[Settings], *, of_server: bool) -> Provided:
    """Return what the settings provide for flows, as far as they say anything; an author mostly has none of them."""
    settings = loaded.settings
    of_server = of_server or any(loaded.sources[name] not in {"default", "flag"} for name in _OF_SERVERS)
    if not of_server and loaded.sources["http_hosts"] == "default":
        return Provided()
    # Whether a service may be on the server's own machine depends on --dev, which is not known here.
    egress = egress_of(settings, dev=True)
    if not of_server:
        return Provided(refuses=hosts_refused(egress))
    return provided_by(settings, secrets_of(settings), egress, pretends=False)


def _findings(files: Sequence[Path], checker: Checker, fixer: FileFixer | None) -> Sequence[Finding]:
    """List what is wrong with each file, and with all of them together, as `ivr serve` sees it."""
    findings: list[Finding] = []
    named: dict[Path, str] = {}
    for file in files:
        try:
            data = read_head(file, MAX_BYTES + 1)
            loaded = checker.load(file, data) if fixer is None else fixer.fix(file, data)
        except OSError as error:
            findings.append(
                Finding("unreadable", "error", str(file), 1, 1, 1, f"The file cannot be read: {error.strerror}.")
            )
            continue
        findings += loaded.findings
        if loaded.name is not None:
            if (twin := twin_of(file, loaded.name, named)) is not None:
                findings.append(_taken(file, twin, loaded.name))
            named[file] = loaded.name
    return _once(findings)


def _once(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Leave out what was found twice: in a file by itself, and with each flow that invokes or includes it."""
    found: dict[tuple[object, ...], Finding] = {}
    for one in findings:
        key = (one.file, one.line, one.column, one.code, one.message)
        if key not in found or one.fix is not None:
            found[key] = one
    return list(found.values())


def _show_fixes(fixer: FileFixer, *, as_diff: bool, quiet: bool) -> None:
    """Show what was corrected, and which files could not be."""
    if as_diff:
        click.echo(fixer.diff(for_people=sys.stdout.isatty()), nl=False)
    for found in fixer.made:
        what = visible(f"{found.file}:{found.line}:{found.column}  {found.code}  {found.message}")
        click.echo(f"{'Would fix' if as_diff else 'Fixed'} {what}", err=quiet)
    if fixer.made:
        click.echo("", err=quiet)
    for problem in fixer.failed:
        click.echo(f"Error: {problem}", err=True)


def _taken(file: Path, twin: Path, name: str) -> Finding:
    """Return the finding, at a flow's name, that another file has it."""
    reading = read(str(file), read_head(file, MAX_BYTES + 1))
    mark = reading.source.mark("flow")
    return reading.source.finding("name", "error", mark, f"{same_name(file, twin, name)}.")


def _summary(files: int, fixer: FileFixer | None, errors: int, warnings: int) -> str:
    fixes = f"{len(fixer.made)} {'fixed' if fixer.write else 'would be fixed'}, " if fixer and fixer.made else ""
    if not errors and not warnings:
        return f"{_count(files, 'flow')} checked: {fixes}nothing {'left' if fixes else 'found'}."
    return f"{_count(files, 'flow')} checked: {fixes}{_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
