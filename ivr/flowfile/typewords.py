"""How a type is written: `text`, `[text]`, `{name: text, comment?: text}` (LANGUAGE C10)."""

from collections.abc import Mapping

from msgspec.structs import replace
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ivr.engine.expressions.types import BOOLEAN, DATE, DATETIME, DECIMAL, INTEGER, RECORDING, TEXT, TIME, Type
from ivr.flowfile.fields import Json, refused
from ivr.nearest import did_you_mean

SCALARS: Mapping[str, Type] = {
    str(type_): type_ for type_ in (TEXT, INTEGER, DECIMAL, BOOLEAN, DATE, TIME, DATETIME, RECORDING)
}


class TypeWord:
    """Reads a type."""

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
            advice = did_you_mean(value, SCALARS) or f"Possible: {', '.join(SCALARS)}, [type], {{name: type}}."
            raise refused("value", f'"{value}" is no type.', advice)
        case [item]:
            return Type("list", item=read_type(item))
        case dict() if value:
            return Type(
                "object", fields={str(name).removesuffix("?"): _field(str(name), value[name]) for name in value}
            )
        case _:
            raise refused("value", "This is no type.", "A list is written [type], an object {name: type}.")


def _field(name: str, written: object) -> Type:
    type_ = read_type(written)
    return replace(type_, optional=True) if name.endswith("?") else type_
