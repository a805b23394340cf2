"""Whether JSON is spelled exactly as in the contract: what a platform sends nearly always is, and needs no folding.

Rule: a tree that passes here and can be converted as it stands is the same message once it was folded. So a member
under any other spelling of a known name does not pass, and neither does one whose good values are folded, too. A value
that can be converted only once it was folded may pass: the conversion refuses it, and `reading` folds it then.
"""

import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias, Union, get_args, get_origin

import msgspec

from ivr.channels.skype import wire

Check: TypeAlias = Callable[[Any], bool]

OLDER_NAMES: Mapping[str, str] = {"notificationtype": "type"}
"In lower case. In a class of the oldest SDK, whose own dispatcher reads `type` (protocol 12)."
_ALWAYS_FOLDED = (wire.Culture, wire.LineNews)


@cache
def exact(annotation: Any) -> Check | None:
    """Make the function that tells whether a value of a type is spelled exactly; None: every value is."""
    if annotation in _ALWAYS_FOLDED:
        return _never
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return _tagged([annotation]) if annotation.__struct_config__.tag else _object(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return _list(exact(arguments[0]))
    if origin in (Union, types.UnionType):
        alternatives = [argument for argument in arguments if argument is not types.NoneType]
        return exact(alternatives[0]) if len(alternatives) == 1 else _tagged(alternatives)
    return None


def _never(value: Any) -> bool:
    return False


def _list(inner: Check | None) -> Check | None:
    return None if inner is None else lambda value: type(value) is list and all(map(inner, value))


def _object(shape: type[msgspec.Struct], tag_field: str | None = None) -> Check:
    fields = msgspec.structs.fields(shape)
    known = {field.encode_name for field in fields} | ({tag_field} if tag_field else set())
    spelled_otherwise = {name.lower() for name in known}
    spelled_otherwise |= {older for older, name in OLDER_NAMES.items() if name in known}
    checks = [(field.encode_name, exact(field.type)) for field in fields]
    checked = [(name, check) for name, check in checks if check is not None]

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        names = value.keys()
        if not names <= known and any(name.lower() in spelled_otherwise for name in names - known):
            return False
        for name, part in checked:
            item = value.get(name)
            if item is not None and not part(item):  # a null is an absent member, folded or not
                return False
        return True

    return check


def _tagged(shapes: list[Any]) -> Check | None:
    """Check one of several shapes, told apart by the word of one member; of numbers, every value is exact."""
    if not all(isinstance(shape, type) and issubclass(shape, msgspec.Struct) for shape in shapes):
        return None
    name = shapes[0].__struct_config__.tag_field
    checks = {shape.__struct_config__.tag: _object(shape, name) for shape in shapes}

    def check(value: Any) -> bool:
        tag = value.get(name) if type(value) is dict else None
        return type(tag) is str and tag in checks and checks[tag](value)

    return check
