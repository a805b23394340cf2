"""The types of the flow language (LANGUAGE C10)."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, structs

ScalarName: TypeAlias = Literal[
    "text", "integer", "decimal", "boolean", "date", "time", "datetime", "recording", "none", "mixed", "any"
]


class Type(Struct, frozen=True):
    """A type: a scalar's name, a list of something, or an object with fields. `optional`: it may be `none`.

    Two scalars that no variable has: `mixed` is one of several that can be spoken (`{{ count or 'none' }}`), and `any`
    is unknown, so that nothing about it is an error.
    """

    name: ScalarName | Literal["list", "object"]
    optional: bool = False
    item: "Type | None" = None
    "Of a list; None: nothing is known of its items."
    fields: "Mapping[str, Type]" = {}
    "Of an object; of a recording those that differ from `RECORDING_FIELDS`, after a guard."

    def __str__(self) -> str:
        """Return the type as an author writes it."""
        if self.name == "list":
            return f"[{self.item}]"
        if self.name == "object":
            return "{" + ", ".join(f"{name}: {type_}" for name, type_ in self.fields.items()) + "}"
        return self.name


TEXT = Type("text")
INTEGER = Type("integer")
DECIMAL = Type("decimal")
BOOLEAN = Type("boolean")
DATE = Type("date")
TIME = Type("time")
DATETIME = Type("datetime")
RECORDING = Type("recording")
NONE = Type("none", optional=True)
MIXED = Type("mixed")
ANY = Type("any", optional=True)

RECORDING_FIELDS: Mapping[str, Type] = {
    "transcript": Type("text", optional=True),
    "confidence": Type("decimal", optional=True),
    "seconds": DECIMAL,
}
"What a flow can read of a recording; never where its audio is kept."

NUMBERS = frozenset({"integer", "decimal"})
SPOKEN = frozenset({"text", "integer", "decimal", "boolean", "date", "time", "datetime", "mixed"})
"What has a spoken form; so has a list of these."


def optional(type_: Type) -> Type:
    """Return the same type, that may be `none`."""
    return type_ if type_.optional else structs.replace(type_, optional=True)


def present(type_: Type) -> Type:
    """Return the same type without `none`; `none` and `any` stay what they are."""
    return structs.replace(type_, optional=False) if type_.optional and type_.name not in {"none", "any"} else type_


def field_of(type_: Type, name: str) -> Type | None:
    """Return the type of a field of an object or a recording; None: there is no such field."""
    if name in type_.fields:
        return type_.fields[name]
    return RECORDING_FIELDS.get(name) if type_.name == "recording" else None


def can_be_spoken(type_: Type) -> bool:
    """Return whether a value of this type, `none` aside, has a spoken form."""
    if type_.name == "list":
        return type_.item is None or type_.item.name in SPOKEN | {"none", "any"}
    return type_.name in SPOKEN or type_.name == "any"


def fits(given: Type, wanted: Type) -> bool:
    """Return whether every value of one type is a value of another as it is, without being converted from text."""
    if "any" in {given.name, wanted.name}:
        return True
    if given.name == "none" or (given.optional and not wanted.optional):
        return wanted.optional
    if given.name == "list" == wanted.name:
        return given.item is None or wanted.item is None or fits(given.item, wanted.item)
    if given.name == "object" == wanted.name:
        return all(fits(given.fields.get(name, NONE), field) for name, field in wanted.fields.items())
    return given.name == wanted.name or (given.name == "integer" and wanted.name == "decimal")


def join(left: Type, right: Type) -> Type | None:
    """Return the type of a value that is of one of two types; None: they have nothing in common."""
    if "any" in {left.name, right.name}:
        return ANY
    if left.name == "none":
        return optional(right)
    if right.name == "none":
        return optional(left)
    joined = _join_present(present(left), present(right))
    return optional(joined) if joined and (left.optional or right.optional) else joined


def _join_present(left: Type, right: Type) -> Type | None:
    if left.name == right.name == "recording":
        return RECORDING
    if left.name == right.name == "object":
        return _join_objects(left, right)
    if left.name == right.name == "list" and left.item and right.item:
        item = join(left.item, right.item)
        return Type("list", item=item) if item else None
    if left == right:
        return left
    if {left.name, right.name} <= NUMBERS:
        return DECIMAL
    return MIXED if {left.name, right.name} <= SPOKEN else None


def _join_objects(left: Type, right: Type) -> Type | None:
    if left.fields.keys() != right.fields.keys():
        return None
    fields = {name: join(field, right.fields[name]) for name, field in left.fields.items()}
    known = {name: field for name, field in fields.items() if field}
    return Type("object", fields=known) if len(known) == len(fields) else None
