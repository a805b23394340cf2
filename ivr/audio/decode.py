"""Audio of any sort to 16 kHz, mono, 16 bit: what every speech engine understands.

Runs in worker processes only: the input is a stranger's, and FFmpeg is large. It is told which containers and codecs
it may read; without that, a "recording" that says `ffconcat` makes it open other files of this machine. A damaged
recording gives what can still be heard of it. PyAV's other users are `ivr.audio.encode`, for samples of our own, and
`ivr.rtp.codecs`, for the packets of a call.
"""

import os
import wave
from collections.abc import Iterator

import av
import av.audio

from ivr.audio.formats import RATE, WIDTH, Decoded
from ivr.audio.level import Level
from ivr.errors import TranscriptionFailed

_CONTAINERS = "wav,asf,mp3,ogg,matroska,webm,mov,flac,aac,amr"
_CODECS = (
    "wmav1,wmav2,wmapro,wmavoice,wmalossless,mp3,mp3float,opus,vorbis,flac,aac,aac_latm,amrnb,amrwb,g722,gsm,gsm_ms,"
    "pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_u8,pcm_mulaw,pcm_alaw,adpcm_ms,adpcm_ima_wav"
)
"""Audio alone: a cover picture or a film in the file is not even looked at."""
_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "codec_whitelist": _CODECS,
    "protocol_whitelist": "none",  # the file is open already; whatever it names stays closed
    "probesize": "1000000",
    "analyzeduration": "2000000",
}
_BROKEN = (av.FFmpegError, OSError, OverflowError, ValueError)
"""What a file that is wrong leads to; the last three come from our own side of PyAV's files, when a file names places
that no file has."""
_RATES = range(4_000, 192_001)
"Samples a second that a recording can have; others are there to make the resampler's output huge."
_MOST_CHANNELS = 8


def to_wav(source: int, target: int, *, longest: float, rate: int = RATE) -> Decoded:
    """Write a recording as a WAV file, both given as open files; raise TranscriptionFailed if there is no sound in it.

    `longest` is in seconds; more is refused, since a few bytes can claim to be hours. `rate` is in samples a second.
    """
    with os.fdopen(target, "wb") as file, wave.open(file) as wav:
        file.seek(0)  # a worker that crashed may have begun, and its place in the file is ours
        file.truncate()
        wav.setparams((1, WIDTH, rate, 0, "NONE", ""))
        recording = RecordingSamples(source, longest=longest, rate=rate)
        for samples in recording:
            wav.writeframesraw(samples)
        return Decoded(wav.tell() / rate, recording.damaged, recording.level.is_silent)


class RecordingSamples:
    """The samples of a recording, piece by piece."""

    def __init__(self, source: int, *, longest: float, rate: int = RATE) -> None:
        self.damaged = False
        "Known once all pieces were taken, as is the level."
        self.level = Level()
        self._source = source
        self._rate = rate
        self._most = int(longest * rate)
        self._samples = 0

    def __iter__(self) -> Iterator[bytes]:
        """Return mono samples of 16 bit, little endian; raise TranscriptionFailed("recording", …)."""
        with os.fdopen(self._source, "rb") as file:
            file.seek(0)  # a worker that crashed may have read
            try:
                container = av.open(file, "r", options=_OPTIONS, metadata_errors="ignore")
            except _BROKEN as error:
                raise TranscriptionFailed("recording", "it is not audio of a supported format") from error
            with container:
                yield from self._decoded(container)
        if not self._samples:
            raise TranscriptionFailed("recording", "it contains no sound")

    def _decoded(self, container: av.container.InputContainer) -> Iterator[bytes]:
        resampler = _Resampler(self._rate)
        for frame in self._frames(container):
            for samples in resampler.resample(frame):
                yield self._counted(samples)
        for samples in resampler.rest():
            yield self._counted(samples)

    def _frames(self, container: av.container.InputContainer) -> Iterator[av.AudioFrame]:
        """Decode packet by packet: `container.decode` would lose all of a recording whose end is missing."""
        if not container.streams.audio:
            raise TranscriptionFailed("recording", "it contains no sound")
        packets = container.demux(container.streams.audio[0])
        while True:
            try:
                packet = next(packets, None)
            except _BROKEN:  # the file ends in the middle
                self.damaged = True
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except _BROKEN:
                self.damaged = True
                continue
            yield from frames

    def _counted(self, samples: bytes) -> bytes:
        self._samples += len(samples) // WIDTH
        if self._samples > self._most:
            raise TranscriptionFailed("recording", f"it is longer than {self._most / self._rate:g} s")
        self.level.add(samples)
        return samples


class _Resampler:
    """FFmpeg's resampler, and a new one wherever a recording changes its rate or channels on the way."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._form: tuple[int, str, str] | None = None
        self._resampler: av.audio.resampler.AudioResampler | None = None

    def resample(self, frame: av.AudioFrame) -> Iterator[bytes]:
        if frame.sample_rate not in _RATES or not 1 <= len(frame.layout.channels) <= _MOST_CHANNELS:
            raise TranscriptionFailed("recording", "its sample rate or number of channels is not supported")
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if form != self._form:
            yield from self.rest()
            self._form = form
            self._resampler = av.audio.resampler.AudioResampler(format="s16", layout="mono", rate=self._rate)
        if self._resampler is not None:
            frame.pts = None  # gaps in the clock are no silence; a file may claim that they are an hour
            yield from (_bytes(piece) for piece in self._resampler.resample(frame))

    def rest(self) -> Iterator[bytes]:
        """Return what the resampler still holds."""
        if self._resampler is not None:
            yield from (_bytes(piece) for piece in self._resampler.resample(None))


def _bytes(frame: av.AudioFrame) -> bytes:
    # The plane is padded for the processor's sake.
    return bytes(frame.planes[0])[: frame.samples * WIDTH]
