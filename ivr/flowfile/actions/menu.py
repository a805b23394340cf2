"""`menu`: how it is written."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from ivr.engine.actions import menu as engine
from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.types import ANY, TEXT, Type
from ivr.engine.offers import ITEM_KEYS, FixedChoice, ListChoice
from ivr.flowfile.actions.base import (
    AnsweredSpec,
    Builder,
    Confirmed,
    LineNeed,
    Matching,
    fractions,
    two_times,
    written_or,
)
from ivr.flowfile.choices import Choice, Command, More, Told, as_offered, is_free
from ivr.flowfile.containers import Fields
from ivr.flowfile.fields import ChoiceName, Terminators, Time
from ivr.flowfile.model_parts import Read, Spoken
from ivr.flowfile.source import Path
from ivr.flowfile.spoken_forms import Written, placed_forms


class Menu(Matching, Confirmed):
    """Asks for one of several choices."""

    choices: Annotated[dict[Annotated[str, ChoiceName()], Choice], Fields("choices")] = Field(
        description="The choices by name; each name is an event.", min_length=1
    )
    inter_digit: Annotated[float, Time(1, 5)] | None = Field(
        None, description="With choices of several keys: the longest pause between two, 1s to 5s, default 3s."
    )
    terminators: Annotated[str, Terminators()] = Field(
        "", description="With choices of several keys: keys that end the input, as one text in quotes; default none."
    )

    @property
    def listed(self) -> tuple[str, Choice] | None:
        """The choice that stands for a list, with its name."""
        return next(((name, choice) for name, choice in self.choices.items() if choice.foreach), None)

    def free_keys(self, commands: Mapping[str, Command]) -> str:
        """Return the keys that the items of a list get: what no choice, no `more` and no command begins with."""
        named: list[Told] = [*self.choices.values(), *(commands.values() if self.commands else ())]
        named += [choice.more for choice in self.choices.values() if choice.more]
        taken = {each.dtmf[0] for each in named if each.dtmf} | set(self.terminators)
        return "".join(key for key in ITEM_KEYS if key not in taken)


class MenuSpec(AnsweredSpec[Menu]):
    """The action `menu` (LANGUAGE C4, C5)."""

    word = "menu"
    description = "Asks for one of several choices."
    runs = engine.Menu
    model = Menu
    parts = (Choice, More)
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
        asked = self.written
        return engine.Menu(
            self.question(builder),
            tuple(self._choice(name, choice, builder) for name, choice in asked.choices.items()),
            into=asked.into,
            inter_digit=written_or(asked.inter_digit, builder.defaults.inter_digit),
            terminators=asked.terminators,
        )

    def _choice(self, name: str, choice: Choice, builder: Builder) -> FixedChoice | ListChoice:
        prompt, guard = builder.prompt(choice.prompt), builder.guard(choice.guard)
        items = builder.guard(choice.foreach)
        if items is None:
            return as_offered(name, choice, prompt, guard)
        keys, stem = self.written.free_keys(builder.commands), _stem(name, {*self.written.choices, *builder.commands})
        more = choice.more
        return ListChoice(
            name,
            stem,
            items,
            keys,
            min(choice.page or len(keys), len(keys)),
            _templates(choice.speech, builder),
            prompt,
            guard,
            choice.into,
            as_offered(f"{stem} more", more, builder.prompt(more.prompt)) if more else None,
        )

    def understood(self, commands: Mapping[str, Command]) -> Mapping[str, Command]:
        """Return the commands whose name, key and words no choice has, and whose key does not end the input."""
        choices, ends = list(self.written.choices.items()), self.written.terminators
        return {
            name: command
            for name, command in super().understood(commands).items()
            if is_free(name, command, choices) and not set(ends).intersection(command.dtmf or "")
        }

    def successes(self) -> tuple[str, ...]:
        """Return the choices, each of which is an event."""
        return tuple(self.written.choices)

    def failures(self) -> tuple[str, ...]:
        """Return `empty` where there may be no item, or no choice may be left (C5)."""
        choices = self.written.choices.values()
        return ("empty",) if self.written.listed or all(choice.guard for choice in choices) else ()

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return the choice, by its name, and the item of a list."""
        choice = self.written.choices.get(event)
        if choice is None:
            return super().fields(event)
        return {"choice": TEXT, event: ANY} if choice.foreach else {"choice": TEXT}

    def stores_on(self, event: str) -> bool:
        """Return whether this is a choice that is no list."""
        choice = self.written.choices.get(event)
        return choice is not None and choice.foreach is None

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through the question, and what is said of each choice."""
        yield from super().prompts(here)
        for name, choice in self.written.choices.items():
            path = (*here, "choices", name)
            if choice.prompt:
                knows = {} if choice.foreach else {"key": choice.dtmf}
                yield Spoken(choice.prompt, (*path, "prompt"), "choice", choice.guard, knows)
            if choice.more and choice.more.prompt:
                yield Spoken(choice.more.prompt, (*path, "more", "prompt"), "choice", None, {"key": choice.more.dtmf})

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through the guards of choices, the list, and the spoken forms of its items."""
        for name, choice in self.written.choices.items():
            path = (*here, "choices", name)
            if choice.guard:
                yield Read((*path, "guard"), choice.guard, "guard", "choice" if choice.foreach else "prompt")
            if choice.foreach:
                yield Read((*path, "foreach"), choice.foreach, "expression")
                for place, form, _ in placed_forms(choice.speech, (*path, "speech")):
                    yield Read(place, form, "text", "choice")

    def needs(self, here: Path) -> Iterator[LineNeed]:
        """Find choices without a key, which can only be spoken, and choices of several keys that can be spoken, too."""
        yield from super().needs(here)
        choices = self.written.choices
        is_spoken = any(choice.speech for choice in choices.values())
        for name, choice in choices.items():
            if is_spoken and len(choice.dtmf or "") > 1:
                yield LineNeed("longKeys", (*here, "choices", name))
                break
        if any(len(choice.dtmf or "") > 1 for choice in choices.values()):
            yield LineNeed("terminators", (*here, "terminators"), len(self.written.terminators))
            yield from two_times(here, self.written.initial_silence, self.written.inter_digit)
            yield from fractions(here, interDigit=self.written.inter_digit)
        for name, choice in choices.items():
            if choice.dtmf is None and choice.foreach is None:
                yield LineNeed("speech", (*here, "choices", name))


def _stem(name: str, others: set[str]) -> str:
    """Return how the names of a list's items begin: its own, and a sign more where that of another does so, too."""
    stem = name
    while any(other != name and other.startswith(stem) for other in others):
        stem += "\u00b7"
    return stem


def _templates(written: Written, builder: Builder) -> Mapping[str, tuple[Template, ...]]:
    """Compile the spoken forms of items, by language; those under an empty one are of all languages."""
    by_language = written if isinstance(written, dict) else {"": written or []}
    return {key: tuple(builder.template(form) for form in forms) for key, forms in by_language.items()}
