"""Recordings of synthetic speech: flite and espeak-ng, wideband or as from a phone line."""

import hashlib
import shutil
import subprocess
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
PHONE = "highpass=f=300,highpass=f=300,lowpass=f=3400,lowpass=f=3400,aresample=8000,aformat=sample_fmts=s16"
BANDS = {"wide": ("aresample=16000", "pcm_s16le", 16_000), "phone": (PHONE, "pcm_mulaw", 8_000)}
"By name: FFmpeg's filters, codec, and samples a second."


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
    file, spoken = folder / f"{name}-{band}.wav", folder / f"{name}.wav"
    if not spoken.exists():
        subprocess.run(_command(text, voice, spoken), check=True, capture_output=True, timeout=30)
    if not file.exists():
        _in_band(spoken, file, band)
    return Said(text, file)


def _command(text: str, voice: str, file: Path) -> Sequence[str]:
    program, _, name = voice.partition("/")
    if program == "flite":
        return ("flite", "-voice", name, "-t", text, "-o", str(file))
    return ("espeak-ng", "-v", name, "-s", "150", "-w", str(file), text)


def _in_band(source: Path, target: Path, band: str) -> None:
    filters, codec, rate = BANDS[band]
    with av.open(str(source)) as spoken, av.open(str(target), "w", format="wav") as file:
        stream = cast("av.AudioStream", file.add_stream(codec, rate=rate, layout="mono"))
        graph = _graph(spoken.streams.audio[0], filters)
        for frame in [*spoken.decode(audio=0), None]:
            graph.push(frame)
            while (piece := _pull(graph)) is not None:
                file.mux(stream.encode(piece))
        file.mux(stream.encode(None))


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
