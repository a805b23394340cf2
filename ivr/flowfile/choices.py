"""Choices as they are written: of a menu, of a list, of a question of yes or no, and those of the whole flow (C5)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec.structs import replace
from pydantic import Discriminator, Field, Tag

from ivr.engine import commands
from ivr.engine import prompt as spoken
from ivr.engine.expressions.compile import Expression
from ivr.engine.offers import FixedChoice, is_same_beginning
from ivr.engine.utterance import as_heard
from ivr.flowfile.fields import Bool, ByKind, Guard, PhoneKeys, VariableName, Whole
from ivr.flowfile.model_base import PUT_IN, Model
from ivr.flowfile.model_parts import AnyPart, Prompt
from ivr.flowfile.source import Path
from ivr.flowfile.spoken_forms import SpokenForms, every_form

USUAL_KEYS: Mapping[str, str] = {"yes": "1", "no": "2"}
"Of the answers to a question of yes or no, where their author writes none."


class Keyed(Model):
    """What is pressed, or said instead."""

    dtmf: Annotated[str, PhoneKeys()] | None = Field(None, description='The key, in quotes: "1"; or several: "42".')
    speech: SpokenForms | None = Field(
        None, description="Up to 5 spoken forms; or by language: {en: …, de: …}, up to 5 for each."
    )


class Told(Keyed):
    """The same, and what is said of it."""

    prompt: Prompt | None = Field(None, description="Spoken after the question's own prompt; knows {{ key }}.")


class Command(Told):
    """A choice that is understood at every question: at least a key or a spoken form."""


class More(Told):
    """The choice that offers the next items of a list."""


class Choice(Told):
    """One choice of a menu: at least a key or a spoken form, or a list with a choice for each item."""

    guard: Guard | None = Field(None, description="Expression: the choice is offered only if it is true.")
    foreach: Guard | None = Field(
        None, description="Expression, a list: one choice for each item, on the keys that are free."
    )
    page: Annotated[int, Whole(1, 9)] | None = Field(
        None, description="With foreach: items that are offered at a time; default as many as there are free keys."
    )
    more: More | None = Field(None, description="With foreach: offers the next items; there only while some are left.")
    into: Annotated[str, VariableName()] | None = Field(
        None, description="With foreach: the variable that keeps the chosen item."
    )


class Confirm(Model):
    """The question whether an answer is right."""

    prompt: Prompt = Field(description="The question; knows the answer.")
    yes: Keyed = Field(Keyed.model_validate({}), description='Accepts the answer; default "1" and yes.')
    no: Keyed = Field(Keyed.model_validate({}), description='Asks again; default "2" and no.')


def _form_of_confirm(value: object) -> str:
    return "<long>" if isinstance(value, dict) and not value.keys().isdisjoint({"prompt", "yes", "no"}) else "<prompt>"


ConfirmKey: TypeAlias = Annotated[
    Annotated[Prompt, Tag("<prompt>")] | Annotated[Confirm, Tag("<long>")], Discriminator(_form_of_confirm)
]


class Kinds(Model):
    """By what a caller may interrupt."""

    keys: Bool = Field(True, description="Keys interrupt; default true.")
    speech: Bool = Field(True, description="Words interrupt; default true. Not every line can tell.")


def _form_of_barge_in(value: object) -> str:
    return "<kinds>" if isinstance(value, dict) else "<both>"


BargeIn: TypeAlias = Annotated[
    Annotated[Annotated[bool, ByKind()], Tag("<both>")] | Annotated[Kinds, Tag("<kinds>")],
    Discriminator(_form_of_barge_in),
]


def interrupted_by(written: bool | Kinds) -> tuple[bool, bool | None]:
    """Return whether keys interrupt, and whether words do; None: as keys do."""
    if isinstance(written, bool):
        return written, None
    return written.keys, None if written.speech == written.keys else written.speech


def confirm_prompt(written: list[AnyPart] | Confirm, here: Path) -> tuple[list[AnyPart], Path]:
    """Return what is asked to have an answer confirmed, and where it stands; `here` is the path of `confirm`."""
    return (written.prompt, (*here, "prompt")) if isinstance(written, Confirm) else (written, here)


def as_offered(name: str, written: Keyed, prompt: spoken.Prompt = (), guard: Expression | None = None) -> FixedChoice:
    """Return what is offered, and what a line listens for."""
    if isinstance(written.speech, dict):
        speech = {key: sayable(written, forms) for key, forms in written.speech.items()}
        return FixedChoice(commands.Choice(name, written.dtmf), prompt, guard, speech=speech)
    return FixedChoice(commands.Choice(name, written.dtmf, sayable(written, written.speech or ())), prompt, guard)


def sayable(written: Keyed, speech: Sequence[str]) -> tuple[str, ...]:
    """Return the spoken forms, without those that hold `{{ }}`: no expression is read there, and nobody says braces."""
    forms = tuple(form for form in speech if not PUT_IN.search(form))
    return forms if forms or written.dtmf else tuple(speech)


def yes_or_no(name: str, written: Keyed, usual: Literal["yes", "no"], prompt: spoken.Prompt = ()) -> FixedChoice:
    """Return one of two answers, called so on the line, with the key and the words that are usual if none are written.

    The words depend on the language in which the question is asked.
    """
    keyed = written.model_copy(update={"dtmf": written.dtmf or USUAL_KEYS[usual]})
    return replace(as_offered(name, keyed, prompt), usual=usual)


def yes_and_no(asked: Model) -> tuple[Keyed, ...]:
    """Return the two answers by which the answer to a question is confirmed or not, with their keys; or none."""
    confirm = getattr(asked, "confirm", None)
    if confirm is None:
        return ()
    return with_usual_keys(
        (confirm.yes, confirm.no) if isinstance(confirm, Confirm) else (Keyed.model_validate({}),) * 2
    )


def with_usual_keys(both: tuple[Keyed, Keyed]) -> tuple[Keyed, ...]:
    """Return yes and no with the keys that they have where none are written."""
    keys = zip(both, USUAL_KEYS.values(), strict=True)
    return tuple(answer.model_copy(update={"dtmf": answer.dtmf or key}) for answer, key in keys)


def is_free(name: str, command: Keyed, others: Iterable[tuple[str, Keyed]]) -> bool:
    """Return whether a command is understood beside other choices: none has its name, its key or one of its words."""
    words = {as_heard(form) for form in every_form(command.speech)}
    return not any(
        other == name
        or (written.dtmf and is_same_beginning(command.dtmf, written.dtmf))
        or not words.isdisjoint(map(as_heard, every_form(written.speech)))
        for other, written in others
    )
