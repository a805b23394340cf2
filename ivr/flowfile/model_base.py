"""The base of every model of a flow file, and of every part of a prompt."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from ivr.flowfile.fields import Bool, Guard, LanguageTag, OneOf, Voice

PUT_IN = re.compile(r"{{.*?(?:}}|\Z)", re.DOTALL)
"""A value put into a text, for those who look at the words around it; what it means is for `compiled` to say.

One that nobody has closed goes on to the end, so that a text is gone through once, whatever stands in it."""


class Model(BaseModel):
    """What all parts of a flow share."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _remember(cls, value: Any, info: ValidationInfo) -> Any:
        """Note which class judged which mapping, so that an unknown key can be compared with the known ones."""
        cls._note(value, info)
        return value

    @classmethod
    def _note(cls, value: Any, info: ValidationInfo) -> None:
        if isinstance(info.context, dict):
            info.context[id(value)] = cls

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """Return the keys that can be written here."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


class Part(Model):
    """What every part of a prompt can have."""

    guard: Guard | None = Field(None, description="Expression: the part is used only if it is true.")
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

    def in_the_manner_of(self, around: Mapping[str, Any]) -> Self:
        """Return the part with what it does not say of its own as what it stands in says it."""
        given = {key: around[key] for key in ("voice", "emphasize", "say_as") if not getattr(self, key)}
        return self.model_copy(update=given)
