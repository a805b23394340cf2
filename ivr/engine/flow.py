"""A flow as the machine runs it: read-only data, built by `ivr.flowfile` from a YAML file, known by its hash.

All defaults are filled in except those that a channel must see as "not written" (see `ivr.engine.commands`); all names
are resolved, all expressions compiled.
"""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

from ivr.engine.actions.base import Action
from ivr.engine.calendars import Calendar
from ivr.engine.commands import Gender
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.convert import KEYED_DATE
from ivr.engine.expressions.types import Type
from ivr.engine.prompt import Prompt
from ivr.engine.scope import is_shared
from ivr.engine.secret_values import Secrets
from ivr.engine.values import Value

SELF = "self"
"As a target: ask again without entering the state (LANGUAGE C6.8)."


OUTCOMES = ("resolved", "unresolved", "transferred", "voicemail", "abandoned", "failed")
"How a call can end, in the words that all flows share (LANGUAGE C3); others are written in a flow's final states."


class Assignment(Struct, frozen=True):
    """`set: {variable: value}`; a template that is one expression keeps the value's type (C1)."""

    variable: str
    "A variable, or the fact `language` or `outcome`."
    value: Template


class Branch(Struct, frozen=True):
    """One transition."""

    target: str
    "A state's name, or `SELF`."
    guard: Expression | None = None
    set: tuple[Assignment, ...] = ()
    say: Prompt = ()


Branches = tuple[Branch, ...]


class State(Struct, frozen=True):
    """One state. `on` holds its own handlers with `next` already spread over the events it stands for (C3)."""

    name: str
    action: Action
    on: Mapping[str, Branches]
    set: tuple[Assignment, ...] = ()
    final: bool = False
    outcome: str | None = None
    milestone: str | None = None
    "What a call has reached by entering it; for those who count, and for nothing that a call does (C3)."
    line: int = 0
    "Where it stands in its flow's file, counted from 1."
    prefix: str = ""
    """Of an invoked flow: what the names of its states, variables and visits begin with, in the flow and in a call:
    the name of the state that invokes it, and a slash."""

    @property
    def within(self) -> str:
        """The state that invokes the flow to which this one belongs; empty: none does."""
        return self.prefix[:-1]

    def owned(self, variable: str) -> str:
        """Return how a variable that this state names is called in a call; facts are the same everywhere (C10)."""
        return variable if is_shared(variable) else self.prefix + variable


class Variable(Struct, frozen=True):
    """A variable, declared or implied by `into` (C10)."""

    name: str
    type: Type
    default: Value = None
    has_default: bool = False
    minimum: Value = None
    maximum: Value = None
    values: tuple[str, ...] = ()
    format: str = KEYED_DATE
    "How a date is keyed: `ddmmyyyy`, `mmddyyyy` or `yyyymmdd`."
    sensitive: bool = False
    "Declared so, or by inference: the mark follows the value (C12)."
    keep: float | None = None
    "Seconds for which it is kept of the caller once it has a value; None: as long as the call."


class Limits(Struct, frozen=True):
    """Over these a call gets `error.limit`."""

    duration: float
    "Seconds."
    turns: int


class InvokedPart(Struct, frozen=True):
    """A flow as one state of another invokes it: its states are among that flow's, under names of their own (C4)."""

    flow: str
    "Its name."
    initial: str
    "The state in which it begins, by its name in the whole flow."
    states: tuple[str, ...]
    "Its states, by their names in its own file."
    on: Mapping[str, Branches]
    zone: ZoneInfo
    language: str
    "That of the flow that is called: an invoked one shares it."
    languages: tuple[str, ...]
    "Those between which that flow can change."
    calendars: Mapping[str, Calendar]
    "By their names in its own file."
    defaults: Mapping[str, Value]
    "What its variables begin with, by their names in the whole flow."
    file: str = ""
    "How its file is called, for messages."
    user: Mapping[str, Value] = {}
    "As of the flow."


class Flow(Struct, frozen=True):
    """A whole flow."""

    name: str
    hash: str
    "SHA-256 over the flow and everything it includes: its text, audio files and time zone data."
    initial: str
    states: Mapping[str, State]
    on: Mapping[str, Branches]
    variables: Mapping[str, Variable]
    zone: ZoneInfo
    language: str
    "What is spoken unless the call says otherwise; the first of `languages`."
    voice: Gender
    limits: Limits
    description: str = ""
    languages: tuple[str, ...] = ()
    "The languages between which a call can change; empty: the flow has one, and `set` may name any other."
    goals: Mapping[str, str] = {}
    "Milestones by the name of the goal that each is, in file order (C2)."
    calendars: Mapping[str, Calendar] = {}
    "By name (C15)."
    file: str = ""
    "How its file is called, for messages."
    parts: Mapping[str, InvokedPart] = {}
    "The flows that its states invoke, by the prefix of their states."
    parameters: frozenset[str] = frozenset()
    "Variables to which whoever has a call placed may give a value."
    user: Mapping[str, Value] = {}
    "What the variables that it keeps of callers are without a value, by their names (`user.NAME`)."
    remembered: frozenset[str] = frozenset()
    "The variables that it and the flows that it invokes keep of callers: they share them."
    secrets: Secrets | None = None
    "Of the settings, for guards; no part of the hash. None: not known, as in a replay."

    @property
    def all_calendars(self) -> frozenset[str]:
        """The names of its calendars, and of those of the flows that it invokes."""
        return frozenset(self.calendars).union(*(part.calendars for part in self.parts.values()))

    def around(self, state: State) -> "Flow | InvokedPart":
        """Return the flow to which a state belongs: this one, or an invoked one."""
        return self.parts[state.prefix] if state.prefix else self

    def file_of(self, state: State) -> str:
        """Return how the file is called in which a state stands."""
        return self.around(state).file

    def is_private(self, variable: str) -> bool:
        """Return whether a variable is sensitive; what is none, such as a fact, is not."""
        declared = self.variables.get(variable)
        return declared is not None and declared.sensitive
