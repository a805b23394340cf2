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
from ivr.channels.in_writing.words import words, writable
from ivr.engine.cards import Button
from ivr.engine.commands import Audio, Card, Recorded, Segment, Text
from ivr.engine.text_markup import Markup

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
    markup: Markup | None = None
    "Of the text."
    channel_data: str | None = None
    "JSON, which stands in a message of its own."

    @property
    def text_format(self) -> wire.TextFormat | None:
        """What has to be said of the text so that every client shows it as it is meant; None: nothing."""
        match self.markup:
            case "xml":
                return "xml"
            case "markdown":
                return None
        return "plain" if _MARKDOWN.search(self.text) else None

    def __bool__(self) -> bool:
        """Return whether there is anything to read or to hear."""
        return bool(self.text or self.files or self.channel_data)


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
    if last.text and piece.text and last.markup != piece.markup:
        return False
    if not last.has_cards:
        return True
    return not piece.text and piece.layout == last.layout and not (piece.channel_data or last.channel_data)


def _together(last: Written, piece: Written) -> Written:
    return Written(
        " ".join(filter(None, (last.text, piece.text))),
        last.files + piece.files,
        last.layout or piece.layout,
        last.buttons + piece.buttons,
        last.has_cards or piece.has_cards,
        last.markup if last.text else piece.markup,
        last.channel_data or piece.channel_data,
    )


def _written(segment: Segment, address_of: AddressOf) -> Written:
    if isinstance(segment, Card) and segment.face.kind == "custom":
        return Written(words(segment), has_cards=True, channel_data=segment.face.channel_data)
    if isinstance(segment, Card):
        said = "" if segment.face.kind in TEXTED else words(segment)
        layout: Literal["carousel"] | None = "carousel" if segment.carousel else None
        attached = attachment(segment.face)
        if attached is None:
            return Written(said)
        return Written(said, (attached,), layout, segment.face.buttons, has_cards=True)
    if isinstance(segment, Text) and segment.marked is not None:
        return Written(writable(segment.marked), markup=segment.markup)
    said = words(segment)
    address = address_of(segment) if not said and isinstance(segment, Audio | Recorded) else None
    return Written(said, (wire.Attachment(content_type=_SOUND, content_url=address),) if address else ())
