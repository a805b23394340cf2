"""Cards: what a chat shows, and any other line says by its `text` (activity protocol, A7).

Plain data in the words of the language; the spelling of a platform is its channel's affair. The order of buttons, facts
and items is the author's. Amounts and quantities are texts: how they are written is the author's as well.
"""

import re
from typing import Final, Literal, TypeAlias

from msgspec import Struct

CardKind: TypeAlias = Literal["hero", "thumbnail", "receipt", "signIn", "image", "audio", "video", "file", "custom"]
ButtonType: TypeAlias = Literal[
    "openUrl",
    "imBack",
    "postBack",
    "messageBack",
    "playAudio",
    "playVideo",
    "showImage",
    "downloadFile",
    "signin",
    "call",
]
ANSWERING: Final[frozenset[ButtonType]] = frozenset({"imBack", "postBack", "messageBack"})
"Buttons that send a message, as if it had been written; the others open something."
SHOWING: Final = frozenset({"chat"})
"The channels, as `call.channel` names them, that show cards; on all others they are spoken."

_ADDRESS = re.compile(r"https://[^\s/?#]|http://(localhost|127\.0\.0\.1|\[::1\])(?![^:/?#])")
_CALLED = re.compile(r"(tel:\+?[0-9]|skype:[^\s])")


class CardPiece(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What is inside a card."""


class Button(CardPiece, frozen=True):
    """A button, or what a press on a picture or on the whole card does."""

    title: str
    value: str
    "What is sent, or the address of what is opened."
    type: ButtonType = "imBack"
    text: str | None = None
    "Of `messageBack`: what is sent as the text of the message; None: `value` is."
    display_text: str | None = None
    "Of `messageBack`: what the conversation then shows."
    image: str | None = None
    "The address of a picture on it."

    @property
    def sends(self) -> str | None:
        """What a press on it writes; None: it opens something."""
        if self.type not in ANSWERING:
            return None
        return (self.type == "messageBack" and self.text) or self.value


class Picture(CardPiece, frozen=True):
    """A picture."""

    url: str
    alt: str | None = None
    "What can be seen on it, for who cannot see it."
    tap: Button | None = None


class Fact(CardPiece, frozen=True):
    """A line at the head of a receipt."""

    key: str
    value: str


class ReceiptItem(CardPiece, frozen=True):
    """Something that was bought."""

    title: str
    subtitle: str | None = None
    text: str | None = None
    image: Picture | None = None
    price: str | None = None
    quantity: str | None = None
    tap: Button | None = None


class CardFace(CardPiece, frozen=True):
    """What there is to see of a card, each kind with its own; what is `None` or empty is not there."""

    kind: CardKind
    text: str | None = None
    "What it says. Kinds that have no place for it show it as the text of the message."
    title: str | None = None
    subtitle: str | None = None
    images: tuple[Picture, ...] = ()
    buttons: tuple[Button, ...] = ()
    tap: Button | None = None
    facts: tuple[Fact, ...] = ()
    items: tuple[ReceiptItem, ...] = ()
    total: str | None = None
    tax: str | None = None
    vat: str | None = None
    url: str | None = None
    "Of a medium or a sign-in: its address."
    name: str | None = None
    content_type: str | None = None
    channel_data: str | None = None
    """Of `custom`: JSON in the words of one channel. It is passed on letter by letter, since a number that is read and
    written again can come out another way: `1.10`, or one of 20 digits."""


def is_address(text: str) -> bool:
    """Return whether a card can have this address: https, or this machine, which is for trials."""
    return _ADDRESS.match(text) is not None


def fits(kind: str, value: str) -> bool:
    """Return whether a button of a type can have this value."""
    if kind == "call":
        return _CALLED.match(value) is not None
    return kind in ANSWERING or is_address(value)
