"""The flow file as data: every key of the language with its meaning, type and range (LANGUAGE C2 to C10).

The JSON Schema that editors use comes from these classes, so the two cannot drift. Each default of the language
stands here once. `None` means "not written": `build` looks further, mostly in `Defaults`. What needs more than one key
to judge is judged by `checks`.

`LATER` names the words that the language has and this release does not: they are refused as "not there yet".
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from ivr.engine.commands import RecordingFormat
from ivr.engine.expressions.types import Type
from ivr.flowfile.fields import (
    AnyText,
    Bool,
    ChoiceName,
    Fields,
    GivenName,
    Guard,
    LanguageTag,
    OneOf,
    OneOrMany,
    OnlyTrue,
    PhoneKey,
    Reference,
    ShortFor,
    Terminators,
    Text,
    Time,
    TypeWord,
    Voice,
    Whole,
)
from ivr.nearest import nearest


class Model(BaseModel):
    """What all parts of a flow share."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    LATER: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _remember(cls, value: Any, info: ValidationInfo) -> Any:
        """Note which class judged which mapping, so that an unknown key can be compared with the known ones."""
        if isinstance(info.context, dict):
            info.context[id(value)] = cls
        return value

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """Return the keys that can be written here."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


# --- prompts ---------------------------------------------------------------------------------------------------------


class Part(Model):
    """What every part of a prompt can have."""

    LATER = frozenset({"recording", "ref", "foreach", "item"})

    guard: Guard | None = Field(None, description="Expression: the part is there only while it is true.")
    voice: Voice | None = Field(None, description="The voice of this part; default: the flow's.")
    language: Annotated[str, LanguageTag()] | None = Field(None, description="Speak this text in this language.")
    emphasize: Bool = Field(False, description="Speak with emphasis.")
    say_as: (
        Annotated[
            str,
            OneOf(
                *("telephone", "letters", "cardinal", "ordinal", "name", "phoneticName", "time12", "time24"),
                *("yearMonthDay", "monthDayYear", "dayMonthYear", "yearMonth", "monthYear", "monthDay", "dayMonth"),
                *("day", "month", "year"),
            ),
        ]
        | None
    ) = Field(None, description="How the line should read it; prefer a filter such as {{ day | date }}.")


class TextPart(Part):
    """Words to be spoken; {{ expression }} puts a value in."""

    text: Text = Field(description="The words; may hold {{ expression }}.")


class AudioPart(Part):
    """An audio file to be played."""

    audio: Text = Field(description="A WMA or WAV file beside the flow, at most 512 KB, or an http(s) address.")
    text: Text | None = Field(None, description="What the file says: for transcripts, and if it cannot be fetched.")


class SilencePart(Part):
    """A pause."""

    silence: Annotated[float, Time(0.001, 60)] = Field(description="How long: 1ms to 60s.")


PARTS: dict[str, type[Part]] = {"audio": AudioPart, "silence": SilencePart, "text": TextPart}


def _which_part(value: object) -> str:
    """Return the class for a part: by its key, a key of that sort misspelt, or as text."""
    if isinstance(value, dict):
        for key in PARTS:
            if key in value:
                return f"<{key}>"
        for word in value:
            if meant := nearest(str(word), PARTS):
                return f"<{meant}>"
    return "<text>"


AnyPart: TypeAlias = Annotated[
    Annotated[AudioPart, Tag("<audio>")]
    | Annotated[SilencePart, Tag("<silence>")]
    | Annotated[TextPart, Tag("<text>")],
    Discriminator(_which_part),
]
Prompt: TypeAlias = Annotated[list[AnyPart], OneOrMany("text")]
Prompts: TypeAlias = Annotated[list[Prompt], OneOrMany()]


# --- transitions -----------------------------------------------------------------------------------------------------

Assignments: TypeAlias = Annotated[
    dict[Annotated[str, GivenName()], Annotated[str, AnyText()]], Fields("variables with their new values")
]


class Branch(Model):
    """One way on."""

    target: Annotated[str, Reference()] = Field(description='The state to go to; "self" asks again without entering.')
    guard: Guard | None = Field(None, description="Expression: this way is taken only if it is true.")
    set: Assignments = Field({}, description="Variables to set: name: value.")
    say: Prompt | None = Field(None, description="Heard before anything of the target.")


Branches: TypeAlias = Annotated[list[Branch], OneOrMany("target")]
Handlers: TypeAlias = Annotated[dict[str, Branches], Fields("events with their targets")]


# --- actions ---------------------------------------------------------------------------------------------------------


class Choice(Model):
    """One choice of a menu: at least a key or a spoken form."""

    LATER = frozenset({"foreach", "page", "more", "into"})

    dtmf: Annotated[str, PhoneKey()] | None = Field(None, description='One key, in quotes: "1".')
    speech: Annotated[list[Text], OneOrMany()] | None = Field(None, description="Up to 5 spoken forms.", max_length=5)
    prompt: Prompt | None = Field(None, description="Spoken after the menu's own prompt; knows {{ key }}.")
    guard: Guard | None = Field(None, description="Expression: the choice is there only while it is true.")


class Asking(Model):
    """What menu, digits and record share."""

    prompt: Prompt | None = Field(None, description="The question.")
    reprompt: Annotated[list[AnyPart], OneOrMany("text", empty="false")] | None = Field(
        None, description="Said when the question is repeated, instead of the whole question; false: nothing."
    )
    no_input: Prompts | None = Field(
        None, description="One text for each silence, the last repeats; then the question."
    )
    max_attempts: Annotated[int, Whole(1, 10)] | None = Field(None, description="1 to 10, default 3; then exhausted.")
    initial_silence: Annotated[float, Time(1, 30)] | None = Field(
        None, description="How long the caller may be silent: 1s to 30s, default 5s."
    )
    into: Annotated[str, GivenName()] | None = Field(None, description="The variable that keeps the answer.")


class Matching(Asking):
    """What menu and digits share."""

    LATER = frozenset({"commands"})

    no_match: Prompts | None = Field(
        None, description="One text for each wrong answer, the last repeats; then the question."
    )
    barge_in: Bool | None = Field(None, description="The caller may interrupt the question; default true.")


class Menu(Matching):
    """Asks for one of several choices."""

    choices: Annotated[dict[Annotated[str, ChoiceName()], Choice], Fields("choices")] = Field(
        description="The choices by name; each name is an event.", min_length=1
    )


class Digits(Matching):
    """Asks for keys."""

    LATER = frozenset({"commands", "confirm"})

    min_digits: Annotated[int, Whole(0, 20)] = Field(
        1, description="0 to 20, default 1; 0: the terminator alone is an empty answer."
    )
    max_digits: Annotated[int, Whole(1, 20)] = Field(20, description="1 to 20, default 20.")
    inter_digit: Annotated[float, Time(1, 5)] | None = Field(
        None, description="The longest pause between two keys: 1s to 5s, default 3s."
    )
    terminators: Annotated[str, Terminators()] = Field(
        "#", description='Keys that end the input, as one text in quotes: default "#"; or none.'
    )
    sensitive: Bool = Field(False, description="The keys are private: never spoken, logged or traced.")


class Record(Asking):
    """Records the caller."""

    LATER = frozenset({"confirm", "needsConsent"})

    terminators: Annotated[str, Terminators()] = Field(
        "#", description='Keys that end the recording, as one text in quotes: default "#"; or none.'
    )
    sensitive: Bool = Field(False, description="The words are private: never spoken, logged or traced.")
    max_duration: Annotated[float, Time(10, 600)] = Field(120.0, description="10s to 10m, default 2m.")
    max_silence: Annotated[float, Time(1, 30)] | None = Field(
        None, description="Silence that ends the recording: 1s to 30s, default 3s."
    )
    beep: Bool = Field(True, description="A beep before the recording; default true.")
    format: Annotated[RecordingFormat, OneOf(*get_args(RecordingFormat))] | None = Field(
        None, description="The audio's format; default wma."
    )
    transcribe: Bool = Field(False, description="Have a speech engine write the words down.")
    transcribe_timeout: Annotated[float, Time(1, 300)] = Field(
        30.0, description="How long the engine may work: 1s to 5m, default 30s."
    )
    phrases: Annotated[list[Text], OneOrMany()] | None = Field(None, description="Words to listen for.")
    hold_prompt: Prompt | None = Field(None, description="Heard while the engine works; default a short silence.")


AskingAction: TypeAlias = Literal["menu", "digits", "record"]


class Nothing(Model):
    """An action without keys: write {}."""


# --- the flow --------------------------------------------------------------------------------------------------------


class State(Model):
    """A state: one action, and the ways on."""

    LATER = frozenset({"http", "transfer", "notify", "split", "invoke", "return", "consent", "milestone"})
    ACTIONS: ClassVar[tuple[str, ...]] = ("say", "menu", "digits", "record", "decide", "answer", "hangup", "reject")

    description: str | None = Field(None, description="A comment that belongs to the flow.")
    say: Prompt | None = Field(None, description="Speaks; cannot be interrupted.")
    menu: Menu | None = Field(None, description="Asks for one of several choices.")
    digits: Digits | None = Field(None, description="Asks for keys.")
    record: Record | None = Field(None, description="Records the caller.")
    decide: Branches | None = Field(None, description="Goes on by guards, asks nothing.")
    answer: Nothing | None = Field(None, description="Takes the call; implied before anything is heard: {}.")
    hangup: Nothing | None = Field(None, description="Ends the call: {}.")
    reject: Nothing | None = Field(None, description="Declines a call that nobody has answered: {}.")
    next: Branches | None = Field(None, description="The ordinary way on; for a menu, every choice that is not in on.")
    on: Handlers = Field({}, description="Events, each with the state it leads to.")
    set: Assignments = Field({}, description="Set each time the state is entered, before its prompt is made.")
    final: Annotated[bool, OnlyTrue()] = Field(False, description="The call ends here.")
    outcome: Annotated[str, GivenName()] | None = Field(
        None, description="With final: resolved (default), unresolved, voicemail, abandoned, failed, or an own word."
    )
    allow: Annotated[dict[str, Text], Fields("checks with reasons")] = Field(
        {}, description="Acknowledges what a check finds in this state: check: reason."
    )

    def questions(self) -> Iterator[tuple[AskingAction, Asking]]:
        """Go through what it asks, each with the action's word: one question, or more if it does too much."""
        if self.menu is not None:
            yield "menu", self.menu
        if self.digits is not None:
            yield "digits", self.digits
        if self.record is not None:
            yield "record", self.record


class Variable(Model):
    """A variable; a bare value is its default."""

    type: Annotated[Type, TypeWord()] | None = Field(
        None, description="text, integer, decimal, boolean, date, time, datetime, recording, [type], {name: type}."
    )
    default: Annotated[str, AnyText()] | None = Field(
        None, description="The value it begins with; none: it may stay without one."
    )
    min: Text | None = Field(None, description="The least value of an integer, decimal, date or time.")
    max: Text | None = Field(None, description="The greatest value of an integer, decimal, date or time.")
    values: Annotated[list[Text], OneOrMany()] | None = Field(None, description="The texts that are allowed.")
    format: Annotated[str, OneOf("ddmmyyyy", "mmddyyyy", "yyyymmdd")] | None = Field(
        None, description="How a date is keyed; default ddmmyyyy."
    )
    sensitive: Bool = Field(False, description="Private: never spoken, logged or traced.")


class Defaults(Model):
    """What asking states use that do not say otherwise."""

    no_input: Prompts | None = Field(None, description="One text for each silence.")
    no_match: Prompts | None = Field(None, description="One text for each wrong answer.")
    max_attempts: Annotated[int, Whole(1, 10)] = Field(3, description="1 to 10.")
    # Not filled in: a channel must see that the author left it to the language (see `engine.commands`).
    initial_silence: Annotated[float, Time(1, 30)] | None = Field(None, description="1s to 30s.")
    inter_digit: Annotated[float, Time(1, 5)] = Field(3.0, description="1s to 5s.")
    max_silence: Annotated[float, Time(1, 30)] = Field(3.0, description="1s to 30s.")
    barge_in: Bool = Field(True, description="The caller may interrupt questions.")


class Limits(Model):
    """How long a call can become; over it: error.limit."""

    duration: Annotated[float, Time(60, 14400)] = Field(1800.0, description="1m to 4h, default 30m.")
    turns: Annotated[int, Whole(10, 2000)] = Field(200, description="10 to 2000, default 200.")


class FlowFile(Model):
    """A phone flow."""

    LATER = frozenset({"languages", "include", "commands", "calendars", "prompts", "destinations", "goals"})

    flow: Annotated[str, Reference()] = Field(description="The flow's name.")
    description: str | None = Field(None, description="What the flow is for.")
    language: Annotated[str, LanguageTag()] = Field("en-US", description="The language spoken; default en-US.")
    voice: Voice = Field("male", description="male or female; default male.")
    time_zone: Text | None = Field(None, description="For now and the time filters, such as Europe/Vienna.")
    initial: Annotated[str, Reference()] = Field(description="The state where a call begins.")
    defaults: Defaults = Field(Defaults.model_validate({}), description="Used by each asking state that has none.")
    on: Handlers = Field({}, description="Events that a state does not handle, each with the state it leads to.")
    variables: Annotated[
        dict[Annotated[str, GivenName()], Annotated[Variable, ShortFor("default")]], Fields("variables")
    ] = Field({}, description="Variables: a default, or type, default, min, max, values, format, sensitive.")
    limits: Limits = Field(Limits.model_validate({}), description="How long a call can become.")
    states: Annotated[dict[Annotated[str, GivenName()], State], Fields("states")] = Field(
        description="The states by name.", min_length=1
    )
