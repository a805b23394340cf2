"""`ivr speak`: has a voice speak a text into a WAV file, to hear what a caller would."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
from msgspec import Struct

from ivr.audio.formats import WIDTH
from ivr.audio.workers import Workers
from ivr.channels.skype.wire import LANGUAGE, SayAs
from ivr.cli.event_loop import fast_loop
from ivr.cli.line_texts import asked_of_a_voice
from ivr.cli.progress_bar import progress_bar
from ivr.cli.terminal_text import clean
from ivr.cli.voice_flags import RATES, rate_of, settings_option, speech_settings, tts_option, voices_of
from ivr.engine.commands import Gender, Text
from ivr.errors import SynthesisFailed
from ivr.media.recorder import wav
from ivr.ports import SampleRate
from ivr.smallfiles import write_whole
from ivr.speech_settings import SpeechSettings

SAY_AS = tuple(word for word in get_args(SayAs) if word != "unknown")


class SpokenText(Struct, frozen=True):
    """What a voice made of a text."""

    voice: str
    samples: bytes
    first: float
    "Seconds until there was something to hear."
    took: float
    "Seconds until the end."


@click.command
@click.argument("text")
@tts_option
@click.option(
    "--voice", type=click.Choice(get_args(Gender)), default="female", show_default=True, help="As a prompt asks for it."
)
@click.option("--language", metavar="TAG", default=LANGUAGE, show_default=True, help="The language of the text.")
@click.option("--say-as", type=click.Choice(SAY_AS), help="Read it as a date, a time, letters and so on.")
@click.option("--emphasize", is_flag=True, help="Speak with emphasis.")
@click.option(
    "--rate", type=click.Choice([*map(str, RATES)]), default="16000", show_default=True, help="Samples a second."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    required=True,
    help="The WAV file to write; -: standard output.",
)
@settings_option
def speak(
    *,
    text: str,
    tts: str | None,
    voice: Gender,
    language: str,
    say_as: str | None,
    emphasize: bool,
    rate: str,
    output: Path,
    file: Path | None,
) -> None:
    """Speak TEXT into a WAV file, as a live line would.

    No other voice speaks it if this one fails, and nothing is taken from the cache or kept there.

    \b
    Example:  ivr speak "Welcome to Contoso." --tts hibari -o welcome.wav
              ivr speak 2026-12-24 --say-as yearMonthDay --tts espeak --rate 8000 -o - | aplay
    """
    if str(output) == "-" and sys.stdout.isatty():
        raise click.UsageError("Sound is not written to a terminal. Name a file, or pipe the output to a program.")
    parts = asked_of_a_voice(Text(text, voice, language, say_as, emphasize))
    if not parts:
        raise click.UsageError("There is nothing to be spoken in TEXT.")
    settings = speech_settings(file, voice=tts).model_copy(update={"voice_fallback": ("none",), "voice_cache": None})
    spoken = _run(settings, parts, rate_of(rate))
    if not spoken.samples:
        raise click.ClickException(f"{spoken.voice} finds nothing to speak in this text.")
    data = wav(spoken.samples, int(rate)).data
    if str(output) == "-":
        click.echo(data, nl=False)
    else:
        try:
            write_whole(output, data)
        except OSError as error:
            raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    seconds = len(spoken.samples) / WIDTH / int(rate)
    click.echo(
        f"{seconds:.1f} s at {int(rate) // 1000} kHz, {len(data) / 1e6:.2f} MB, spoken by {spoken.voice} in "
        f"{spoken.took:.2f} s; first sound after {spoken.first:.2f} s",
        err=True,
    )


def _run(settings: SpeechSettings, parts: Sequence[Text], rate: SampleRate) -> SpokenText:
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            return runner.run(_spoken(settings, parts, rate))
    except SynthesisFailed as error:
        raise click.ClickException(f"{settings.voice} does not speak this text: {clean(str(error))}") from error


async def _spoken(settings: SpeechSettings, parts: Sequence[Text], rate: SampleRate) -> SpokenText:
    workers = Workers()
    try:
        with progress_bar(f"{settings.voice} gets ready") as progress:
            named, *_ = await voices_of(settings, workers)
            began, first, pieces = time.monotonic(), 0.0, list[bytes]()
            progress.begin(f"{named.name} speaks", len(parts))
            for part in parts:
                async for piece in named.voice.speak(part, rate=rate):
                    first = first or time.monotonic() - began
                    pieces.append(piece)
                progress.advance()
        return SpokenText(named.name, b"".join(pieces), first, time.monotonic() - began)
    finally:
        await workers.close()
