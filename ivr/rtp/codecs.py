"""Sound to payloads and back: G.711 by tables, G.722 and Opus by the libraries in PyAV.

A stranger's payload goes to a bare decoder, of G.722 or Opus, and never to a demuxer or a parser: FFmpeg chooses
nothing by what it finds. What a decoder refuses counts as lost. Sound is 16 kHz, mono, 16 bit little endian here.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Final, Protocol, cast

import av
from av.audio.resampler import AudioResampler

from ivr.audio import g711
from ivr.rtp.sound_format import FRAMES_A_SECOND
from ivr.sip.media_plan import CodecName

RATE: Final = 16_000
"Samples a second of sound."
_WIDTH: Final = 2
_LAWS: Final[dict[CodecName, g711.CompandingLaw]] = {"PCMA": g711.A_LAW, "PCMU": g711.MU_LAW}
_LIBRARIES: Final[dict[CodecName, str]] = {"G722": "g722", "opus": "libopus"}
_OPUS_RATE: Final = 48_000
"What the Opus decoder gives out, whatever was put in."
_OPUS_BIT_RATE: Final = 24_000
_LONGEST: Final = 0.2
"Seconds of one payload. Telephones send 10 to 60 ms; Opus has 120 ms at most (RFC 6716 3.2.5)."
_OPUS_UNITS: Final = (
    *(480, 960, 1_920, 2_880) * 3,  # 10 to 60 ms of speech
    *(480, 960) * 2,  # 10 and 20 ms of both
    *(120, 240, 480, 960) * 4,  # 2.5 to 20 ms of music
)
"Samples at 48 kHz of one frame, by the five bits of the configuration (RFC 6716 3.1)."
MEMORY_FRAMES: Final = 10
"How many frames of 20 ms an encoder, or a decoder, remembers at most: then its state is that of what it got."
_MEMORY: Final = MEMORY_FRAMES * _WIDTH * RATE // FRAMES_A_SECOND
SETTLING: Final[dict[CodecName, int]] = {"PCMA": 0, "PCMU": 0, "G722": 5, "opus": 0}
"Frames of silence after which the other side's decoder is in its state of silence, whatever it got before."
_QUIETEST: Final = 13
_TABLES: Final[dict[tuple[CodecName, CodecName], bytes]] = {
    ("PCMU", "PCMA"): g711.A_LAW_OF_MU_LAW,
    ("PCMA", "PCMU"): g711.MU_LAW_OF_A_LAW,
}
_PRIMING: Final = bytes(_WIDTH * 32)
"Silence before all that is resampled: the filter keeps some samples, and each payload must give its whole time."


class Decoder(Protocol):
    """One source's payloads to sound, in their order."""

    def decode(self, payload: bytes) -> bytes | None:
        """Return the sound of a payload, as `SoundFormat` has it; None: it is damaged, and counts as lost."""


class PayloadEncoder(Protocol):
    """Live sound to payloads of 20 ms each. One for each call: its state is what the other side's decoder has."""

    def encode(self, samples: bytes) -> list[bytes]:
        """Return the payloads that these samples complete."""

    def finish(self) -> list[bytes]:
        """Return the rest, filled up with silence."""


def decoder(codec: CodecName) -> Decoder:
    """Return a decoder in its first state."""
    match codec:
        case "opus":
            return _OpusDecoder()
        case "G722":
            return _G722Decoder()
    return _Companded()


def payload_encoder(codec: CodecName, before: bytes = b"") -> PayloadEncoder:
    """Return an encoder as it is after some sound; without any, after silence.

    The other side's decoder is in the same state then. With another one, G.722 cracks for 60 ms.
    """
    law = _LAWS.get(codec)
    if law is not None:
        return _CompandingEncoder(law)
    encoder = _LibraryEncoder(codec)
    encoder.encode(before[-_MEMORY:].rjust(_MEMORY, b"\0"))
    return encoder


def payloads(codec: CodecName, samples: bytes, before: bytes = b"") -> tuple[bytes, ...]:
    """Return a piece of sound as payloads of 20 ms. It takes its time, so call it in a thread.

    `before` is what is heard immediately before, as far as `remembered` has it.
    """
    encoder = payload_encoder(codec, before)
    return (*encoder.encode(samples), *encoder.finish())


def remembered(codec: CodecName, samples: bytes) -> bytes:
    """Return what the payloads of the next piece depend on: the end of this one, or nothing."""
    return b"" if codec in _LAWS else samples[-_MEMORY:]


@cache
def silent_payload(codec: CodecName) -> bytes:
    """Return 20 ms of silence."""
    law = _LAWS.get(codec)
    if law is not None:
        return law.silence * (g711.RATE // FRAMES_A_SECOND)
    # Which one matters: repeated, some of G.722 hum at -36 dB of full scale, and this one at -69.
    return payloads(codec, bytes(_QUIETEST * _WIDTH * RATE // FRAMES_A_SECOND))[-1]


def transcoder(before: CodecName, codec: CodecName, recent: Iterable[bytes]) -> Callable[[bytes], bytes]:
    """Return what makes a payload of `codec` of each payload of another codec, of which `recent` ones came before.

    It takes up to 0.3 ms for each, so it is for the rest of one prompt. What is made begins after silence.
    """
    table = _TABLES.get((before, codec))
    if table is not None:
        return lambda payload: payload.translate(table)
    return _Transcoder(before, codec, recent).payload


class _Companded:
    """G.711 stays as it is."""

    def decode(self, payload: bytes) -> bytes | None:
        return payload if 0 < len(payload) <= _LONGEST * g711.RATE else None


class _G722Decoder:
    def __init__(self) -> None:
        self._context = _decoding("G722", RATE)

    def decode(self, payload: bytes) -> bytes | None:
        if not 0 < len(payload) <= _LONGEST * g711.RATE:  # half of its samples a second are bytes a second
            return None
        return _samples(_decoded(self._context, payload)) or None


class _OpusDecoder:
    def __init__(self) -> None:
        self._context = _decoding("opus", _OPUS_RATE)
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        self._sound = bytearray(_PRIMING)

    def decode(self, payload: bytes) -> bytes | None:
        units = opus_units(payload)
        if not 0 < units <= _LONGEST * _OPUS_RATE:
            return None
        frames = _decoded(self._context, payload)
        if sum(frame.samples for frame in frames) != units:
            return None
        for frame in frames:
            frame.pts = None
            self._sound += _samples(self._resampler.resample(frame))
        size = _WIDTH * units * RATE // _OPUS_RATE
        taken = bytes(self._sound[:size])
        del self._sound[:size]
        return taken


def opus_units(payload: bytes) -> int:
    """Return how long a payload is, in samples at 48 kHz, by its first two bytes (RFC 6716 3.1, 3.2); 0: it is damaged.

    A library has to be trusted with less, if what it may give out is known before.
    """
    if not payload:
        return 0
    units, code = _OPUS_UNITS[payload[0] >> 3], payload[0] & 3
    if code < 3:
        return units * min(code + 1, 2)
    return units * (payload[1] & 0x3F) if len(payload) > 1 else 0


def _decoding(codec: CodecName, rate: int) -> av.AudioCodecContext:
    context = cast("av.AudioCodecContext", av.CodecContext.create(_LIBRARIES[codec], "r"))
    context.sample_rate = rate
    context.layout = "mono"
    return context


def _decoded(context: av.AudioCodecContext, payload: bytes) -> Sequence[av.AudioFrame]:
    """Decode a payload, which is not empty: an empty one would end the stream. Nothing comes of a damaged one."""
    try:
        return context.decode(av.Packet(payload))
    except (av.FFmpegError, ValueError):
        return ()


class _Transcoder:
    def __init__(self, before: CodecName, codec: CodecName, recent: Iterable[bytes]) -> None:
        self._law = _LAWS.get(before)
        self._decoder = decoder(before)
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        self._encoder = payload_encoder(codec)
        self._silence = silent_payload(codec)
        self._made: deque[bytes] = deque()
        for payload in recent:
            self._sound(payload)

    def payload(self, payload: bytes) -> bytes:
        self._made += self._encoder.encode(self._sound(payload))
        return self._made.popleft() if self._made else self._silence

    def _sound(self, payload: bytes) -> bytes:
        sound = self._decoder.decode(payload) or b""
        if self._law is None or not sound:
            return sound
        return _samples(self._resampler.resample(_frame(self._law.linear(sound), g711.RATE)))


class _CompandingEncoder:
    def __init__(self, law: g711.CompandingLaw) -> None:
        self._law = law
        self._resampler = AudioResampler(format="s16", layout="mono", rate=g711.RATE)
        self._size = g711.RATE // FRAMES_A_SECOND
        self._codes = b""

    def encode(self, samples: bytes) -> list[bytes]:
        return self._cut(_frame(samples, RATE)) if samples else []

    def finish(self) -> list[bytes]:
        whole = self._cut(None)
        return [*whole, self._codes.ljust(self._size, self._law.silence)] if self._codes else whole

    def _cut(self, frame: av.AudioFrame | None) -> list[bytes]:
        codes = self._codes + self._law.compressed(_samples(self._resampler.resample(frame)))
        whole = len(codes) - len(codes) % self._size
        self._codes = codes[whole:]
        return [codes[start : start + self._size] for start in range(0, whole, self._size)]


class _LibraryEncoder:
    def __init__(self, codec: CodecName) -> None:
        context = cast("av.AudioCodecContext", av.CodecContext.create(_LIBRARIES[codec], "w"))
        context.sample_rate = RATE
        context.layout = "mono"
        context.format = "s16"
        context.time_base = Fraction(1, RATE)
        if codec == "opus":
            context.bit_rate = _OPUS_BIT_RATE
            context.options = {"application": "voip", "frame_duration": "20"}
        self._context = context
        self._size = _WIDTH * RATE // FRAMES_A_SECOND
        self._samples = b""
        self._encoded = 0

    def encode(self, samples: bytes) -> list[bytes]:
        samples = self._samples + samples
        whole = len(samples) - len(samples) % self._size
        self._samples = samples[whole:]
        return [self._frame(samples[start : start + self._size]) for start in range(0, whole, self._size)]

    def finish(self) -> list[bytes]:
        return self.encode(bytes(self._size - len(self._samples))) if self._samples else []

    def _frame(self, samples: bytes) -> bytes:
        frame = _frame(samples, RATE)
        frame.pts = self._encoded
        self._encoded += frame.samples
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


def _samples(frames: Iterable[av.AudioFrame]) -> bytes:
    return b"".join(bytes(frame.planes[0])[: _WIDTH * frame.samples] for frame in frames)


def _frame(samples: bytes, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // _WIDTH)
    frame.sample_rate = rate
    frame.planes[0].update(samples.ljust(frame.planes[0].buffer_size, b"\0"))
    return frame
