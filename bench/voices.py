"""Recordings as an engine gets them, wideband, as from a phone line or with noise; and voices that speak them."""

import hashlib
import math
import random
import shutil
import subprocess
from array import array
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import cast

import av
from msgspec import Struct

VOICES = {
    "flite": ("slt", "rms", "awb", "kal16"),
    "espeak-ng": ("en-us", "en-us+f3", "en-gb"),
}


class Band(Struct, frozen=True):
    """What a line leaves of a voice."""

    filters: str
    "FFmpeg's."
    codec: str
    rate: int
    "Samples a second."
    noise: float | None = None
    "White noise, so many decibels below the mean loudness of the recording; None: none is added."


_SAMPLES = "aformat=sample_fmts=s16:channel_layouts=mono"
# A WAV file that does not say which channel its only one is would pass highpass and lowpass as it came.
_VOICE_OF_A_LINE = "aformat=channel_layouts=mono,highpass=f=300,highpass=f=300,lowpass=f=3400,lowpass=f=3400"
_PHONE = f"{_VOICE_OF_A_LINE},aresample=8000,{_SAMPLES}"
BANDS = {
    "wide": Band(f"aresample=16000,{_SAMPLES}", "pcm_s16le", 16_000),
    "phone": Band(_PHONE, "pcm_mulaw", 8_000),
    "phone, noise": Band(_PHONE, "pcm_mulaw", 8_000, noise=15.0),
}


class Said(Struct, frozen=True):
    """A recording, and what is said in it."""

    text: str
    file: Path


def lacking() -> Sequence[str]:
    """Return the programs that are not installed."""
    return [program for program in VOICES if shutil.which(program) is None]


@cache
def voices() -> Sequence[str]:
    """Return the voices that there are, as `program/voice`, in turn of each program."""
    programs = [[f"{program}/{voice}" for voice in VOICES[program]] for program in VOICES if program not in lacking()]
    most = max(map(len, programs), default=0)
    return [several[place] for place in range(most) for several in programs if place < len(several)]


def record(folder: Path, text: str, voice: str, band: str) -> Said:
    """Let a voice say a text, as a WAV file in the folder."""
    name = hashlib.sha256(f"{voice}:{text}".encode()).hexdigest()[:16]
    spoken = folder / f"{name}.wav"
    if not spoken.exists():
        subprocess.run(_command(text, voice, spoken), check=True, capture_output=True, timeout=30)
    return Said(text, in_band(spoken, folder, band))


def in_band(source: Path, folder: Path, band: str) -> Path:
    """Return a recording as a line of that band carries it, as a WAV file in the folder."""
    target = folder / f"{source.stem}-{band.replace(', ', '-')}.wav"
    if not target.exists():
        form = BANDS[band]
        samples = _filtered(source, form)
        if form.noise is not None:
            samples = _noisy(samples, form.noise)
        _write(target, samples, form)
    return target


def _command(text: str, voice: str, file: Path) -> Sequence[str]:
    program, _, name = voice.partition("/")
    if program == "flite":
        return ("flite", "-voice", name, "-t", text, "-o", str(file))
    return ("espeak-ng", "-v", name, "-s", "150", "-w", str(file), text)


def _filtered(source: Path, form: Band) -> "array[int]":
    samples = array("h")
    with av.open(str(source)) as spoken:
        graph = _graph(spoken.streams.audio[0], form.filters)
        for frame in [*spoken.decode(audio=0), None]:
            graph.push(frame)
            while (piece := _pull(graph)) is not None:
                samples.frombytes(bytes(piece.planes[0])[: 2 * piece.samples])
    return samples


def _noisy(samples: "array[int]", below: float) -> "array[int]":
    """Add white noise; the same recording always gets the same."""
    chance = random.Random(len(samples))
    loudness = math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))
    deviation = loudness / 10 ** (below / 20)
    return array("h", (max(-32768, min(32767, round(sample + chance.gauss(0, deviation)))) for sample in samples))


def _write(target: Path, samples: "array[int]", form: Band) -> None:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = form.rate
    with av.open(str(target), "w", format="wav") as file:
        stream = cast("av.AudioStream", file.add_stream(form.codec, rate=form.rate, layout="mono"))
        file.mux([*stream.encode(frame), *stream.encode(None)])


def _graph(stream: "av.AudioStream", filters: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    nodes = [graph.add_abuffer(template=stream)]
    for one in [*filters.split(","), "abuffersink"]:
        name, _, arguments = one.partition("=")
        nodes.append(graph.add(name, arguments or None))
    graph.link_nodes(*nodes).configure()
    return graph


def _pull(graph: av.filter.Graph) -> av.AudioFrame | None:
    try:
        return cast("av.AudioFrame", graph.pull())
    except (av.error.BlockingIOError, av.error.EOFError):  # it wants more, or there is no more
        return None
