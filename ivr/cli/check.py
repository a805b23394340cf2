"""`ivr check`: every mistake of flow files at once, each at its line and column."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from ivr.channels.skype import SkypeChannel
from ivr.flowfile.checks import Missing, Phrases
from ivr.flowfile.finding import Finding, as_text
from ivr.flowfile.flow_folder import find_flows, quarrel, twin_of
from ivr.flowfile.load import load_flow
from ivr.flowfile.yaml.reader import MAX_BYTES, read
from ivr.ports import Capabilities
from ivr.server.services import missing_of, phrases_of
from ivr.settings import SettingsError, load_settings
from ivr.smallfiles import read_head
from ivr.speech.registry import Engine

ENGINES = get_args(Engine)
CHANNELS: dict[str, Capabilities] = {"skype": SkypeChannel.can}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, for editors and other programs.")
@click.option(
    "--channel",
    type=click.Choice([*CHANNELS, "none"]),
    default="skype",
    show_default=True,
    help="Also find what this line cannot do; none: look at no line.",
)
@click.option(
    "--stt",
    type=click.Choice(ENGINES),
    help="Also warn of what this speech engine has not; default: that of IVR_STT, if it is set.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
def check(paths: tuple[Path, ...], as_json: bool, channel: str, stt: str | None, strict: bool) -> None:
    """Find every mistake in flow files, or in all flow files of folders.

    Errors refuse a flow; warnings do not, and a state can acknowledge them with "allow". Ends with 1 if there are
    errors.

    \b
    Example:  ivr check flows/
              ivr check --strict --stt pocketsphinx flows/support.yaml
    """
    files = find_flows(paths)
    for skipped in files.skipped:
        click.echo(f"Skipped {skipped.file}: {skipped.reason}.", err=True)
    if not files.flows:
        raise click.ClickException("There is no flow (*.yaml, *.yml) in these folders.")
    findings = _findings(files.flows, CHANNELS.get(channel), *_engine(stt))
    errors = sum(found.is_error for found in findings)
    if as_json:
        click.echo(json.dumps([found.as_json() for found in findings], indent=2, ensure_ascii=False))
    else:
        if findings:
            click.echo(as_text(findings) + "\n")
        click.echo(_summary(len(files.flows), errors, len(findings) - errors))
    if errors or (strict and findings):
        raise click.exceptions.Exit(1)


def _engine(stt: str | None) -> tuple[Missing | None, Phrases | None]:
    """Return what the named engine cannot, or the one of the settings, and what it makes of phrases."""
    try:
        loaded = load_settings(flags={"stt": stt})
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    if loaded.sources["stt"] == "default":
        return None, None
    return missing_of(loaded.settings), phrases_of(loaded.settings)


def _findings(
    files: Sequence[Path],
    channel: Capabilities | None,
    missing: Missing | None,
    phrases: Phrases | None,
) -> Sequence[Finding]:
    """List what is wrong with each file, and with all of them together, as `ivr serve` sees it."""
    findings: list[Finding] = []
    named: dict[Path, str] = {}
    for file in files:
        try:
            loaded = load_flow(file, channel=channel, missing=missing, phrases=phrases)
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
    return findings


def _taken(file: Path, twin: Path, name: str) -> Finding:
    """Return the finding, at a flow's name, that another file has it."""
    reading = read(str(file), read_head(file, MAX_BYTES + 1))
    mark = reading.source.mark("flow")
    return reading.source.finding("name", "error", mark, f"{quarrel(file, twin, name)}.")


def _summary(files: int, errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{_count(files, 'flow')} checked: nothing found."
    return f"{_count(files, 'flow')} checked: {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
