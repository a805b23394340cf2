"""`invoke`: how it is written, and what is known of the flow that it names once that was found."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Annotated, Protocol, TypeAlias

from msgspec import Struct
from pydantic import Field, PrivateAttr

from ivr.engine.actions import invoke as engine
from ivr.engine.expressions.types import ANY, Type, join
from ivr.engine.flow import Assignment, Variable
from ivr.engine.scope import PART
from ivr.flowfile.actions.base import Builder, KeepingSpec, kept_in
from ivr.flowfile.containers import ShortFor
from ivr.flowfile.fields import SCALARS, Reference, VariableName
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Assignments, Read
from ivr.flowfile.source import Path


class Returned(Struct, frozen=True):
    """One name that a flow returns."""

    type: Type | None
    "Of the value that comes with it; None: none does, or not always."
    is_private: bool
    "The value is for nobody's eyes."


_ALL_TYPES = frozenset({*SCALARS, "list", "object", "any"})
_NEVER_SET = Type("any")
"Of what no return has a value for: it is never none either, so that reading it is a mistake."


class InvokedFlow(Protocol):
    """What a flow that invokes another knows of it."""

    @property
    def returns(self) -> Mapping[str, Returned]:
        """What it returns, by name, in file order."""

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Its variables by name: what it can be given."""

    @property
    def milestones(self) -> frozenset[str]:
        """What a call can have reached in it."""

    @property
    def without_answer(self) -> frozenset[str]:
        """What it can return to a caller who gives no valid answer."""

    @property
    def acts(self) -> bool:
        """Whether somebody is told something in it, or a service is asked to change something."""

    @property
    def asks_consent(self) -> bool:
        """Whether the caller is asked for consent in it, which can be refused."""

    @property
    def can_end(self) -> bool:
        """Whether a call can end in it."""


class Invoke(Model):
    """Runs another flow."""

    flow: Annotated[str, Reference()] = Field(description="The other flow's name; its file is in the same folder.")
    with_: Assignments = Field({}, alias="with", description="What its variables begin with: name: value.")
    into: Annotated[str, VariableName()] | None = Field(None, description="The variable that keeps what it returns.")
    _found: InvokedFlow | None = PrivateAttr(None)

    def found(self, flow: InvokedFlow) -> None:
        """Note what the flow's name stands for."""
        self._found = flow

    @property
    def invoked(self) -> InvokedFlow | None:
        """The flow; None: it is not known."""
        return self._found


class InvokeSpec(KeepingSpec[Invoke]):
    """The action `invoke` (LANGUAGE C4)."""

    word = "invoke"
    description = "Runs another flow, and goes on with the name that it returns."
    runs = engine.Invoke
    model = Invoke
    is_on_the_line = False
    event_fields = ("value",)
    private_fields = frozenset({"value"})

    @classmethod
    def may_change_events(cls, inner: Path) -> bool:
        """Return whether the name of the flow was cut out."""
        return inner == ("flow",)

    def build(self, state: str, builder: Builder) -> engine.Invoke:
        """Make what the engine runs."""
        given = self.written.with_.items()
        arguments = (Assignment(f"{state}{PART}{name}", builder.template(text)) for name, text in given)
        return engine.Invoke(tuple(arguments), self.written.into)

    def successes(self) -> tuple[str, ...]:
        """Return the names that the other flow returns, each of which is an event."""
        return tuple(self._returns)

    def failures(self) -> tuple[str, ...]:
        """Return that the caller may leave in it, and that it does nothing about that."""
        return ("hangup",)

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return the value that comes with a name."""
        returned = self._returns.get(event)
        return {"value": returned.type} if returned and returned.type else {}

    def stores_on(self, event: str) -> bool:
        """Return whether a value comes with this name."""
        return bool(self.fields(event))

    def kept_in(self, state: str) -> str:
        """Return the variable that keeps the value."""
        return kept_in(state, self.written.into)

    @property
    def answer_type(self) -> Type:
        """The type of the values, if they have one in common."""
        types = [returned.type for returned in self._returns.values() if returned.type]
        return reduce(lambda left, right: join(left, right) or ANY, types) if types else _NEVER_SET

    @property
    def kept_as(self) -> frozenset[str]:
        """The types of variables that can keep every value; all of them, as long as the other flow is not known."""
        if self.written.invoked is None:
            return _ALL_TYPES
        given = self.answer_type.name
        return frozenset({given, *(["decimal"] if given == "integer" else [])})

    @property
    def answer_called(self) -> str:
        """What the values are."""
        return f"a value of the type {self.answer_type}"

    @property
    def is_sensitive(self) -> bool:
        """Whether a value is private in the flow from which it comes."""
        return any(returned.is_private for returned in self._returns.values())

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through what the other flow is given."""
        for name, text in self.written.with_.items():
            yield Read((*here, "with", name), text, "given")

    @property
    def may_lack_next(self) -> bool:
        """Whether the other flow never returns: the call ends there."""
        return not self._returns

    @property
    def _returns(self) -> Mapping[str, Returned]:
        return self.written.invoked.returns if self.written.invoked else {}


WrittenInvoke: TypeAlias = Annotated[Invoke, ShortFor("flow")]
"A flow that is given nothing may be written as its name."
