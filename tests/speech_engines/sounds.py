"""Recordings for engines that are not asked to understand them."""


def wav(samples: bytes) -> bytes:
    """Return samples of 16 kHz, mono, 16 bit as a file."""
    size = len(samples)
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = b"\x01\x00\x01\x00" + (16_000).to_bytes(4, "little") + (32_000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    return head + form + b"data" + size.to_bytes(4, "little") + samples


def silence(seconds: int) -> bytes:
    """Return a recording of a line that is off."""
    return wav(bytes(seconds * 32_000))


def noise(seconds: int) -> bytes:
    """Return a recording of something, be it no speech."""
    return wav(b"\x00\x10\x00\xf0" * 8_000 * seconds)
