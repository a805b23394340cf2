"""Kinds of audio: which ones can be decoded, what a file is by its first bytes, and the job that decodes it.

The libraries that do it are loaded in worker processes alone.
"""

from msgspec import Struct

from ivr.audio.workers import Job
from ivr.engine.commands import RecordingFormat

RATE = 16_000
"Samples a second of decoded audio."
WIDTH = 2
"Bytes of a sample."
FORMATS = frozenset({"wma", "wav", "mp3", "ogg", "opus", "webm", "flac", "m4a", "aac", "amr"})
"The kinds of files that can be decoded."
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"The header object of an ASF file, the container of WMA."
_MP3_LAYER_3 = {0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3}
"The second byte of an MPEG audio frame of layer III, versions 1, 2 and 2.5, with or without a checksum."


class Decoded(Struct, frozen=True):
    """What became of a recording."""

    seconds: float
    damaged: bool
    "A part of it could not be read, and is missing."
    silent: bool = False
    "There is no audible sound in it (`level`)."


class Reencoded(Struct, frozen=True):
    """What became of a recording that was to be another file."""

    seconds: float
    cut: bool = False
    "Its end is missing: all of it would be too large."


TO_FILE = Job("ivr.audio.reencode:to_file", Reencoded, cpu=30.0, wall=60.0)
"""A recording to a file of another sort: `run(TO_FILE, source, target, form=…, longest=seconds, most=bytes)`."""
TO_WAV = Job("ivr.audio.decode:to_wav", Decoded, cpu=30.0, wall=60.0)
"""A recording to a WAV file, mono, 16 bit: `run(TO_WAV, source, target, longest=seconds)`; 16 kHz, or the `rate=`."""


def sniff(data: bytes) -> RecordingFormat | None:
    """Return what a file is by its first 16 bytes; None: no format of the calling protocol (protocol 7).

    Names and declared types are not believed.
    """
    if data.startswith(_ASF_HEADER):
        return "wma"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"ID3") or (len(data) > 1 and data[0] == 0xFF and data[1] in _MP3_LAYER_3):
        return "mp3"
    return None
