"""No exception lives longer than what it reports.

An exception that is raised again keeps the frames of every time before, and with them all that they held: a refusal
that was made once and raised for each request kept each request for ever.
"""

import importlib
import pkgutil
import types
from collections.abc import Iterable, Iterator
from typing import Any

import ivr

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(ivr.__path__, "ivr.")
    if not module.name.endswith(".__main__")  # importing it runs it
)


def held(value: object, seen: set[int]) -> Iterator[BaseException]:
    """Find every exception that lives as long as this value does, as far as the value is of our own making."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, BaseException):
        yield value
    for inner in _inside(value):
        yield from held(inner, seen)


def _inside(value: Any) -> Iterable[object]:
    match value:
        case dict() | types.MappingProxyType():
            return [*value.keys(), *value.values()]
        case list() | tuple() | set() | frozenset():
            return list(value)
        case types.FunctionType():
            return [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        case staticmethod() | classmethod():
            return [value.__func__]
        case type() if value.__module__.startswith("ivr."):
            return list(vars(value).values())
    if type(value).__module__.startswith("ivr."):
        return [getattr(value, name) for name in _fields(value)]
    return ()


def _fields(value: object) -> Iterable[str]:
    slots = (name for each in type(value).__mro__ for name in getattr(each, "__slots__", ()))
    return {*getattr(value, "__dict__", ()), *getattr(value, "__struct_fields__", ()), *slots} & set(dir(value))


def test_no_exception_is_made_when_a_module_is_imported() -> None:
    found = {name: list(held(vars(importlib.import_module(name)), set())) for name in MODULES}
    assert len(found) > 200
    assert {name: errors for name, errors in found.items() if errors} == {}


def test_wherever_an_exception_is_kept_it_would_be_seen() -> None:
    class Keeper:
        default = ValueError("in a class")

        def __init__(self) -> None:
            self.kept = [{"deep": (ValueError("in an object"),)}]

        def method(self, error: ValueError = ValueError("as a default")) -> None:  # noqa: B008  # that is the point
            """Take a default."""

    Keeper.__module__ = "ivr.planted"
    planted = {"constant": ValueError("in a module"), "one": Keeper(), "class": Keeper}
    seen = {str(error) for error in held(planted, set())}
    assert seen == {"in a module", "in a class", "in an object", "as a default"}
