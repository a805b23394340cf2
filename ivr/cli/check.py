"""`ivr check`: every mistake of flow files at once, each at its line and column."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from ivr.channels.skype import SkypeChannel
from ivr.cli.flowfiles import flow_files
from ivr.flowfile.finding import Finding, as_text
from ivr.flowfile.load import load_flow
from ivr.ports import Capabilities

CHANNELS: dict[str, Capabilities] = {"skype": SkypeChannel.can}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, for editors and other programs.")
@click.option("--channel", type=click.Choice(list(CHANNELS)), help="Also find what this line cannot do.")
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
def check(paths: tuple[Path, ...], as_json: bool, channel: str | None, strict: bool) -> None:
    """Find every mistake in flow files, or in all flow files of folders.

    Errors refuse a flow; warnings do not, and a state can acknowledge them with "allow". Ends with 1 if there are
    errors.

    \b
    Example:  ivr check flows/
              ivr check --channel skype --strict flows/support.yaml
    """
    files = flow_files(paths)
    if not files:
        raise click.ClickException("There is no flow (*.yaml, *.yml) in these folders.")
    findings = [found for file in files for found in _findings(file, CHANNELS[channel] if channel else None)]
    errors = sum(found.is_error for found in findings)
    if as_json:
        click.echo(json.dumps([found.as_json() for found in findings], indent=2, ensure_ascii=False))
    else:
        if findings:
            click.echo(as_text(findings) + "\n")
        click.echo(_summary(len(files), errors, len(findings) - errors))
    if errors or (strict and findings):
        raise click.exceptions.Exit(1)


def _findings(file: Path, channel: Capabilities | None) -> Sequence[Finding]:
    try:
        return load_flow(file, channel=channel).findings
    except OSError as error:
        return [Finding("unreadable", "error", str(file), 1, 1, 1, f"The file cannot be read: {error.strerror}.")]


def _summary(files: int, errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{_count(files, 'flow')} checked: nothing found."
    return f"{_count(files, 'flow')} checked: {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
