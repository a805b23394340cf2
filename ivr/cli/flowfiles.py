"""What commands that read flow files share: loading them, and showing what is wrong with them."""

from pathlib import Path

import click

from ivr.engine.flow import Flow
from ivr.flowfile.finding import as_text
from ivr.flowfile.load import load_flow


def load_or_exit(path: Path) -> Flow:
    """Load a flow; show its errors and end the command with 1 if it must not be used."""
    try:
        loaded = load_flow(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error
    if loaded.flow is None:
        click.echo(as_text(found for found in loaded.findings if found.is_error), err=True)
        raise click.exceptions.Exit(1)
    return loaded.flow
