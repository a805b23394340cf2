"""`ivr graph`: a flow as a picture."""

from pathlib import Path

import click

from ivr.cli.flowfiles import load_or_exit
from ivr.flowfile.diagram import mermaid


@click.command()
@click.argument("flow", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def graph(flow: Path) -> None:
    """Draw a flow as a Mermaid diagram, which GitHub, GitLab and mermaid.live show as a picture.

    \b
    Example:  ivr graph flows/support.yaml > support.mmd
    """
    click.echo(mermaid(load_or_exit(flow)), nl=False)
