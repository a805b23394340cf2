"""`ivr prompts`: the texts that flows speak in every call, made before the first one, and exported as files."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from msgspec import Struct

from ivr.audio.formats import RATE
from ivr.audio.workers import Workers
from ivr.cli.event_loop import fast_loop
from ivr.cli.progress_bar import progress_bar
from ivr.cli.prompt_export import Export
from ivr.cli.prompt_making import MadePrompt, PromptMaker
from ivr.cli.voice_flags import RATES, rate_of, settings_option, speech_settings, tts_option, voices_of
from ivr.engine.commands import Text
from ivr.flowfile.assets import MAX_BYTES
from ivr.flowfile.finding import as_text, visible
from ivr.flowfile.flow_folder import find_flows
from ivr.flowfile.load import load_flow, texts_of
from ivr.flowfile.spoken_texts import FlowText
from ivr.ports import SampleRate
from ivr.speech_settings import SpeechSettings


class FlowPrompts(Struct, frozen=True):
    """What a flow speaks."""

    name: str
    file: str
    texts: Sequence[FlowText]


class PromptRun(Struct, frozen=True):
    """What became of the texts of some flows."""

    made: Mapping[Text, MadePrompt]
    lost: frozenset[Text]
    "Those that were spoken, and are not in the folder of the cache all the same."
    took: float
    "Seconds."
    too_large: int = 0
    "Exported files that are larger than a flow's own may be."


@click.command
@click.argument("paths", metavar="FLOW...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@tts_option
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder where live lines look for what was spoken. [default: IVR_VOICE_CACHE]",
)
@click.option(
    "--export",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write a WAV file for each text here, and an index.",
)
@click.option(
    "--rate",
    type=click.Choice([*map(str, RATES)]),
    help="Samples a second of exported files; other rates than 16000 leave the cache alone. [default: 16000]",
)
@settings_option
def prompts(
    *,
    paths: tuple[Path, ...],
    tts: str | None,
    cache: Path | None,
    export: Path | None,
    rate: str | None,
    file: Path | None,
) -> None:
    """Speak the texts of flows ahead, so that no call waits for a voice. FLOW is a flow file, or a folder of them.

    What is the same in every call is spoken once, by the voices of the settings, and kept in the folder of the cache.
    Texts with values that only a call knows are listed. The exit status is 1 if a flow has errors, or a text could not
    be made: what is missing then is made when this is run again.

    \b
    Example:  ivr prompts flows/ --tts hibari --cache recordings/voices
              ivr prompts flows/support.yaml --export prompts --rate 8000
    """
    settings, samples = _chosen(file, tts, cache=cache, export=export, rate=rate)
    flows, sound = _loaded(paths)
    exported = Export(export, samples) if export else None
    for flow in flows:
        if exported:
            exported.add(flow.name, flow.file, flow.texts)
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            run = runner.run(_made(settings, flows, samples, exported))
        if exported:
            exported.write_index(run.made)
    except OSError as error:
        where = error.filename or export or "A file"  # a full disk names no file
        raise click.ClickException(f"{where} cannot be written: {error.strerror}") from error
    for line in (*_report(flows, run), *_summary(settings, run, exported, samples)):
        click.echo(visible(line))
    if not sound or run.lost or any(one.failure for one in run.made.values()):
        raise click.exceptions.Exit(1)


def _chosen(
    file: Path | None, tts: str | None, *, cache: Path | None, export: Path | None, rate: str | None
) -> tuple[SpeechSettings, SampleRate]:
    """Return the settings and the rate of a run; raise UsageError if the options do not go together."""
    if rate and export is None:
        raise click.UsageError("--rate goes with --export: live lines ask for 16000.")
    samples = rate_of(rate or str(RATE))
    if cache and samples != RATE:
        raise click.UsageError(f"--cache keeps what live lines ask for, which has {RATE}: leave out --cache or --rate.")
    settings = speech_settings(file, voice=tts, voice_cache=cache)
    if samples != RATE:
        settings = settings.model_copy(update={"voice_cache": None})
    if export is None and settings.voice_cache is None:
        raise click.UsageError("There is no folder: set IVR_VOICE_CACHE, or use --cache or --export.")
    return settings, samples


def _loaded(paths: Sequence[Path]) -> tuple[Sequence[FlowPrompts], bool]:
    """Load flows, and return whether all of them can be served; show the errors of the others."""
    files = find_flows(paths)
    for skipped in files.skipped:
        click.echo(f"Skipped {skipped.file}: {skipped.reason}.", err=True)
    if not files.flows:
        raise click.ClickException("There is no flow (*.yaml, *.yml) in these folders.")
    flows: list[FlowPrompts] = []
    for file in files.flows:
        try:
            loaded = load_flow(file)
        except OSError as error:
            click.echo(f"Error: {file} cannot be read: {error.strerror}.", err=True)
            continue
        if loaded.flow is None or loaded.bundle is None:
            click.echo(as_text(found for found in loaded.findings if found.is_error), err=True)
            continue
        flows.append(FlowPrompts(loaded.flow.name, str(file), texts_of(loaded.bundle)))
    return flows, len(flows) == len(files.flows)


async def _made(
    settings: SpeechSettings, flows: Sequence[FlowPrompts], rate: SampleRate, exported: Export | None
) -> PromptRun:
    texts = list(dict.fromkeys(text for flow in flows for one in flow.texts for text in one.spoken))
    workers = Workers()
    made: dict[Text, MadePrompt] = {}
    sizes: list[int] = []
    try:
        with progress_bar(f"{settings.voice} gets ready") as progress:
            voices = await voices_of(settings, workers)
            maker = PromptMaker(voices, rate)
            began = time.monotonic()
            progress.begin(f"{voices[0].name} speaks", len(texts))

            async def take(prompt: MadePrompt, samples: bytes) -> None:
                made[prompt.text] = prompt
                if exported and not prompt.failure:
                    sizes.extend(await asyncio.to_thread(exported.write, prompt.text, samples))
                progress.advance()

            await maker.make_all(texts, take)
        lost = frozenset[Text]()
        if settings.voice_cache:
            lost = frozenset([text for text in texts if not made[text].failure and not await maker.kept(text)])
        too_large = sum(size > MAX_BYTES for size in sizes)
        return PromptRun(made, lost, time.monotonic() - began, too_large)
    finally:
        await workers.close()


# --- what is said of it ----------------------------------------------------------------------------------------------


def _report(flows: Sequence[FlowPrompts], run: PromptRun) -> Iterator[str]:
    """Return how many texts each flow has, and for each that no call finds made by the first voice, why."""
    for flow in flows:
        prompts_ = [run.made[text] for one in flow.texts for text in one.spoken]
        in_calls = sum(bool(one.reads) for one in flow.texts)
        failed = sum(bool(one.failure) for one in prompts_)
        kept = sum(one.was_kept for one in prompts_)
        counts = [
            f"{_counted(len(prompts_), 'text')}",
            f"{len(prompts_) - failed - kept} made" if len(prompts_) > failed + kept else "",
            f"{kept} there already" if kept else "",
            f"{failed} failed" if failed else "",
            f"{in_calls} known only in a call" if in_calls else "",
        ]
        yield f"{flow.file}: {', '.join(filter(None, counts))}"
        for one in flow.texts:
            for text in one.spoken:
                yield from _notes(one, text, run)
            if one.reads:
                yield f"  {_place(one)}: only a call knows {', '.join(one.reads)}: {one.written}"


def _notes(one: FlowText, text: Text, run: PromptRun) -> Iterator[str]:
    prompt = run.made[text]
    if prompt.failure:
        yield f"  {_place(one)}: failed ({prompt.failure}): {text.value}"
    elif text in run.lost:
        yield f"  {_place(one)}: spoken, but not kept: {text.value}"
    elif prompt.reasons:
        yield f"  {_place(one)}: spoken by {', '.join(prompt.voices)} ({'; '.join(prompt.reasons)}): {text.value}"


def _summary(settings: SpeechSettings, run: PromptRun, exported: Export | None, rate: SampleRate) -> Iterator[str]:
    good = [one for one in run.made.values() if not one.failure]
    now = Counter(voice for one in good if not one.was_kept for voice in one.voices)
    by = ", ".join(f"{voice} {count}" for voice, count in now.items())
    yield (
        f"Together: {_counted(len(good), 'text')}, {sum(one.seconds for one in good):.0f} s, "
        f"{sum(one.size for one in good) / 1e6:.1f} MB at {rate // 1000} kHz"
        + (f"; spoken now by {by}, in {run.took:.1f} s" if by else "")
    )
    if settings.voice_cache:
        yield f"Cache: {settings.voice_cache}"
    if exported:
        yield f"Files: {exported.folder}, listed in index.txt and index.json"
    if run.lost:
        yield (
            f"{_counted(len(run.lost), 'text')} did not stay in the folder: it may have {settings.voice_cache_size} "
            "MiB (IVR_VOICE_CACHE_SIZE), and its disk must have room for them."
        )
    if run.too_large:
        yield (
            f"{_counted(run.too_large, 'file')} of more than {MAX_BYTES // 1024} KB: a flow cannot play a file of its "
            "own that is so large. Use a lower --rate, or divide the text."
        )


def _place(one: FlowText) -> str:
    return f"{one.place}, {one.state or 'of all states'}"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
