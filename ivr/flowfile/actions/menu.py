"""`menu`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from ivr.engine import commands
from ivr.engine.actions import menu as engine
from ivr.engine.expressions.types import TEXT, Type
from ivr.flowfile.actions.base import AskingSpec, Builder, LineNeed, Matching, written_or
from ivr.flowfile.containers import Fields, OneOrMany
from ivr.flowfile.fields import ChoiceName, Guard, PhoneKey, Text
from ivr.flowfile.model_parts import PUT_IN, Model, Prompt, Spoken
from ivr.flowfile.source import Path


class Choice(Model):
    """One choice of a menu: at least a key or a spoken form."""

    LATER = frozenset({"foreach", "page", "more", "into"})

    dtmf: Annotated[str, PhoneKey()] | None = Field(None, description='One key, in quotes: "1".')
    speech: Annotated[list[Text], OneOrMany()] | None = Field(None, description="Up to 5 spoken forms.", max_length=5)
    prompt: Prompt | None = Field(None, description="Spoken after the menu's own prompt; knows {{ key }}.")
    guard: Guard | None = Field(None, description="Expression: the choice is offered only if it is true.")


class Menu(Matching):
    """Asks for one of several choices."""

    choices: Annotated[dict[Annotated[str, ChoiceName()], Choice], Fields("choices")] = Field(
        description="The choices by name; each name is an event.", min_length=1
    )


class MenuSpec(AskingSpec[Menu]):
    """The action `menu` (LANGUAGE C4, C5)."""

    word = "menu"
    description = "Asks for one of several choices."
    runs = engine.Menu
    model = Menu
    parts = (Choice,)
    attempts_fail_by = ("noInput", "noMatch")
    event_fields = ("choice",)
    answer_type = TEXT
    kept_as = frozenset({"text"})
    answer_called = "the name of a choice"

    @classmethod
    def may_change_events(cls, inner: Path) -> bool:
        """Return whether a choice was cut out, or all of them."""
        return inner[0] == "choices" and len(inner) < 3

    def build(self, state: str, builder: Builder) -> engine.Menu:
        """Make what the engine runs."""
        choices = tuple(
            engine.MenuChoice(
                commands.Choice(name, choice.dtmf, _sayable(choice)),
                builder.prompt(choice.prompt),
                builder.guard(choice.guard),
            )
            for name, choice in self.written.choices.items()
        )
        barge_in = written_or(self.written.barge_in, builder.defaults.barge_in)
        return engine.Menu(self.question(builder), choices, barge_in=barge_in, into=self.written.into)

    def successes(self) -> tuple[str, ...]:
        """Return the choices, each of which is an event."""
        return tuple(self.written.choices)

    def failures(self) -> tuple[str, ...]:
        """Return `empty` where no choice may be left (C5)."""
        return ("empty",) if all(choice.guard for choice in self.written.choices.values()) else ()

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return the choice, by its name."""
        return {"choice": TEXT} if event in self.written.choices else {}

    def stores_on(self, event: str) -> bool:
        """Return whether this is a choice."""
        return event in self.written.choices

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through the question, and what is said of each choice."""
        yield from super().prompts(here)
        for name, choice in self.written.choices.items():
            if choice.prompt:
                path = (*here, "choices", name, "prompt")
                yield Spoken(choice.prompt, path, "choice", choice.guard, {"key": choice.dtmf})

    def guards(self, here: Path) -> Iterator[tuple[Path, str]]:
        """Go through the guards of choices."""
        for name, choice in self.written.choices.items():
            if choice.guard:
                yield (*here, "choices", name, "guard"), choice.guard

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Find choices without a key, which can only be spoken."""
        for name, choice in self.written.choices.items():
            if choice.dtmf is None:
                yield LineNeed("speech", (*here, "choices", name))


def _sayable(choice: Choice) -> tuple[str, ...]:
    """Return the spoken forms, without those that hold `{{ }}`: no expression is read there, and nobody says braces."""
    forms = tuple(form for form in choice.speech or () if not PUT_IN.search(form))
    return forms if forms or choice.dtmf else tuple(choice.speech or ())
