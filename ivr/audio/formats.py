"""Jobs on audio for `ivr.audio.workers`: what the server knows of them, without the libraries that do them."""

from msgspec import Struct

from ivr.audio.workers import Job

RATE = 16_000
"Samples a second of decoded audio."
WIDTH = 2
"Bytes of a sample."
FORMATS = frozenset({"wma", "wav", "mp3", "ogg", "opus", "webm", "flac", "m4a", "aac", "amr"})
"The kinds of files that can be decoded."


class Decoded(Struct, frozen=True):
    """What became of a recording."""

    seconds: float
    damaged: bool
    "A part of it could not be read, and is missing."
    silent: bool = False
    "There is no sound in it that anybody could hear (`level`)."


TO_WAV = Job("ivr.audio.decode:to_wav", Decoded, cpu=30.0, wall=60.0)
"""A recording to a WAV file of 16 kHz, mono, 16 bit: `run(TO_WAV, source, target, longest=seconds)`."""
