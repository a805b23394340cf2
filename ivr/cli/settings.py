"""`ivr settings`: every setting with its meaning, its value, and where that comes from."""

import textwrap
from pathlib import Path
from typing import Any

import click

from ivr.gateway.gateway_settings import GatewaySettings, load_gateway_settings
from ivr.setting_sources import LoadedSettings, SettingsError, fields_of, prefix_of, value_text
from ivr.settings import load_settings
from ivr.speech_settings import SpeechSettings, load_speech_settings


@click.command
@click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)
@click.option("--gateway", "of_gateway", is_flag=True, help="List those of `ivr gateway` instead.")
def settings(file: Path | None, of_gateway: bool) -> None:
    """List all settings: name, meaning, value, and the source of the value. Secrets are not shown.

    \b
    A flag of `ivr serve` overrides the environment, the environment overrides the file given with --settings.
    In the file a setting has the name of its variable, in lower case and without IVR_:   port = 8081
    The settings of `ivr gateway` begin with IVR_GATEWAY_, which is left out in its file, too; those of speech, which it
    shares with the server, have the server's names.
    """
    try:
        if of_gateway:
            _show(load_gateway_settings(file=file, also=SpeechSettings.model_fields))
            _show(load_speech_settings(file=file, also=GatewaySettings.model_fields))
        else:
            _show(load_settings(file=file))
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _show(loaded: LoadedSettings[Any]) -> None:
    model = type(loaded.settings)
    for name, field in fields_of(model).items():
        value, source = getattr(loaded.settings, name), loaded.sources[name]
        click.echo(f"{prefix_of(model)}{name.upper()} = {value_text(value)}  ({source})")
        click.echo(textwrap.fill(field.description or "", 100, initial_indent="    ", subsequent_indent="    "))
        if source != "default":
            click.echo(f"    Default: {value_text(field.get_default(call_default_factory=True))}")
    for sentence in (*loaded.unknown, *loaded.doubtful):
        click.echo(f"Warning: {sentence}", err=True)
