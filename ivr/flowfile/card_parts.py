"""Cards as an author writes them: a part of a prompt for each kind, with what is in it (LANGUAGE C9).

Every text may hold {{ expression }}. What stands in a list of a card can have a `guard`, and a `foreach`.
"""

from typing import Annotated, Any, ClassVar, get_args

from pydantic import Field

from ivr.engine.card_making import is_json
from ivr.engine.cards import ButtonType, CardKind
from ivr.flowfile.fields import GivenName, Guard, Json, OneOf, Text, Words, refused
from ivr.flowfile.model_base import PUT_IN, Model, Part


class KindOfCard(OneOf):
    """The kind of a card; all of them can be meant, where editors offer those of one class alone."""

    def __init__(self, *own: CardKind) -> None:
        super().__init__(*get_args(CardKind))
        self.own = own

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "enum": list(self.own)}


class JsonText(Words):
    """A text that is JSON."""

    ADVICE = "Write the JSON as a text: channelData: | and, in the lines below it, the JSON."

    def _checked(self, value: object) -> object:
        if not isinstance(value, str):
            raise refused("value", "The JSON is to be a text, so that it stays as it is.", self.ADVICE)
        return self.read(value)

    def read(self, text: str) -> str:
        """Read JSON in whose texts values can be put."""
        if not is_json(PUT_IN.sub("x", text)):
            raise refused("value", "This is not JSON, or no object.", "A value that is put in stands in quotes.")
        return text.strip()


# --- what is in a card -----------------------------------------------------------------------------------------------


class CardPiece(Model):
    """What can be in a card."""


class ListedPiece(CardPiece):
    """What stands in a list of a card."""

    guard: Guard | None = Field(None, description="Expression: it is there only if this is true.")
    foreach: Guard | None = Field(None, description="Expression, a list: it is there for each of its first 100 items.")
    item: Annotated[str, GivenName()] = Field("item", description="What an item is called in it; default item.")


class TapPiece(CardPiece):
    """What a press does."""

    type: Annotated[str, OneOf(*get_args(ButtonType))] = Field(
        "imBack", description="What a press does; default imBack: it sends the value as if it had been written."
    )
    title: Text = Field(description="What stands on it.")
    value: Text | None = Field(None, description="What is sent, or the address that is opened; default: the title.")
    text: Text | None = Field(None, description="Of messageBack: what is sent as text, beside the value.")
    display_text: Text | None = Field(None, description="Of messageBack: what the conversation shows.")
    image: Text | None = Field(None, description="The https address of a picture on it.")


class ButtonPiece(TapPiece, ListedPiece):
    """A button of a card."""


class PicturePiece(CardPiece):
    """A picture."""

    url: Text = Field(description="Its https address.")
    alt: Text | None = Field(None, description="What can be seen on it, for who cannot see it.")
    tap: TapPiece | None = Field(None, description="What a press on it does.")


class ListedPicturePiece(PicturePiece, ListedPiece):
    """A picture of a card."""


class FactPiece(ListedPiece):
    """A line at the head of a receipt."""

    key: Text = Field(description="What it is about.")
    value: Text = Field(description="What is told of it.")


class ItemPiece(ListedPiece):
    """Something that was bought."""

    title: Text = Field(description="What it is.")
    subtitle: Text | None = Field(None, description="More about it.")
    text: Text | None = Field(None, description="Still more.")
    image: PicturePiece | None = Field(None, description="A picture of it.")
    price: Text | None = Field(None, description="As it is to be read: 16.25 €.")
    quantity: Text | None = Field(None, description="As it is to be read.")
    tap: TapPiece | None = Field(None, description="What a press on it does.")


# --- cards -----------------------------------------------------------------------------------------------------------


class CardPart(Part):
    """A card: shown in a chat, and spoken by its text on a telephone."""

    KINDS: ClassVar[tuple[CardKind, ...]]
    card: str
    text: Text | None = Field(None, description="What it says; all of it that is spoken on a telephone.")


class HeroCardPart(CardPart):
    """A card with text, pictures and buttons."""

    KINDS = ("hero", "thumbnail")
    card: Annotated[str, KindOfCard(*KINDS)] = Field(description="hero has a large picture, thumbnail a small one.")
    title: Text | None = Field(None, description="Its heading; not spoken.")
    subtitle: Text | None = Field(None, description="Under the heading; not spoken.")
    images: list[ListedPicturePiece] = Field([], description="Pictures: {url, alt, tap}.")
    buttons: list[ButtonPiece] = Field([], description="Buttons, in order: {type, title, value}.")
    tap: TapPiece | None = Field(None, description="What a press on the card does.")


class ReceiptCardPart(CardPart):
    """A receipt. Amounts are texts, as they are to be read."""

    KINDS = ("receipt",)
    card: Annotated[str, KindOfCard(*KINDS)] = Field(description="receipt.")
    title: Text = Field(description="Its heading; not spoken.")
    facts: list[FactPiece] = Field([], description="Lines at the head, in order: {key, value}.")
    items: list[ItemPiece] = Field([], description="What was bought, in order: {title, price, quantity}.")
    total: Text | None = Field(None, description="The sum.")
    tax: Text | None = Field(None, description="The tax.")
    vat: Text | None = Field(None, description="The value added tax.")
    buttons: list[ButtonPiece] = Field([], description="Buttons, in order: {type, title, value}.")
    tap: TapPiece | None = Field(None, description="What a press on the card does.")


class SignInCardPart(CardPart):
    """A card whose button opens a page to sign in."""

    KINDS = ("signIn",)
    card: Annotated[str, KindOfCard(*KINDS)] = Field(description="signIn.")
    title: Text = Field(description="What stands on its button.")
    url: Text = Field(description="The https address of the page.")


class MediumCardPart(CardPart):
    """A picture, sound, film or any other file."""

    KINDS = ("image", "audio", "video", "file")
    card: Annotated[str, KindOfCard(*KINDS)] = Field(description="image, audio, video or file.")
    url: Text = Field(description="Its https address.")
    content_type: Text | None = Field(None, description="Its media type: image/png; default: by the end of its name.")
    name: Text | None = Field(None, description="What the file is called.")


class CustomCardPart(CardPart):
    """What one channel alone can show, in that channel's own words."""

    KINDS = ("custom",)
    card: Annotated[str, KindOfCard(*KINDS)] = Field(description="custom.")
    channel_data: Annotated[str, JsonText()] = Field(
        description="JSON as text, passed on letter by letter; {{ expression }} can stand in its texts."
    )


CARD_PARTS: tuple[type[CardPart], ...] = (HeroCardPart, ReceiptCardPart, SignInCardPart, MediumCardPart, CustomCardPart)


def part_of_kind(kind: Any) -> type[CardPart]:
    """Return how a card of a kind is written; of one that nobody knows, as one with all that is usual."""
    return next((one for one in CARD_PARTS if kind in one.KINDS), HeroCardPart)
