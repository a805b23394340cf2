"""What the commands that speak share: their flags, the settings of speech, and the voices that these name."""

from pathlib import Path
from typing import Any, get_args

import click

from ivr.audio.workers import Workers
from ivr.gateway.gateway_settings import GatewaySettings
from ivr.ports import SampleRate
from ivr.setting_sources import SettingsError
from ivr.settings import Settings
from ivr.speech.voice_registry import NamedVoice, VoiceName
from ivr.speech_settings import SpeechSettings, load_models, load_speech_settings, named_voices

RATES: tuple[SampleRate, ...] = get_args(SampleRate)

tts_option = click.option("--tts", type=click.Choice(get_args(VoiceName)), help="The voice. [default: IVR_VOICE]")
settings_option = click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)


def rate_of(value: str) -> SampleRate:
    """Return the rate that a flag names."""
    return next(rate for rate in RATES if str(rate) == value)


def speech_settings(file: Path | None, **flags: Any) -> SpeechSettings:
    """Return the settings of speech, of a server's file or a gateway's; end the command where they cannot be used."""
    also = {*Settings.model_fields, *GatewaySettings.model_fields}
    try:
        return load_speech_settings(file=file, flags=flags, also=also).settings
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


async def voices_of(settings: SpeechSettings, workers: Workers) -> tuple[NamedVoice, ...]:
    """Return the voices in the order in which a call asks them, ready; end the command where there is none."""
    try:
        voices = named_voices(settings, workers)
        await load_models(workers)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    if not voices:
        raise click.ClickException("espeak-ng is not installed: pip install 'ivr[phone]'. Or choose another voice.")
    return voices
