"""What the lists and mappings of a flow may be written as: one item for a list, one value for a mapping.

The scalars in them are in `fields`.
"""

from collections.abc import Mapping

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ivr.flowfile.fields import Json, Words, refused
from ivr.flowfile.yaml.mistakes import COLON_ALONE, no_space, space_after_colon


class OneOrMany:
    """A list that may be written as its only item; a bare text may stand for an item with one key."""

    def __init__(self, short: str | None = None, *, empty: str | None = None) -> None:
        self.short = short
        "The key that a bare text stands for."
        self.empty = empty
        "A word that stands for no item at all: `false`."

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._listed, handler(source))

    def _listed(self, value: object) -> object:
        if self.empty is not None and value == self.empty:
            return []
        items = value if isinstance(value, list) else [value]
        if self.short is None:
            return items
        return [{self.short: item} if isinstance(item, str) else item for item in items]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        listed = dict(handler(core))
        item = listed.get("items", {})
        if self.short is not None:
            item = {"anyOf": [Words().schema(), item]}
        alone = [{"const": False}] if self.empty else []
        return {"anyOf": [*alone, item, {**listed, "items": item}]}


class ShortFor:
    """A mapping that may be written as the value of one of its keys."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._spelled_out, handler(source))

    def _spelled_out(self, value: object) -> object:
        return {self.key: value} if isinstance(value, str) else value

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"anyOf": [Words().schema(), handler(core)]}


class Fields:
    """A mapping from the author's names to something; `what` names it for messages."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def _checked(self, value: object) -> object:
        if isinstance(value, str) and (found := COLON_ALONE.match(value)):
            raise refused(*no_space(found), meant=space_after_colon(found, 0).within(value))
        if not isinstance(value, Mapping):
            raise refused("value", f"Expected {self.what} (name: value).", "Write one name: value on each line.")
        return value
