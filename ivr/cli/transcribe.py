"""`ivr transcribe`: runs the speech engine of the settings over files, to hear what it would have told a flow."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
from msgspec import Struct, to_builtins

from ivr.audio.workers import Workers
from ivr.cli.event_loop import fast_loop
from ivr.cli.progress_bar import progress_bar
from ivr.errors import TranscriptionFailed
from ivr.flowfile.finding import visible
from ivr.ports import SpeechToText, SpokenPiece, Transcript
from ivr.settings import Settings, SettingsError, load_settings
from ivr.speech.registry import Engine
from ivr.speech_settings import engine_of

AT_ONCE = 2
"Files under way at the same time: as many as there are worker processes."
FORMS = ("text", "json", "srt")


class TranscribedFile(Struct, frozen=True):
    """What an engine made of a file."""

    file: str
    transcript: Transcript


class NotTranscribed(Struct, frozen=True):
    """A file without a transcript, and why."""

    file: str
    code: str
    "As a flow sees it: `timeout`, `failed` or `recording`."
    message: str


@click.command
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="Output format.")
@click.option("--language", metavar="TAG", default="en-US", show_default=True, help="The language that is spoken.")
@click.option("--phrase", "phrases", metavar="WORDS", multiple=True, help="A phrase to listen for; can be repeated.")
@click.option("--stt", type=click.Choice(get_args(Engine)), help="The speech engine; default: IVR_STT.")
@click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)
def transcribe(
    *, files: tuple[Path, ...], form: str, language: str, phrases: tuple[str, ...], stt: str | None, file: Path | None
) -> None:
    """Transcribe FILES: WMA, WAV, MP3 and other recordings.

    The exit status is 1 if a file could not be transcribed; the others are still printed. SRT needs exactly one file.

    \b
    Example:  ivr transcribe --stt pocketsphinx --phrase yes --phrase no answer.wma
              IVR_STT=openai ivr transcribe --format srt message.wav > message.srt
    """
    if form == "srt" and len(files) > 1:
        raise click.UsageError("SRT needs exactly one file.")
    try:
        settings = _settings(file, stt)
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            results = runner.run(_all(settings, files, language, phrases))
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    _print(results, form)
    if any(isinstance(result, NotTranscribed) for result in results):
        raise click.exceptions.Exit(1)


def _settings(file: Path | None, stt: str | None) -> Settings:
    settings = load_settings(file=file, flags={"stt": stt}).settings
    if settings.stt == "none":
        raise SettingsError("No speech engine is set. Set IVR_STT, or use --stt pocketsphinx")
    return settings


async def _all(
    settings: Settings, files: Sequence[Path], language: str, phrases: Sequence[str]
) -> Sequence[TranscribedFile | NotTranscribed]:
    """Transcribe all files, some at the same time; the results are in the order of the files."""
    workers = Workers(size=AT_ONCE)
    places = asyncio.Semaphore(AT_ONCE)
    try:
        engine = engine_of(settings, workers)
        with progress_bar(f"{engine.name} listens", len(files)) as progress:

            async def one(file: Path) -> TranscribedFile | NotTranscribed:
                async with places:
                    result = await _one(engine, file, language, phrases)
                progress.advance()
                return result

            return await asyncio.gather(*(one(file) for file in files))
    finally:
        await workers.close()


async def _one(
    engine: SpeechToText, file: Path, language: str, phrases: Sequence[str]
) -> TranscribedFile | NotTranscribed:
    try:
        return TranscribedFile(str(file), await engine.transcribe(file, language=language, phrases=phrases))
    except TranscriptionFailed as error:
        return NotTranscribed(str(file), error.code, str(error))
    except OSError as error:  # an engine that reads the file itself
        return NotTranscribed(str(file), "recording", f"it cannot be opened: {error.strerror}")


def _print(results: Sequence[TranscribedFile | NotTranscribed], form: str) -> None:
    write = {"json": as_json, "srt": as_srt, "text": as_text}[form]
    click.echo(write(results), nl=False)
    for result in results:
        match result:
            case NotTranscribed(file=file, code=code, message=message):
                click.echo(f"{visible(file)}: {code}: {message}", err=True)
            case TranscribedFile(file=file, transcript=transcript) if transcript.text is None:
                click.echo(f"{visible(file)}: nothing was understood", err=True)


# --- transcripts as text, JSON or SRT ---------------------------------------------------------------------------------


def as_text(results: Sequence[TranscribedFile | NotTranscribed]) -> str:
    """Return a line for each file that was heard; its name is before its words if there are several files."""
    named = len(results) > 1
    return "".join(
        f"{visible(f'{one.file}: ' if named else '')}{visible(one.transcript.text or '')}\n"
        for one in results
        if isinstance(one, TranscribedFile)
    )


def as_json(results: Sequence[TranscribedFile | NotTranscribed]) -> str:
    """Return a list with all that is known of each file."""
    return json.dumps([_members(one) for one in results], indent=2) + "\n"


def as_srt(results: Sequence[TranscribedFile | NotTranscribed]) -> str:
    """Return subtitles; a transcript without pieces is one, as long as the recording."""
    pieces = [piece for one in results if isinstance(one, TranscribedFile) for piece in _pieces(one.transcript)]
    return "\n".join(
        f"{number}\n{_time(piece.start)} --> {_time(piece.end)}\n{visible(piece.text)}\n"
        for number, piece in enumerate(pieces, 1)
    )


def _members(one: TranscribedFile | NotTranscribed) -> dict[str, object]:
    if isinstance(one, NotTranscribed):
        return {"file": one.file, "error": {"code": one.code, "message": one.message}}
    return {"file": one.file, **to_builtins(one.transcript)}


def _pieces(transcript: Transcript) -> Sequence[SpokenPiece]:
    if transcript.spoken or transcript.text is None:
        return transcript.spoken
    return (SpokenPiece(0.0, transcript.seconds or 0.0, transcript.text),)


def _time(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
