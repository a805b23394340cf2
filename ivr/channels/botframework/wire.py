"""The activities that we send, in the platform's spelling, and of them what we write."""

from typing import Any, Literal, TypeAlias

from msgspec import Raw, Struct, field

from ivr.engine.cards import ButtonType

TextFormat: TypeAlias = Literal["plain", "xml"]
"Markdown is what is meant where nothing is said."
HERO, THUMBNAIL, RECEIPT, SIGN_IN = (
    f"application/vnd.microsoft.card.{kind}" for kind in ("hero", "thumbnail", "receipt", "signin")
)
"The content types of cards."
HANDOFF, HANDOFF_STATUS = "handoff.initiate", "handoff.status"
"The names of events by which a conversation is handed over to somebody else, and what came of it is told."


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A part of an activity; what is `None` is not written."""


class Party(Part, frozen=True, kw_only=True):
    """Who takes part in a conversation."""

    id: str
    name: str | None = None


class Conversation(Part, frozen=True, kw_only=True):
    """A conversation."""

    id: str


class Button(Part, frozen=True, kw_only=True):
    """A button of a card; `imBack`: its value is sent as if it had been written."""

    type: ButtonType
    title: str
    value: str
    text: str | None = None
    display_text: str | None = None
    image: str | None = None


class Image(Part, frozen=True, kw_only=True):
    """A picture in a card."""

    url: str
    alt: str | None = None
    tap: Button | None = None


class HeroCard(Part, frozen=True, kw_only=True):
    """A card, also one with a small picture."""

    title: str | None = None
    subtitle: str | None = None
    text: str | None = None
    images: tuple[Image, ...] = ()
    buttons: tuple[Button, ...] = ()
    tap: Button | None = None


class Fact(Part, frozen=True, kw_only=True):
    """A line at the head of a receipt."""

    key: str
    value: str


class ReceiptItem(Part, frozen=True, kw_only=True):
    """Something that was bought; amounts are texts."""

    title: str
    subtitle: str | None = None
    text: str | None = None
    image: Image | None = None
    price: str | None = None
    quantity: str | None = None
    tap: Button | None = None


class ReceiptCard(Part, frozen=True, kw_only=True):
    """A receipt."""

    title: str | None = None
    facts: tuple[Fact, ...] = ()
    items: tuple[ReceiptItem, ...] = ()
    total: str | None = None
    tax: str | None = None
    vat: str | None = None
    buttons: tuple[Button, ...] = ()
    tap: Button | None = None


class SignInCard(Part, frozen=True, kw_only=True):
    """A card whose button opens a page to sign in."""

    text: str | None = None
    buttons: tuple[Button, ...] = ()


class Attachment(Part, frozen=True, kw_only=True):
    """A card, or a file at an address."""

    content_type: str
    content: HeroCard | ReceiptCard | SignInCard | None = None
    content_url: str | None = None
    name: str | None = None


class SentActivity(Part, frozen=True, kw_only=True):
    """An activity of ours. The channel itself adds its id and where it was sent."""

    type: Literal["message", "event"]
    timestamp: str
    sender: Party | None = field(default=None, name="from")
    conversation: Conversation
    recipient: Party | None = None
    attachment_layout: Literal["list", "carousel"] | None = None
    text: str | None = None
    text_format: TextFormat | None = None
    attachments: tuple[Attachment, ...] = ()
    name: str | None = None
    value: Any = None
    reply_to_id: str | None = None
    channel_data: Raw | None = None
    "As the author wrote it."
