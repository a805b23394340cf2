"""Samples to files, and from one rate to another: for a phone that records as platforms did (protocol 10).

The samples are our own, so this needs no worker process; FFmpeg gives up Python's lock while it works.
"""

import io
from collections.abc import Iterator
from typing import cast

import av
import av.audio

from ivr.audio.formats import RATE
from ivr.engine.commands import RecordingFormat

_CONTAINERS: dict[RecordingFormat, tuple[str, str]] = {
    "wma": ("asf", "wmav2"),
    "wav": ("wav", "pcm_s16le"),
    "mp3": ("mp3", "libmp3lame"),
}
_FRAME = 1024
BIT_RATE = 32_000
"A second; at 8 kHz, FFmpeg's encoder of WMA takes no less than 24,000."


def encoded(samples: bytes, form: RecordingFormat, rate: int = RATE, bits: int = BIT_RATE) -> bytes:
    """Return a file of mono samples of 16 bit, 8 or 16 kHz. Takes some 3 ms for a second of sound.

    `bits` is how many a second of WMA or MP3 takes.
    """
    container_name, codec = _CONTAINERS[form]
    file = io.BytesIO()
    with av.open(file, "w", format=container_name) as container:
        stream = cast("av.AudioStream", container.add_stream(codec, rate=rate, layout="mono"))
        if form != "wav":
            stream.bit_rate = bits
        for frame in _frames(samples, rate):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def resampled(samples: bytes, rate: int, wanted: int = RATE) -> bytes:
    """Bring 16 bit mono samples of another rate to the `wanted` one. Blocks."""
    if rate == wanted:
        return samples
    resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=wanted)
    parts = []
    for frame in [*_frames(samples, rate), None]:
        parts += [bytes(piece.planes[0])[: 2 * piece.samples] for piece in resampler.resample(frame)]
    return b"".join(parts)


def _frames(samples: bytes, rate: int) -> Iterator[av.AudioFrame]:
    for start in range(0, len(samples) - 1, 2 * _FRAME):
        piece = samples[start : start + 2 * _FRAME]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(piece) // 2)
        frame.sample_rate = rate
        frame.pts = start // 2
        frame.planes[0].update(piece.ljust(frame.planes[0].buffer_size, b"\0"))
        yield frame
