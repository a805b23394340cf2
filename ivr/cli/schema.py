"""`ivr schema`: the JSON Schema of flow files."""

import click

from ivr.flowfile.schema import schema_text


@click.command()
@click.option("--included", is_flag=True, help="The schema of files that flows include, instead.")
def schema(*, included: bool) -> None:
    """Print the JSON Schema of flow files, for completion and help in editors.

    To use it, begin a flow with this line:

    \b
      # yaml-language-server: $schema=../flow.schema.json

    \b
    Example:  ivr schema > flow.schema.json
              ivr schema --included > included.schema.json
    """
    click.echo(schema_text(included=included), nl=False)
