"""`return`: how it is written. The word itself is one of Python's."""

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from ivr.engine.actions import return_ as engine
from ivr.engine.naming import parted
from ivr.flowfile.actions.base import ActionSpec, Builder
from ivr.flowfile.containers import ShortFor
from ivr.flowfile.fields import AnyText, ChoiceName
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Read
from ivr.flowfile.source import Path


class Return(Model):
    """Ends an invoked flow."""

    event: Annotated[str, ChoiceName()] = Field(description="The event that the invoking state gets.")
    value: Annotated[str, AnyText()] | None = Field(None, description="What it gets with it, as value.")


class ReturnSpec(ActionSpec[Return]):
    """The action `return` (LANGUAGE C4)."""

    word = "return"
    description = "Ends an invoked flow with a name: the event that the invoking state gets."
    runs = engine.Return
    model = Return
    ends_the_call = True
    may_be_final = True
    is_on_the_line = False

    @classmethod
    def key(cls) -> Any:
        """Return the field that it is in the model of a state."""
        return Field(None, alias=cls.word, description=cls.description)

    def build(self, state: str, builder: Builder) -> engine.Return:
        """Make what the engine runs."""
        written = self.written
        if written.value is None:
            return engine.Return(written.event)
        value = builder.template(written.value)
        read = {parted(name)[0] for name in value.names} & builder.variables.keys()
        return engine.Return(written.event, value, private=any(builder.variables[name].sensitive for name in read))

    def reads(self, here: Path) -> Iterator[Read]:
        """Return what it gives back."""
        if self.written.value is not None:
            yield Read((*here, "value"), self.written.value, "given")


WrittenReturn: TypeAlias = Annotated[Return, ShortFor("event")]
"A name alone stands for a return without a value."
