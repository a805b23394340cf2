"""What states and actions are made of: prompts, and transitions (LANGUAGE C7, C9)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from msgspec import Struct
from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import CoreSchema

from ivr.engine.text_markup import Markup
from ivr.flowfile.card_parts import (
    CardPart,
    CustomCardPart,
    HeroCardPart,
    MediumCardPart,
    ReceiptCardPart,
    SignInCardPart,
    part_of_kind,
)
from ivr.flowfile.containers import Fields, OneOrMany
from ivr.flowfile.fields import AnyText, GivenName, Guard, Json, OneOf, Reference, Text, Time, VariableName
from ivr.flowfile.model_base import Model, Part
from ivr.flowfile.source import Path
from ivr.nearest import nearest

# --- prompts ---------------------------------------------------------------------------------------------------------


class TextPart(Part):
    """Words to be spoken; {{ expression }} puts a value in."""

    text: Text = Field(description="The words; may hold {{ expression }}.")
    text_format: Annotated[str, OneOf("markdown", "plain", "xml")] = Field(
        "plain", description="How a chat reads the text; spoken it has no markup. What is put in is always plain."
    )

    @property
    def markup(self) -> Markup | None:
        """The markup in the text; None: it has none."""
        return next((one for one in get_args(Markup) if one == self.text_format), None)


class AudioPart(Part):
    """An audio file to be played."""

    audio: Text = Field(description="A WMA or WAV file beside the flow, at most 512 KB, or an http(s) address.")
    text: Text | None = Field(None, description="What the file says: for transcripts, and if it cannot be fetched.")


class SilencePart(Part):
    """A pause."""

    silence: Annotated[float, Time(0.001, 60)] = Field(description="How long: 1ms to 60s.")


class RefPart(Part):
    """A prompt of the catalogue."""

    ref: Annotated[str, Reference()] = Field(description="Its name in prompts.")


class ForeachPart(Part):
    """A prompt that is said once for each item of a list."""

    foreach: Guard = Field(description="Expression, a list: its first 10 items are said.")
    item: Annotated[str, GivenName()] = Field("item", description="What an item is called in it; default item.")
    text: "Prompt" = Field(description="What is said of each item; may hold {{ item }}.")

    @field_validator("text", mode="after")
    @classmethod
    def _in_the_same_manner(cls, prompt: list[Part], info: ValidationInfo) -> list[Part]:
        return [part.in_the_manner_of(info.data) for part in prompt]

    def in_the_manner_of(self, around: Mapping[str, Any]) -> Self:
        """Return the part with what it does not say of its own as what it stands in says it."""
        text = [part.in_the_manner_of(around) for part in self.text]
        return super().in_the_manner_of(around).model_copy(update={"text": text})


class CarouselPart(Part):
    """Cards side by side."""

    carousel: "Prompt" = Field(description="The cards: [{card: hero, …}, …]; foreach and ref lead to cards, too.")

    @field_validator("carousel", mode="after")
    @classmethod
    def _in_the_same_manner(cls, prompt: list[Part], info: ValidationInfo) -> list[Part]:
        return [part.in_the_manner_of(info.data) for part in prompt]

    def in_the_manner_of(self, around: Mapping[str, Any]) -> Self:
        """Return the part with what it does not say of its own as what it stands in says it."""
        cards = [part.in_the_manner_of(around) for part in self.carousel]
        return super().in_the_manner_of(around).model_copy(update={"carousel": cards})


class RecordingPart(Part):
    """What the caller has recorded."""

    recording: Annotated[str, Reference()] = Field(description="The variable that holds the recording.")


class ByLanguagePart(Part):
    """Prompts by language, of which the caller hears one: {en: …, de: …}."""

    prompts: "dict[str, Prompt]" = Field(description="By tag of languages, or its first part.")

    @model_validator(mode="before")
    @classmethod
    def _sorted_out(cls, value: dict[str, Any], info: ValidationInfo) -> Any:
        """Put the languages apart from the other keys; both are written side by side."""
        cls._note(value, info)
        prompts = {key: prompt for key, prompt in value.items() if is_language(key)}
        return {**{key: other for key, other in value.items() if key not in prompts}, "prompts": prompts}

    @field_validator("prompts", mode="after")
    @classmethod
    def _in_the_same_manner(cls, prompts: dict[str, list[Part]], info: ValidationInfo) -> dict[str, list[Part]]:
        return {key: [part.in_the_manner_of(info.data) for part in prompt] for key, prompt in prompts.items()}

    def in_the_manner_of(self, around: Mapping[str, Any]) -> Self:
        """Return the part with what it does not say of its own as what it stands in says it."""
        prompts = {key: [part.in_the_manner_of(around) for part in prompt] for key, prompt in self.prompts.items()}
        return super().in_the_manner_of(around).model_copy(update={"prompts": prompts})

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """Return the keys that can be written here, beside the languages."""
        return tuple(word for word in super().words() if word != "prompts")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        described = handler(core)
        written = handler.resolve_ref_schema(described)
        prompts = written["properties"].pop("prompts")
        written.pop("required")
        written["patternProperties"] = {LANGUAGE_KEY: prompts["additionalProperties"]}
        return described


PARTS: dict[str, type[Part]] = {
    "card": CardPart,
    "carousel": CarouselPart,
    "foreach": ForeachPart,
    "audio": AudioPart,
    "ref": RefPart,
    "silence": SilencePart,
    "recording": RecordingPart,
    "text": TextPart,
}
LANGUAGE_KEY = "^([A-Za-z]{2}|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){1,3})$"
"What is always a language where a part of a prompt stands: no other key has two letters, or a hyphen."


def is_language(key: str) -> bool:
    """Return whether a key of a part is the language of what stands there."""
    return re.match(LANGUAGE_KEY, key) is not None


_CARD = "<hero>"
"Of a card whose kind nobody can tell."


def _which_part(value: object) -> str:
    """Return the class for a part: by its key, a key of that sort misspelt, or as text."""
    if isinstance(value, dict):
        if "card" in value:
            return f"<{part_of_kind(value['card']).KINDS[0]}>"
        for key in PARTS:
            if key in value:
                return f"<{key}>"
        if any(map(is_language, value)):
            return "<languages>"
        for word in value:
            if meant := nearest(str(word), PARTS):
                return f"<{meant}>" if meant != "card" else _CARD
    return "<text>"


AnyPart: TypeAlias = Annotated[
    Annotated[AudioPart, Tag("<audio>")]
    | Annotated[SilencePart, Tag("<silence>")]
    | Annotated[RefPart, Tag("<ref>")]
    | Annotated[ForeachPart, Tag("<foreach>")]
    | Annotated[RecordingPart, Tag("<recording>")]
    | Annotated[ByLanguagePart, Tag("<languages>")]
    | Annotated[CarouselPart, Tag("<carousel>")]
    | Annotated[HeroCardPart, Tag("<hero>")]
    | Annotated[ReceiptCardPart, Tag("<receipt>")]
    | Annotated[SignInCardPart, Tag("<signIn>")]
    | Annotated[MediumCardPart, Tag("<image>")]
    | Annotated[CustomCardPart, Tag("<custom>")]
    | Annotated[TextPart, Tag("<text>")],
    Discriminator(_which_part),
]
Prompt: TypeAlias = Annotated[list[AnyPart], OneOrMany("text")]
Prompts: TypeAlias = Annotated[list[Prompt], OneOrMany()]
ByLanguagePart.model_rebuild()
ForeachPart.model_rebuild()
CarouselPart.model_rebuild()
WordedPart: TypeAlias = TextPart | AudioPart | CardPart
"A part that has words in its `text`."


# --- transitions -----------------------------------------------------------------------------------------------------

Assignments: TypeAlias = Annotated[
    dict[Annotated[str, VariableName()], Annotated[str, AnyText()]], Fields("variables with their new values")
]


class Branch(Model):
    """One transition."""

    target: Annotated[str, Reference()] = Field(description='The state to go to; "self" asks again without entering.')
    guard: Guard | None = Field(None, description="Expression: this transition is taken only if it is true.")
    set: Assignments = Field({}, description="Variables to set: name: value.")
    say: Prompt | None = Field(None, description="Spoken before anything of the target state.")


Branches: TypeAlias = Annotated[list[Branch], OneOrMany("target")]
Handlers: TypeAlias = Annotated[dict[str, Branches], Fields("events with their targets")]


# --- where prompts stand ---------------------------------------------------------------------------------------------

Moment: TypeAlias = Literal["entry", "prompt", "choice", "confirm", "signIn", "transition"]
"""When an expression is read. `entry`: `set` of a state; `prompt`: when the state speaks; `choice`: the same, and `key`
is known, and the item of a list; `confirm`: the answer is known that is to be confirmed; `signIn`: a sign-in has begun,
and it is known how the caller comes to the page; `transition`: in a transition, where the event's fields are known."""


Role: TypeAlias = Literal["guard", "text", "value", "sent", "given", "expression"]
"""What a text of the file is. `guard` and `expression` are bare; a `text` is spoken or matched; a `value` is stored;
what is `sent` leaves the server as text, and what is `given` goes to somebody else with its type, `none` included."""


class Read(Struct, frozen=True):
    """A text of an action that may hold expressions, or a bare expression, and where it stands."""

    path: Path
    text: str
    role: Role
    moment: Moment = "prompt"
    takes: frozenset[str] | None = None
    "The types of a value that keeps its type, where it is nothing but one expression; None: it becomes text."
    may_be_none: bool = False
    "That value may be none."
    takes_private: bool = False
    "It may hold private values: whoever gets it keeps them from logs and traces."
    takes_secrets: bool = False


class Spoken(Struct, frozen=True):
    """One prompt, and where it stands."""

    parts: Sequence[AnyPart]
    path: Path
    moment: Moment = "prompt"
    guard: str | None = None
    "Set: all of it is there only while this is true."
    knows: Mapping[str, str | None] = {}
    "What its expressions can read beside what all others can, as far as the file says what that is."


def spoken(prompt: Sequence[AnyPart] | None, path: Path, moment: Moment = "prompt") -> Iterator[Spoken]:
    """Go through a prompt that may not be written."""
    if prompt:
        yield Spoken(prompt, path, moment)


def each_spoken(several: Sequence[Sequence[AnyPart]] | None, path: Path, moment: Moment = "prompt") -> Iterator[Spoken]:
    """Go through the texts of a list that may not be written."""
    for number, prompt in enumerate(several or ()):
        yield Spoken(prompt, (*path, number), moment)
