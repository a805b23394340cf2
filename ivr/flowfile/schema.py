"""The JSON Schemas of flow files and of what they include, made of the model's own classes, for editors."""

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from ivr.flowfile.included_files import COMMENT, SHARED
from ivr.flowfile.model import FlowFile
from ivr.flowfile.model_base import Model
from ivr.flowfile.reachability import reached

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOISE = frozenset({"title", "default"})
"What pydantic adds and an editor only shows: the key again, and a default that every description tells better."
_REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')


class _Generator(GenerateJsonSchema):
    """Writes keys as authors do, and says of no key that it could be null."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema() -> dict[str, Any]:
    """Return the schema as data."""
    made = FlowFile.model_json_schema(by_alias=True, schema_generator=_Generator)
    cleaned: dict[str, Any] = _cleaned(made)
    return {"$schema": DIALECT, "title": "ivr flow", **cleaned}


def included_schema() -> dict[str, Any]:
    """Return the schema of a file that flows include: what of a flow's own sections it can have (LANGUAGE C16)."""
    whole = schema()
    sections = {key: whole["properties"][key] for key in (COMMENT, *SHARED)}
    parts = whole["$defs"]
    used = reached(_references(sections), lambda part: _references(parts[part]))
    return {
        "$schema": DIALECT,
        "title": "ivr included file",
        "$defs": {name: part for name, part in parts.items() if name in used},
        "additionalProperties": False,
        "description": "What several phone flows share.",
        "properties": sections,
        "type": "object",
    }


def schema_text(*, included: bool = False) -> str:
    """Return the schema of flow files, or of `included` ones, as `ivr schema` prints it."""
    return json.dumps(included_schema() if included else schema(), indent=2, ensure_ascii=False) + "\n"


def _references(part: Any) -> Sequence[str]:
    """Return the names of the definitions that a part of a schema refers to."""
    return _REFERENCE.findall(json.dumps(part))


def _cleaned(part: Any, *, names: bool = False) -> Any:
    """Leave out the noise; where keys are names (`properties`, `$defs`), all of them stay."""
    if isinstance(part, list):
        return [_cleaned(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _cleaned(value, names=key in {"properties", "$defs"} and not names)
        for key, value in part.items()
        if names or key not in _NOISE
    }


def keys() -> dict[str, tuple[str, ...]]:
    """Return every key of the language by the part of a flow it belongs to, for the documentation and its test."""
    return {model.__name__: model.words() for model in _models(FlowFile)}


def _models(base: type[Model]) -> list[type[Model]]:
    known = {"FlowFile": base}
    names = json.loads(schema_text())["$defs"]
    known.update({model.__name__: model for model in _subclasses(Model) if model.__name__ in names})
    return list(known.values())


def _subclasses(model: type[Model]) -> list[type[Model]]:
    return [each for direct in model.__subclasses__() for each in (direct, *_subclasses(direct))]
