"""How long a recording is by what its file says of itself, for a platform that does not tell (protocol 7).

A few bytes at the beginning and the size are looked at, and nothing is decoded: that is for the workers. What cannot be
told is unknown.
"""

import struct
from collections.abc import Callable, Mapping

HEAD = 4096
"Bytes from the beginning of a file that are looked at."
_A_DAY = 86_400.0

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_BROADCAST = 1
# What the head of an MP3's frame means. In kbit/s, by number: layer III of MPEG 2 and 2.5, then of MPEG 1.
_KILOBITS = (
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
)
_MPEG_1 = 3
_RATES = (44_100, 48_000, 32_000)
_DIVISORS = (4, 0, 2, 1)  # 2.5, none, 2, 1
_TABLE = 200
"Bytes of a frame among which the count of frames begins."


def seconds_of(head: bytes, size: int) -> float | None:
    """Return how long a WAV, WMA or MP3 file with this head and size is; None: it does not say."""
    measure = _MEASURES.get(head[:4], _of_mp3)
    try:
        seconds = measure(head, size)
    except (struct.error, IndexError, ZeroDivisionError):  # the head ends too early, or holds nonsense
        return None
    return seconds if 0 < seconds <= _A_DAY else None


def _of_wav(head: bytes, size: int) -> float:
    if head[8:12] != b"WAVE":
        return 0
    at, rate = 12, 0
    while True:
        name, length = struct.unpack_from("<4sI", head, at)
        if name == b"fmt ":
            (rate,) = struct.unpack_from("<I", head, at + 16)
        if name == b"data":
            there = size - at - 8
            return (min(length, there) if length else there) / rate  # a writer that streams does not know the length
        at += 8 + length + length % 2


def _of_asf(head: bytes, size: int) -> float:
    if not head.startswith(_ASF) or (at := head.find(_FILE_PROPERTIES)) < 0:
        return 0
    ticks, _, preroll, flags = struct.unpack_from("<QQQI", head, at + 64)
    return 0 if flags & _BROADCAST else ticks / 10_000_000 - preroll / 1000


def _of_mp3(head: bytes, size: int) -> float:
    start = 0
    if head[:3] == b"ID3":
        length = struct.unpack_from("4B", head, 6)
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(length, (21, 14, 7, 0), strict=True))
    (frame,) = struct.unpack_from(">I", head, start)
    version, is_frame = frame >> 19 & 3, frame >> 21 == 0x7FF and frame >> 17 & 3 == 1  # the sync word, layer III
    if not is_frame:
        return 0
    table = head.find(b"Xing", start, start + _TABLE), head.find(b"Info", start, start + _TABLE)
    if (at := max(table)) >= 0:  # the first frame is no sound, and counts the others
        flags, frames = struct.unpack_from(">II", head, at + 4)
        rate = _RATES[frame >> 10 & 3] / _DIVISORS[version]
        return frames * (1152 if version == _MPEG_1 else 576) / rate if flags & 1 else 0
    return (size - start) / (_KILOBITS[version == _MPEG_1][frame >> 12 & 15] * 125)


_MEASURES: Mapping[bytes, Callable[[bytes, int], float]] = {b"RIFF": _of_wav, _ASF[:4]: _of_asf}
