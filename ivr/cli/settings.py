"""`ivr settings`: every setting with its meaning, its value, and where that comes from."""

import textwrap
from pathlib import Path

import click

from ivr.settings import Settings, SettingsError, load_settings, value_text, variable


@click.command
@click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)
def settings(file: Path | None) -> None:
    """List all settings: name, meaning, value, and the source of the value. Secrets are not shown.

    \b
    A flag of `ivr serve` overrides the environment, the environment overrides the file given with --settings.
    In the file a setting has the name of its variable, in lower case and without IVR_:   port = 8081
    """
    try:
        loaded = load_settings(file=file)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    for name, field in Settings.model_fields.items():
        value, source = getattr(loaded.settings, name), loaded.sources[name]
        click.echo(f"{variable(name)} = {value_text(value)}  ({source})")
        click.echo(textwrap.fill(field.description or "", 100, initial_indent="    ", subsequent_indent="    "))
        if source != "default":
            click.echo(f"    Default: {value_text(field.get_default(call_default_factory=True))}")
    for sentence in (*loaded.unknown, *loaded.doubtful):
        click.echo(f"Warning: {sentence}", err=True)
