"""The activities that we send, in the platform's spelling, and of them what we write."""

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

TextFormat: TypeAlias = Literal["plain"]
HERO = "application/vnd.microsoft.card.hero"
"The content type of a card with buttons."
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

    type: Literal["imBack"]
    title: str
    value: str


class HeroCard(Part, frozen=True, kw_only=True):
    """A card."""

    text: str | None = None
    buttons: tuple[Button, ...] = ()


class Attachment(Part, frozen=True, kw_only=True):
    """A card, or a file at an address."""

    content_type: str
    content: HeroCard | None = None
    content_url: str | None = None
    name: str | None = None


class SentActivity(Part, frozen=True, kw_only=True):
    """An activity of ours. The channel itself adds its id and where it was sent."""

    type: Literal["message", "event"]
    timestamp: str
    sender: Party | None = field(default=None, name="from")
    conversation: Conversation
    recipient: Party | None = None
    attachment_layout: Literal["list"] | None = None
    text: str | None = None
    text_format: TextFormat | None = None
    attachments: tuple[Attachment, ...] = ()
    name: str | None = None
    value: Any = None
    reply_to_id: str | None = None
