"""What comes out of a stream: the other side's sound and keys."""

from typing import TypeAlias

from msgspec import Struct


class SoundHeard(Struct, frozen=True, gc=False):
    """20 ms of sound, in the order and the time in which it was made; what is missing is silence."""

    frame: bytes
    "G.711: 160 bytes as they came. G.722 and Opus: 640 bytes, 16 kHz, 16 bit little endian."


class KeyBegan(Struct, frozen=True, gc=False):
    """A key went down."""

    key: str
    "`0`-`9`, `*`, `#`, `A`-`D`."


class KeyEnded(Struct, frozen=True, gc=False):
    """The key that went down last is up again. No key goes down before."""


Heard: TypeAlias = SoundHeard | KeyBegan | KeyEnded
