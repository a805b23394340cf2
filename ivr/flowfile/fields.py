"""What the scalars of a flow mean (LANGUAGE C1): times, numbers, words, keys, names.

In the file every scalar is text; the field decides its type. Each class here reads one sort of text, refuses any other
with a message for the author, and tells an editor (as JSON Schema) what it takes.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, LiteralString, TypeAlias, get_args

from msgspec.structs import replace
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ivr.engine.commands import Gender
from ivr.engine.events import PHONE_KEYS
from ivr.engine.expressions.types import BOOLEAN, DATE, DATETIME, DECIMAL, INTEGER, RECORDING, TEXT, TIME, Type
from ivr.engine.naming import USER, normal
from ivr.nearest import did_you_mean, only_near

Json: TypeAlias = dict[str, Any]
"A piece of a JSON Schema."

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d{1,7}(?:\.\d{1,3})?) ?(ms|s|m|h)", re.ASCII)
_SPELLED_UNITS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
}
_SPELLED = re.compile(rf"(\d{{1,7}}(?:\.\d{{1,3}})?)[\s_-]*({'|'.join(_SPELLED_UNITS)})?\.?", re.ASCII)
_YES_AND_NO = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"What other readers of YAML take for true and false."
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
DECIMAL_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
"""Plain scalars that are numbers by themselves, where a plain scalar has a type (LANGUAGE C10)."""


def refused(
    code: LiteralString, message: str, suggestion: str = "", *, meant: str | None = None
) -> PydanticCustomError:
    """Make the error that `validate` turns into a finding; `meant` is what was certainly meant instead of the text."""
    return PydanticCustomError(code, "{message}", {"message": message, "suggestion": suggestion, "meant": meant})


class ScalarField(ABC):
    """One sort of text: how it is read, and how an editor sees it."""

    @abstractmethod
    def read(self, text: str) -> object:
        """Return the value; raise what `refused` makes."""

    @abstractmethod
    def schema(self) -> Json:
        """Return the JSON Schema of what may be written."""

    def _checked(self, value: object) -> object:
        if not isinstance(value, str):
            raise refused("value", "Expected a single value.", "A mapping or a list is not possible here.")
        return self.read(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return self.schema()


class Time(ScalarField):
    """A time with its unit, in seconds; both limits are in seconds and allowed."""

    def __init__(self, least: float, most: float) -> None:
        self.least = least
        self.most = most

    def read(self, text: str) -> float:
        """Read `250ms`, `5s`, `1.5s`, `2m`, `1h`."""
        found = _TIME.fullmatch(text.strip())
        if not found:
            meant = self._meant(text.strip().lower())
            number = re.fullmatch(r"[\d.]+", text.strip(), re.ASCII)
            if number:
                advice = f'Write "{text}s" for seconds; ms, m and h work too.'
                raise refused("unit", f'"{text}" has no unit.', advice, meant=meant)
            advice = "Write a number and ms, s, m or h, such as 5s."
            raise refused("unit", f'"{text}" is not a duration.', advice, meant=meant)
        seconds = float(found[1]) * _UNITS[found[2]]
        if not self._fits(seconds):
            raise refused(
                "value", f'"{text}" is out of range.', f"{_span(self.least)} to {_span(self.most)} is possible."
            )
        return seconds

    def _fits(self, seconds: float) -> bool:
        return self.least <= seconds <= self.most

    def _meant(self, text: str) -> str | None:
        """Return the duration that a text can only mean: its unit is written out, or one unit alone is possible.

        Without a unit, seconds or milliseconds are meant: half a minute may be possible where half a second is not.
        """
        found = _SPELLED.fullmatch(text)
        if found is None:
            return None
        number = float(found[1])
        if found[2]:
            return f"{found[1]}{_SPELLED_UNITS[found[2]]}"
        possible = [unit for unit, seconds in _UNITS.items() if self._fits(number * seconds)]
        return f"{found[1]}{possible[0]}" if possible in (["s"], ["ms"]) else None

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h)$"}


def _span(seconds: float) -> str:
    unit = next(unit for unit in ("h", "m", "s", "ms") if seconds >= _UNITS[unit])
    return f"{seconds / _UNITS[unit]:g}{unit}"


class Whole(ScalarField):
    """A whole number between two limits, both allowed."""

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most

    def read(self, text: str) -> int:
        """Read `3`."""
        if not _NUMBER.fullmatch(text.strip()) or not self.least <= int(text) <= self.most:
            message = f'"{text}" is not possible here.'
            raise refused("value", message, f"Write a whole number from {self.least} to {self.most}.")
        return int(text)

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class OneOf(ScalarField):
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, text: str) -> object:
        """Read one of the words."""
        if text not in self.words:
            meant = _YES_AND_NO.get(text.lower())
            advice = did_you_mean(text, self.words) or f"Possible: {', '.join(self.words)}."
            advice = f"Write {meant}." if meant in self.words else advice
            meant = meant if meant in self.words else only_near(text, self.words)
            raise refused("value", f'"{text}" is not possible here.', advice, meant=meant)
        return text

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "enum": list(self.words)}


class YesNo(OneOf):
    """`true` or `false`."""

    def __init__(self) -> None:
        super().__init__("true", "false")

    def read(self, text: str) -> bool:
        """Read `true` or `false`."""
        return super().read(text) == "true"

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "boolean"}


class ByKind(YesNo):
    """`true` or `false`, where a mapping by keys and speech is possible as well."""

    ADVICE = "Possible: true, false, {keys: true, speech: false}."

    def _checked(self, value: object) -> object:
        if not isinstance(value, str):
            raise refused("value", "A list is not possible here.", self.ADVICE)
        return self.read(value)

    def read(self, text: str) -> bool:
        """Read `true` or `false`."""
        if text not in self.words and only_near(text, (*self.words, *_YES_AND_NO)) is None:
            raise refused("value", f'"{text}" is not possible here.', self.ADVICE)
        return super().read(text)


class OnlyTrue(OneOf):
    """`true`, for a key that is left out otherwise."""

    def __init__(self) -> None:
        super().__init__("true")

    def read(self, text: str) -> bool:
        """Read `true`."""
        return super().read(text) == "true"

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "boolean", "const": True}


MOST_KEYS = 20
"Keys that a line collects for one answer."


class PhoneKeys(ScalarField):
    """One key of a telephone, or several that are pressed one after the other."""

    def read(self, text: str) -> str:
        """Read `"1"`, `"42"`."""
        if not PHONE_KEYS.issuperset(text) or not text:
            raise refused(
                "value", f'"{text}" is not a phone key.', 'Write one of 0-9, *, #, A-D in quotes, such as "1".'
            )
        if len(text) > MOST_KEYS:
            raise refused("value", f'"{text}" has too many keys.', f"At most {MOST_KEYS} are possible.")
        return text

    def schema(self) -> Json:
        """Describe it to an editor. A bare number is harmless; only `*`, `#` and a leading zero need their quotes."""
        return {"anyOf": [{"type": "string", "pattern": "^[0-9*#A-D]{1,20}$"}, {"type": "integer", "minimum": 0}]}


class Terminators(ScalarField):
    """The keys that end an input, as one text; empty for `none`."""

    def read(self, text: str) -> str:
        """Read `"#*"`, `none`."""
        if text == "none":
            return ""
        if not 1 <= len(text) <= 5 or len(set(text)) < len(text) or not PHONE_KEYS.issuperset(text):
            message = f'"{text}" is not a valid set of keys.'
            raise refused("value", message, 'Write 1 to 5 different keys in quotes, such as "#*", or none.')
        return text

    def _checked(self, value: object) -> object:
        if isinstance(value, list) and PHONE_KEYS.issuperset(value):
            raise refused("value", "The keys must be one text, not a list.", f'Write "{"".join(value)}".')
        return super()._checked(value)

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"anyOf": [{"const": "none"}, {"type": "string", "pattern": "^[0-9*#A-D]{1,5}$"}]}


class Words(ScalarField):
    """Any text that is not blank."""

    def read(self, text: str) -> str:
        """Read a text."""
        if not text.strip():
            raise refused("empty", "The text is empty.", "Write one, or delete the key.")
        return text

    def schema(self) -> Json:
        """Describe it to an editor, which sees a plain number or `true` as no text."""
        return {"type": ["string", "number", "boolean"]}


class AnyText(Words):
    """Any text, an empty one as well."""

    def read(self, text: str) -> str:
        """Read a text."""
        return text


class ExpressionText(Words):
    """An expression, bare (LANGUAGE C11)."""


class Reference(AnyText):
    """The name of something else in the flow."""

    def read(self, text: str) -> str:
        """Read a name, in the form in which names are compared."""
        return normal(text)

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string"}


class GivenName(Reference):
    """A name that the author gives; the check `name` says which are possible, since all others can still be checked."""

    # Letters of other alphabets are all that is not ASCII: the readers of patterns have no common word for them.
    PATTERN = r"^[^\u0000-@\[-`{-\u007f][^\u0000-/:-@\[-^`{-\u007f]*$"

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": self.PATTERN}


class VariableName(GivenName):
    """The name of a variable: one that an author gives, or `user.` and such a name (LANGUAGE C10)."""

    PATTERN = rf"^({USER}\.)?{GivenName.PATTERN.removeprefix('^')}"


class ChoiceName(Reference):
    """The name of a choice, which may be any text in quotes."""

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$"}


class LanguageTag(ScalarField):
    """A language, such as `en-US`."""

    PATTERN = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}"

    def read(self, text: str) -> str:
        """Read a tag (BCP 47)."""
        if not re.fullmatch(self.PATTERN, text):
            raise refused("value", f'"{text}" is not a language tag.', "Write a language tag, such as en-US.")
        return text

    def _checked(self, value: object) -> object:
        if isinstance(value, list):
            raise refused("value", "This is one language, not a list.", 'A flow with several has "languages".')
        return super()._checked(value)

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": f"^{self.PATTERN}$"}


# --- types (LANGUAGE C10) ---------------------------------------------------------------------------------------------

SCALARS: Mapping[str, Type] = {
    str(type_): type_ for type_ in (TEXT, INTEGER, DECIMAL, BOOLEAN, DATE, TIME, DATETIME, RECORDING)
}


_OTHER_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("string", "str", "char", "phone", "telephone"), "text"),
    **dict.fromkeys(("int", "whole", "long"), "integer"),
    **dict.fromkeys(("number", "float", "double", "money", "amount"), "integer or decimal"),
    **dict.fromkeys(("bool", "yesno", "flag"), "boolean"),
    **dict.fromkeys(("list", "array"), "[text], or another type in [ ]"),
    **dict.fromkeys(("object", "dict", "map"), "{name: type}"),
    "timestamp": "datetime",
    "audio": "recording",
}
"Words of other languages, in lower case, and ours for them."


class TypeWord:
    """Reads how a type is written: `text`, `[text]`, `{name: text, comment?: text}`."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(read_type)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        one = {"type": "array", "minItems": 1, "maxItems": 1}
        return {"anyOf": [{"type": "string", "enum": list(SCALARS)}, one, {"type": "object", "minProperties": 1}]}


def read_type(value: object) -> Type:
    """Read a type out of a file's text, list or mapping."""
    match value:
        case str() if value in SCALARS:
            return SCALARS[value]
        case str():
            advice = f"Possible: {', '.join(SCALARS)}, [type], {{name: type}}."
            if other := _OTHER_TYPES.get(value.lower()):
                advice = f"Write {other}."
            advice = did_you_mean(value, SCALARS) or advice
            raise refused("value", f'"{value}" is not a type.', advice, meant=only_near(value, SCALARS))
        case [item]:
            return Type("list", item=read_type(item))
        case dict() if value:
            return Type(
                "object", fields={str(name).removesuffix("?"): _field(str(name), value[name]) for name in value}
            )
        case _:
            raise refused("value", "This is not a type.", "A list is written [type], an object {name: type}.")


def _field(name: str, written: object) -> Type:
    type_ = read_type(written)
    return replace(type_, optional=True) if name.endswith("?") else type_


Text: TypeAlias = Annotated[str, Words()]
Guard: TypeAlias = Annotated[str, ExpressionText()]
Bool: TypeAlias = Annotated[bool, YesNo()]
Voice: TypeAlias = Annotated[Gender, OneOf(*get_args(Gender))]
