"""What a part of a prompt says, in writing."""

import re

from ivr.engine.commands import Audio, Card, Recorded, Segment, Silence, Text

_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def words(segment: Segment) -> str:
    """Return what there is to read; "": nothing, as of a pause, or of a file that has no text."""
    match segment:
        case Text(value=text):
            said: str | None = text
        case Audio(text=said) | Recorded(text=said):
            pass
        case Silence():
            said = None
        case Card(face=face):
            said = face.text
    return writable(said or "")


def writable(text: str) -> str:
    """Return a text without what cannot be written."""
    return _UNWRITABLE.sub(" ", text).strip()


def plain(text: str, longest: int) -> str:
    """Return a text on one line, without what cannot be printed, no longer than anybody needs."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text[:longest]).split())
