"""What is to be heard, in writing: texts as they are, files as what they say or as attachments; a pause is nothing.

A text of ours is plain text. Clients read what is not said to be plain as markdown, in which letters of a caller's own
words could become links; so it is said wherever a letter means something there.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from ivr.channels.botframework import wire
from ivr.channels.botframework.cards import TEXTED, attachment
from ivr.channels.in_writing.words import words
from ivr.engine.cards import Button
from ivr.engine.commands import Audio, Card, Recorded, Segment

_MARKDOWN = re.compile(r"[*_`~#<>\[\]|\\&]|(^|\n)\s*([-+]|\d+[.)])\s|\n")
_SOUND = "audio/wav"

AddressOf = Callable[[Audio | Recorded], str | None]
"Returns where a file can be fetched; None: nowhere, and it is left out."


class Written(Struct, frozen=True):
    """A prompt in writing."""

    text: str
    files: tuple[wire.Attachment, ...] = ()
    "Sound, and cards."
    layout: Literal["carousel"] | None = None
    buttons: tuple[Button, ...] = ()
    "Of the cards."
    has_cards: bool = False

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


def messages(segments: Sequence[Segment], address_of: AddressOf) -> tuple[Written, ...]:
    """Return a prompt in writing: in each message first what there is to read, then its cards; none: there is nothing.

    So what is said after a card is another message. One that has nothing to read or to show is left out.
    """
    whole: list[Written] = []
    for segment in segments:
        piece = _written(segment, address_of)
        if whole and _goes_on(whole[-1], piece):
            whole[-1] = _together(whole[-1], piece)
        elif piece:
            whole.append(piece)
    return tuple(whole)


def _goes_on(last: Written, piece: Written) -> bool:
    """Return whether a piece can stand in the message before it."""
    return not last.has_cards or (not piece.text and piece.layout == last.layout)


def _together(last: Written, piece: Written) -> Written:
    return Written(
        " ".join(filter(None, (last.text, piece.text))),
        last.files + piece.files,
        last.layout or piece.layout,
        last.buttons + piece.buttons,
        last.has_cards or piece.has_cards,
    )


def _written(segment: Segment, address_of: AddressOf) -> Written:
    if isinstance(segment, Card):
        said = "" if segment.face.kind in TEXTED else words(segment)
        layout: Literal["carousel"] | None = "carousel" if segment.carousel else None
        return Written(said, (attachment(segment.face),), layout, segment.face.buttons, has_cards=True)
    said = words(segment)
    address = address_of(segment) if not said and isinstance(segment, Audio | Recorded) else None
    return Written(said, (wire.Attachment(content_type=_SOUND, content_url=address),) if address else ())
