"""Whether a file that looks like audio holds any: what is left of one that was cut off, or never had a sample.

A line is told the address of a file and plays what it gets; of a file without sound the caller hears nothing.
"""

from collections.abc import Iterator
from struct import unpack_from

from msgspec import Struct

_PCM_HEAD = 16
"Bytes of the least format chunk: codec, channels, rate, bytes a second, bytes a frame, bits."
_UNKNOWN_LENGTH = 0xFFFFFFFF
"The length that programs write if they cannot go back to correct it."
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA_HEAD = 50
"Bytes of a data object before its first packet."


class Soundness(Struct, frozen=True):
    """How much of its sound a file has."""

    has_sound: bool
    is_whole: bool = True
    "False: it was cut off, and ends before its sound does."


SILENT = Soundness(has_sound=False)


def soundness_of_wav(data: bytes) -> Soundness:
    """Look at the chunks of a RIFF file: a format that can be, and samples."""
    chunks = dict(_chunks(data))
    start, length = chunks.get(b"fmt ", (0, 0))
    if length < _PCM_HEAD or start + _PCM_HEAD > len(data):
        return SILENT
    _, channels, rate, _, frame, _ = unpack_from("<HHIIHH", data, start)
    start, length = chunks.get(b"data", (len(data), 0))
    there = len(data) - start
    if length == 0 or there < max(frame, 1) or channels == 0 or rate == 0:
        return SILENT
    return Soundness(has_sound=True, is_whole=length == _UNKNOWN_LENGTH or length <= there)


def _chunks(data: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Go through the chunks of a RIFF file: name, where the content begins, and how long it says it is."""
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], unpack_from("<I", data, at + 4)[0]
        yield name, (at + 8, length)
        at += 8 + length + length % 2


def soundness_of_wma(data: bytes) -> Soundness:
    """Look at the two objects of an ASF file: its header, then the packets."""
    if len(data) < 24:
        return SILENT
    at = unpack_from("<Q", data, 16)[0]
    if data[at : at + 16] != _ASF_DATA or len(data) <= at + _ASF_DATA_HEAD:
        return SILENT
    length = unpack_from("<Q", data, at + 16)[0]
    return Soundness(has_sound=True, is_whole=length == 0 or at + length <= len(data))  # 0: it was made live
