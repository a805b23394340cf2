"""The flow file as data: every key of the language with its meaning, type and range (LANGUAGE C2 to C10).

The JSON Schema that editors use comes from these classes, so the two cannot drift. Each default of the language stands
once. `None` means "not written": `build` looks further, mostly in `Defaults`. What needs more than one key to judge is
judged by `checks`. What an action is written with stands in its file (`ivr.flowfile.actions`), what both are made of in
`model_parts`.
"""

from typing import Annotated

from pydantic import Field

from ivr.engine.expressions.types import Type
from ivr.flowfile.actions import ActionKeys
from ivr.flowfile.actions.base import Defaults
from ivr.flowfile.choices import Command
from ivr.flowfile.containers import Fields, OneOrMany, ShortFor
from ivr.flowfile.fields import (
    AnyText,
    Bool,
    ChoiceName,
    GivenName,
    LanguageTag,
    OneOf,
    OnlyTrue,
    Reference,
    Text,
    Time,
    TypeWord,
    VariableName,
    Voice,
    Whole,
)
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Assignments, Branches, Handlers, Prompt
from ivr.flowfile.opening_hours import CalendarWritten
from ivr.flowfile.retention import Retention


class State(ActionKeys):
    """A state: one action, and its transitions."""

    next: Branches | None = Field(None, description="Where the call goes next; of a menu, for each choice not in on.")
    on: Handlers = Field({}, description="Events, each with the state it leads to.")
    set: Assignments = Field({}, description="Set each time the state is entered, before its prompt is made.")
    final: Annotated[bool, OnlyTrue()] = Field(False, description="The call ends here.")
    outcome: Annotated[str, GivenName()] | None = Field(
        None,
        description="With final: resolved (default), unresolved, transferred, voicemail, abandoned, failed, or your "
        "own word.",
    )
    requires: Annotated[list[Annotated[str, Reference()]], OneOrMany()] = Field(
        [], description="Variables that must be true wherever a call comes here: proved before any call."
    )
    milestone: Annotated[str, GivenName()] | None = Field(
        None, description="What a call has reached here; counted when the state is entered."
    )
    allow: Annotated[dict[str, Text], Fields("checks with reasons")] = Field(
        {}, description="Acknowledges what a check finds in this state: check: reason."
    )


class Variable(Model):
    """A variable; a bare value is its default."""

    type: Annotated[Type, TypeWord()] | None = Field(
        None, description="text, integer, decimal, boolean, date, time, datetime, recording, [type], {name: type}."
    )
    default: Annotated[str, AnyText()] | None = Field(
        None, description="The initial value; none: it may have no value."
    )
    min: Text | None = Field(None, description="The smallest value of an integer, decimal, date or time.")
    max: Text | None = Field(None, description="The largest value of an integer, decimal, date or time.")
    values: Annotated[list[Text], OneOrMany()] | None = Field(None, description="The texts that are allowed.")
    format: Annotated[str, OneOf("ddmmyyyy", "mmddyyyy", "yyyymmdd")] | None = Field(
        None, description="How a date is keyed; default ddmmyyyy."
    )
    sensitive: Bool = Field(False, description="Private: never spoken, logged or traced.")
    parameter: Bool = Field(False, description="Whoever has a call placed may give it a value.")
    keep: Annotated[float, Retention(3600, 63_072_000)] | None = Field(
        None, description="Of user.NAME: how long it is kept of the caller once it has a value, 1h to 2y, such as 90d."
    )


class SignInWritten(Model):
    """What callers can be asked to sign in to."""

    scopes: Annotated[list[Text], OneOrMany()] = Field(
        [], description="What the flow is to be allowed, such as https://graph.microsoft.com/Calendars.ReadWrite."
    )


class Limits(Model):
    """How long a call can become; over it: error.limit."""

    duration: Annotated[float, Time(60, 14400)] = Field(1800.0, description="1m to 4h, default 30m.")
    turns: Annotated[int, Whole(10, 2000)] = Field(200, description="10 to 2000, default 200.")


class FlowFile(Model):
    """A phone flow."""

    flow: Annotated[str, Reference()] = Field(description="The flow's name.")
    description: str | None = Field(None, description="What the flow is for.")
    languages: Annotated[list[Annotated[str, LanguageTag()]], OneOrMany()] | None = Field(
        None, description="Instead of language: those in which every text is written; the first is the fallback."
    )
    language: Annotated[str, LanguageTag()] = Field(
        default_factory=lambda known: (known.get("languages") or ["en-US"])[0],
        description="The language spoken; default en-US.",
    )
    voice: Voice = Field("male", description="male or female; default male.")
    time_zone: Text | None = Field(None, description="For now and the time filters, such as Europe/Vienna.")
    initial: Annotated[str, Reference()] = Field(description="The state where a call begins.")
    include: Annotated[list[Text], OneOrMany()] | None = Field(
        None, description="Files beside the flow with calendars, commands, destinations, prompts or variables."
    )
    defaults: Defaults = Field(
        Defaults.model_validate({}), description="Used by each state that asks and has no value of its own."
    )
    commands: Annotated[dict[Annotated[str, ChoiceName()], Command], Fields("commands")] = Field(
        {}, description="Choices that are understood at every question; each name is an event."
    )
    on: Handlers = Field({}, description="Events that a state does not handle, each with the state it leads to.")
    variables: Annotated[
        dict[Annotated[str, VariableName()], Annotated[Variable, ShortFor("default")]], Fields("variables")
    ] = Field(
        {}, description="Variables: a default, or type, default, min, max, values, format, sensitive, parameter, keep."
    )
    goals: Annotated[
        dict[Annotated[str, GivenName()], Annotated[str, Reference()]], Fields("goals with milestones")
    ] = Field({}, description="What calls are to reach: name: milestone. Counted for each version of the flow.")
    calendars: Annotated[dict[Annotated[str, GivenName()], CalendarWritten], Fields("calendars")] = Field(
        {}, description="Opening hours by name: timeZone, weekly, holidays, closed, open."
    )
    prompts: Annotated[dict[Annotated[str, GivenName()], Prompt], Fields("prompts")] = Field(
        {}, description="Prompts by name, which parts {ref: name} say."
    )
    destinations: Annotated[dict[Annotated[str, GivenName()], Text], Fields("destinations")] = Field(
        {}, description="Whom calls can be transferred to: a number with + or a SIP address, by name."
    )
    sign_ins: Annotated[dict[Annotated[str, GivenName()], SignInWritten], Fields("names with scopes")] = Field(
        {}, description="What callers can be asked to sign in to, by name; the server's settings say with whom."
    )
    limits: Limits = Field(Limits.model_validate({}), description="How long a call can become.")
    states: Annotated[dict[Annotated[str, GivenName()], State], Fields("states")] = Field(
        description="The states by name.", min_length=1
    )

    @property
    def all_languages(self) -> tuple[str, ...]:
        """The languages in which every text is written: one, or several of which the first is the fallback."""
        return tuple({tag.lower(): tag for tag in self.languages or [self.language]}.values())
