"""What is to be heard, in writing: texts as they are, files as what they say or as attachments; a pause is nothing.

A text of ours is plain text. Clients read what is not said to be plain as markdown, in which letters of a caller's own
words could become links; so it is said wherever a letter means something there.
"""

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from ivr.channels.botframework import wire
from ivr.channels.in_writing.words import words
from ivr.engine.commands import Audio, Recorded, Segment

_MARKDOWN = re.compile(r"[*_`~#<>\[\]|\\&]|(^|\n)\s*([-+]|\d+[.)])\s|\n")
_SOUND = "audio/wav"

AddressOf = Callable[[Audio | Recorded], str | None]
"Returns where a file can be fetched; None: nowhere, and it is left out."


class Written(Struct, frozen=True):
    """A prompt in writing."""

    text: str
    files: tuple[wire.Attachment, ...] = ()

    @property
    def text_format(self) -> wire.TextFormat | None:
        """`plain`, if a client may read something else than what is written."""
        return text_format(self.text)

    def __bool__(self) -> bool:
        """Return whether there is anything to read or to hear."""
        return bool(self.text or self.files)


def text_format(text: str) -> wire.TextFormat | None:
    """Return what has to be said of a text so that every client shows it as it stands; None: nothing."""
    return "plain" if _MARKDOWN.search(text) else None


def written(segments: Sequence[Segment], address_of: AddressOf) -> Written:
    """Return a prompt in writing."""
    texts: list[str] = []
    files: list[wire.Attachment] = []
    for segment in segments:
        said = words(segment)
        if said:
            texts.append(said)
        elif isinstance(segment, Audio | Recorded) and (address := address_of(segment)) is not None:
            files.append(wire.Attachment(content_type=_SOUND, content_url=address))
    return Written(" ".join(texts), tuple(files))
