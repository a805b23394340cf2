"""What a codec's sound is measured in: on the wire in units of its clock, here in bytes."""

from array import array
from typing import Final

from msgspec import Struct

from ivr.audio import g711
from ivr.sip.media_plan import CodecName

FRAME: Final = 0.02
"Seconds of one frame."
FRAMES_A_SECOND: Final = 50
_WIDEBAND: Final = 16_000
"Samples a second of what is decoded."


class SoundFormat(Struct, frozen=True):
    """The sound of one codec."""

    codec: CodecName
    clock: int
    "Units a second of its timestamps."
    silence: bytes
    "20 ms of silence, as they come out of a stream."
    sample_bytes: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of 20 ms, as they come out of a stream."""
        return len(self.silence)

    @property
    def frame_units(self) -> int:
        """Units of 20 ms."""
        return self.clock // FRAMES_A_SECOND

    @property
    def bytes_a_second(self) -> int:
        """Bytes of a second, as they come out of a stream."""
        return len(self.silence) * FRAMES_A_SECOND


def _narrowband(law: g711.CompandingLaw, codec: CodecName) -> SoundFormat:
    return SoundFormat(codec, g711.RATE, law.silence * (g711.RATE // FRAMES_A_SECOND), 1)


def _wideband(codec: CodecName, clock: int) -> SoundFormat:
    return SoundFormat(codec, clock, bytes(2 * _WIDEBAND // FRAMES_A_SECOND), 2)


SOUND_FORMATS: Final[dict[CodecName, SoundFormat]] = {
    "PCMA": _narrowband(g711.A_LAW, "PCMA"),
    "PCMU": _narrowband(g711.MU_LAW, "PCMU"),
    "G722": _wideband("G722", 8_000),  # half of its samples, by an old mistake that stays (RFC 3551 4.5.2)
    "opus": _wideband("opus", 48_000),  # whatever it was made from (RFC 7587 4.1)
}


def telephone_samples(codec: CodecName, frame: bytes) -> bytes:
    """Return 20 ms at 8 kHz, 16 bit little endian, for what looks for tones: not filtered, so not for ears."""
    law = {"PCMA": g711.A_LAW, "PCMU": g711.MU_LAW}.get(codec)
    return array("h", frame)[::2].tobytes() if law is None else law.linear(frame)
