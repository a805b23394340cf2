"""What sort of audio a file is, by its first bytes; names and declared types are not believed."""

from ivr.engine.commands import RecordingFormat

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"The header object of an ASF file, the container of WMA."
_MP3_LAYER_3 = {0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3}
"The second byte of an MPEG audio frame of layer III, versions 1, 2 and 2.5, with or without a checksum."


def sniff(data: bytes) -> RecordingFormat | None:
    """Return the sort by the first 16 bytes; None: none that the calling protocol knows (protocol 7)."""
    if data.startswith(_ASF_HEADER):
        return "wma"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"ID3") or (len(data) > 1 and data[0] == 0xFF and data[1] in _MP3_LAYER_3):
        return "mp3"
    return None
