"""What the reader of flow files knows of an action, and what the actions that ask share.

An action of the language is two files: the one in `ivr.engine.actions` does it, the one beside this file reads it. Here
is what it can be asked before a call runs: which keys it has, which events it raises, what it says, what it keeps, what
it needs of a line, and what the engine is to run. The table of all actions is in `ivr.flowfile.actions`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from msgspec import Struct
from pydantic import Field

from ivr.engine import prompt as engine_prompt
from ivr.engine.actions.asking import Confirmation, Question
from ivr.engine.actions.base import Action
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.types import Type
from ivr.engine.flow import Variable
from ivr.engine.offers import FixedChoice
from ivr.flowfile.choices import (
    BargeIn,
    Command,
    Confirm,
    ConfirmKey,
    Keyed,
    as_offered,
    confirm_prompt,
    interrupted_by,
    yes_or_no,
)
from ivr.flowfile.containers import OneOrMany
from ivr.flowfile.fields import Bool, Time, VariableName, Whole
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import AnyPart, Prompt, Prompts, Read, Spoken, each_spoken, spoken
from ivr.flowfile.source import Path

T = TypeVar("T")
Written = TypeVar("Written")
SENDABLE = frozenset({"text", "integer", "decimal", "boolean", "date", "time", "datetime", "mixed", "any"})
"The types of values that a service can be sent as they are."


class Nothing(Model):
    """An action without keys: write {}."""


class Asking(Model):
    """What all questions share."""

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


class Kept(Asking):
    """What the questions share whose answers can be kept."""

    into: Annotated[str, VariableName()] | None = Field(None, description="The variable that keeps the answer.")


class Confirmed(Kept):
    """What the questions share whose answers can be confirmed."""

    confirm: ConfirmKey | None = Field(
        None, description="Asks whether the answer is right: 1 or yes accepts it, 2 or no asks again."
    )


class Matching(Asking):
    """What menu and digits share."""

    no_match: Prompts | None = Field(
        None, description="One text for each wrong answer, the last repeats; then the question."
    )
    barge_in: BargeIn | None = Field(
        None, description="The caller may interrupt the question; default true. By kind: {keys: true, speech: false}."
    )
    type_ahead: Bool = Field(
        False, description="Keys pressed before the question count, where the line keeps them; default false."
    )
    commands: Bool = Field(True, description="The flow's commands are understood here; default true.")


class Defaults(Model):
    """Defaults for the states that ask."""

    no_input: Prompts | None = Field(None, description="One text for each silence.")
    no_match: Prompts | None = Field(None, description="One text for each wrong answer.")
    max_attempts: Annotated[int, Whole(1, 10)] = Field(3, description="1 to 10.")
    # Not filled in: a channel must see that the author left it to the language (see `engine.commands`).
    initial_silence: Annotated[float, Time(1, 30)] | None = Field(None, description="1s to 30s.")
    inter_digit: Annotated[float, Time(1, 5)] = Field(3.0, description="1s to 5s.")
    max_silence: Annotated[float, Time(1, 30)] = Field(3.0, description="1s to 30s.")
    barge_in: BargeIn = Field(True, description="The caller may interrupt questions.")


class LineNeed(Struct, frozen=True):
    """Something that an action needs of the line, as `Capabilities` has it."""

    what: Literal[
        "reject", "record", "terminators", "speech", "transfer", "bargeIn", "typeAhead", "freeSpeech", "longKeys",
        "recordTerminators", "emptyAnswer", "firstTimeout", "fraction", "wholePrompt", "recordFormat", "recordSilence",
        "shortSilence", "silentRecording", "whisper",
    ]  # fmt: skip
    path: Path
    "What is written that needs it; for speech, the choice."
    count: int = 1
    "How many terminators."
    value: str = ""
    "The format of a recording."
    seconds: float = 0.0
    "How long the silence is that ends a recording."


class Builder(Protocol):
    """What an action is built with (`ivr.flowfile.build`)."""

    @property
    def defaults(self) -> Defaults:
        """The flow's `defaults`."""

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The flow's variables by name."""

    @property
    def scopes(self) -> Mapping[str, tuple[str, ...]]:
        """What the flow asks an authority for, by the names of `signIns`."""

    @property
    def destinations(self) -> Mapping[str, str]:
        """Whom a call can be transferred to: addresses by name."""

    @property
    def commands(self) -> Mapping[str, Command]:
        """The flow's `commands` by name."""

    def prompt(self, parts: Sequence[AnyPart] | None) -> engine_prompt.Prompt:
        """Build a prompt; none is empty."""

    def guard(self, text: str | None) -> Expression | None:
        """Compile a guard."""

    def template(self, text: str) -> Template:
        """Compile a text that may hold expressions."""

    def expression(self, text: str) -> Expression:
        """Compile a bare expression."""

    def is_plain(self, path: Path) -> bool:
        """Return whether a text stands at a path of the file without quotes."""


class ActionSpec(ABC, Generic[Written]):
    """One action of the language, as it is written in one state; its class says what holds wherever it is written.

    What is not overridden stands for an action that speaks or does something, asks nothing and goes on.
    """

    word: ClassVar[str]
    "Its key in a state, and the name of its two files."
    description: ClassVar[str]
    "For editors and the documentation."
    runs: ClassVar[type[Action]]
    "What the engine runs."
    model: ClassVar[type[Model] | None] = None
    "The keys in it, if it has keys."
    parts: ClassVar[tuple[type[Model], ...]] = ()
    "The mappings inside it that have other keys."
    attempts_fail_by: ClassVar[tuple[str, ...]] = ()
    "How an attempt to answer can fail; empty: it does not ask."
    is_on_the_line: ClassVar[bool] = True
    "False: the line has nothing to do for it."
    ends_the_call: ClassVar[bool] = False
    may_be_final: ClassVar[bool] = False
    "It may stand in a final state."
    event_fields: ClassVar[tuple[str, ...]] = ()
    "The fields of its own events; no variable can be called so."
    private_fields: ClassVar[frozenset[str]] = frozenset()
    "Those of them that hold what the caller said or keyed."

    def __init__(self, written: Written) -> None:
        self.written = written

    @classmethod
    def key(cls) -> Any:
        """Return the field that it is in the model of a state."""
        return Field(None, description=cls.description)

    @classmethod
    def may_change_events(cls, inner: Path) -> bool:
        """Return whether a part that was cut out of it, at this path inside it, could change which events it raises."""
        return False

    @property
    def may_lack_next(self) -> bool:
        """Whether the call ends where its success leads nowhere."""
        return False

    @abstractmethod
    def build(self, state: str, builder: Builder) -> Action:
        """Make what the engine runs in this state."""

    def successes(self) -> tuple[str, ...]:
        """Return the events of its success: what `next` can stand for (C3)."""
        return ()

    def failures(self) -> tuple[str, ...]:
        """Return the events that this action raises beside its successes and what any state can meet."""
        return ()

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return the fields of one of its events, beside those that every error has."""
        return {}

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through what it says; `here` is its own path."""
        yield from ()

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through its texts and expressions that are neither spoken nor guards."""
        yield from ()

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Go through what it needs of a line that not every line can do."""
        yield from ()


class KeepingSpec(ActionSpec[Written]):
    """An action with an answer that a variable can keep (`into`): the caller's, or somebody else's."""

    @property
    @abstractmethod
    def answer_type(self) -> Type:
        """The type of a variable that `into` alone declares."""

    @property
    @abstractmethod
    def kept_as(self) -> frozenset[str]:
        """The types of variables that can keep an answer."""

    @property
    @abstractmethod
    def answer_called(self) -> str:
        """What an answer is, in messages."""

    @property
    def is_sensitive(self) -> bool:
        """Whether the author says that the answer is private (C12)."""
        return False

    @abstractmethod
    def stores_on(self, event: str) -> bool:
        """Return whether this event comes with an answer to be kept (`into`)."""

    @abstractmethod
    def kept_in(self, state: str) -> str:
        """Return the variable that keeps the answer; if the author names none, a name that no author can write."""


A = TypeVar("A", bound=Asking)
K = TypeVar("K", bound=Kept)


class AskingSpec(ActionSpec[A]):
    """An action that asks the caller and waits for an answer."""

    attempts_fail_by: ClassVar[tuple[str, ...]] = ("noInput",)

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through the question, and what is said before it is repeated."""
        asked = self.written
        yield from spoken(asked.prompt, (*here, "prompt"))
        yield from spoken(asked.reprompt, (*here, "reprompt"))
        yield from each_spoken(asked.no_input, (*here, "noInput"))
        if isinstance(asked, Matching):
            yield from each_spoken(asked.no_match, (*here, "noMatch"))
        if isinstance(asked, Confirmed) and asked.confirm is not None:
            parts, path = confirm_prompt(asked.confirm, (*here, "confirm"))
            yield Spoken(parts, path, "confirm")

    def understood(self, commands: Mapping[str, Command]) -> Mapping[str, Command]:
        """Return those of the flow's commands that can be used here."""
        return commands if isinstance(self.written, Matching) and self.written.commands else {}

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Return what not every line can do with a question."""
        asked = self.written
        if isinstance(asked, Matching):
            if asked.barge_in is not None and interrupted_by(asked.barge_in)[1] is not None:
                yield LineNeed("bargeIn", (*here, "bargeIn"))
            if asked.type_ahead:
                yield LineNeed("typeAhead", (*here, "typeAhead"))
            if len(asked.prompt or ()) > 1:
                yield LineNeed("wholePrompt", (*here, "prompt"))
        yield from fractions(here, initialSilence=asked.initial_silence)

    def question(self, builder: Builder) -> Question:
        """Build the question."""
        asked, defaults = self.written, builder.defaults
        no_input = written_or(asked.no_input, defaults.no_input)
        no_match = written_or(asked.no_match, defaults.no_match) if isinstance(asked, Matching) else None
        by_keys, by_speech = interrupted_by(
            written_or(asked.barge_in, defaults.barge_in) if isinstance(asked, Matching) else True
        )
        return Question(
            prompt=builder.prompt(asked.prompt),
            reprompt=None if asked.reprompt is None else builder.prompt(asked.reprompt),
            no_input=tuple(builder.prompt(text) for text in no_input or ()),
            no_match=tuple(builder.prompt(text) for text in no_match or ()),
            attempts=written_or(asked.max_attempts, defaults.max_attempts),
            initial_silence=written_or(asked.initial_silence, defaults.initial_silence),
            barge_in=by_keys,
            barge_in_speech=by_speech,
            type_ahead=isinstance(asked, Matching) and asked.type_ahead,
            everywhere=self._everywhere(builder),
            confirm=self._confirmation(builder),
        )

    def _everywhere(self, builder: Builder) -> tuple[FixedChoice, ...]:
        """Build the commands that are understood here."""
        understood = self.understood(builder.commands)
        return tuple(as_offered(name, command, builder.prompt(command.prompt)) for name, command in understood.items())

    def _confirmation(self, builder: Builder) -> Confirmation | None:
        asked = self.written
        if not isinstance(asked, Confirmed) or asked.confirm is None:
            return None
        long = asked.confirm if isinstance(asked.confirm, Confirm) else None
        parts, _ = confirm_prompt(asked.confirm, ())
        yes, no = (long.yes, long.no) if long else (Keyed.model_validate({}), Keyed.model_validate({}))
        return Confirmation(builder.prompt(parts), yes_or_no("yes", yes, "yes"), yes_or_no("no", no, "no"))


class AnsweredSpec(AskingSpec[K], KeepingSpec[K]):
    """An action that asks the caller, and may keep the answer."""

    def kept_in(self, state: str) -> str:
        """Return the variable that keeps the answer; if the author names none, a name that no author can write."""
        return kept_in(state, self.written.into)


def fractions(here: Path, **times: float | None) -> Iterator[LineNeed]:
    """Return those of an action's times, by their keys, that are no whole seconds."""
    yield from (LineNeed("fraction", (*here, key)) for key, time in times.items() if time is not None and time % 1)


def two_times(here: Path, initial_silence: float | None, inter_digit: float | None) -> Iterator[LineNeed]:
    """Return that the time for the first key is to be another than that between keys, where the author names one."""
    if initial_silence is not None or inter_digit is not None:
        yield LineNeed("firstTimeout", (*here, "interDigit" if initial_silence is None else "initialSilence"))


def kept_in(state: str, into: str | None) -> str:
    """Return what keeps the answer of a state; if the author did not say, it is a name that no author can write."""
    return into or f"answer in {state}"


def written_or(written: T | None, default: T) -> T:
    """Return what the author wrote, or the default."""
    return default if written is None else written
