"""What is said, as a flow has it: parts that become segments when their texts and guards are read in a scope (C9)."""

from collections.abc import Mapping

from msgspec import Struct

from ivr.engine.card_making import Members
from ivr.engine.commands import Gender
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.text_markup import Markup, as_text, without_markup
from ivr.engine.values import Value


class TextPart(Struct, frozen=True):
    """Words of a prompt."""

    text: Template
    voice: Gender
    language: str | None = None
    "None: the fact `language`, as it stands when this is said."
    say_as: str | None = None
    emphasize: bool = False
    guard: Expression | None = None
    markup: Markup | None = None


class AudioPart(Struct, frozen=True):
    """A file of a prompt: collected with the flow (`asset`, a SHA-256), or at an address of the author's (`url`)."""

    asset: str | None = None
    url: str | None = None
    text: Template | None = None
    guard: Expression | None = None


class SilencePart(Struct, frozen=True):
    """A pause in a prompt."""

    milliseconds: int
    guard: Expression | None = None


class ByLanguagePart(Struct, frozen=True):
    """A prompt for each language of the flow, of which one is said."""

    prompts: "Mapping[str, Prompt]"
    "By the flow's own tags, all of them."
    language: str | None = None
    "Of which it is said; None: the fact `language`."
    guard: Expression | None = None


class ReferredPart(Struct, frozen=True):
    """A prompt that stands elsewhere and is said here."""

    prompt: "Prompt"
    language: str | None = None
    "In which it is said; None: the fact `language`."
    guard: Expression | None = None


class ForeachPart(Struct, frozen=True):
    """A prompt that is said once for each item of a list."""

    items: Expression
    item: str
    "What an item is called in it."
    prompt: "Prompt"
    guard: Expression | None = None


class RecordingPart(Struct, frozen=True):
    """What the caller has recorded; it is not there where nothing was."""

    recording: Expression
    guard: Expression | None = None


class CardPart(Struct, frozen=True):
    """A card; it is not there where all of it comes out blank."""

    members: Members
    voice: Gender
    language: str | None = None
    "None: the fact `language`."
    say_as: str | None = None
    emphasize: bool = False
    guard: Expression | None = None


class CarouselPart(Struct, frozen=True):
    """Cards side by side; what else its prompt has is not there."""

    prompt: "Prompt"
    guard: Expression | None = None


def said_and_marked(template: Template, markup: Markup | None, names: Mapping[str, Value]) -> tuple[str, str | None]:
    """Return what is spoken of a text, and the same with its markup; what is put in is text in both."""
    if markup is None:
        return template.text(names), None
    marked = template.marked(names, lambda value: as_text(value, markup))
    return without_markup(marked, markup), marked


MAX_ITEMS = 10
"Items of a list that are said; nobody remembers more."
Part = (
    TextPart
    | AudioPart
    | SilencePart
    | ByLanguagePart
    | ReferredPart
    | ForeachPart
    | RecordingPart
    | CardPart
    | CarouselPart
)
Prompt = tuple[Part, ...]
