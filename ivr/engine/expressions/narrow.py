"""What a guard proves about the values it looked at: after `issue.transcript` there is a transcript (LANGUAGE C11)."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import cast

from msgspec import structs

from ivr.engine.expressions import tree
from ivr.engine.expressions.types import Type, field_of, present
from ivr.engine.naming import parted


def narrowed(env: Mapping[str, Type], test: tree.Node, *, holds: bool) -> Mapping[str, Type]:
    """Return the types that names have where a test is known to hold, or, if not `holds`, known to fail."""
    changed: dict[str, Type] = {}
    for path in proved(test, holds):
        root, fields = parted(path)
        if root in env:
            changed[root] = _present(changed.get(root, env[root]), fields)
    return overlaid(env, changed)


def overlaid(env: Mapping[str, Type], changed: Mapping[str, Type]) -> Mapping[str, Type]:
    """Return the types of names where some have others; nothing is copied: there may be thousands of names."""
    under = env.maps if isinstance(env, ChainMap) else [cast("dict[str, Type]", env)]  # which nobody writes to
    return ChainMap(dict(changed), *under)


def _present(type_: Type, fields: Sequence[str]) -> Type:
    # A field of none is none: what has a field with a value, has one itself.
    type_ = present(type_)
    if not fields:
        return type_
    field = field_of(type_, fields[0])
    if field is None:
        return type_
    return structs.replace(type_, fields={**type_.fields, fields[0]: _present(field, fields[1:])})


@singledispatch
def proved(node: tree.Node, holds: bool) -> frozenset[str]:
    """Return the paths that are not `none` where a node's value counts as true, or as false if not `holds`."""
    path = tree.path(node)
    return frozenset({path}) if holds and path else frozenset()


@proved.register
def _negation(node: tree.Negation, holds: bool) -> frozenset[str]:
    return proved(node.of, not holds)


@proved.register
def _is_none(node: tree.IsNone, holds: bool) -> frozenset[str]:
    path = tree.path(node.of)
    return frozenset({path}) if path and not holds else frozenset()


@proved.register
def _both(node: tree.Both, holds: bool) -> frozenset[str]:
    left, right = proved(node.left, holds), proved(node.right, holds)
    return left | right if holds else left & right


@proved.register
def _either(node: tree.Either, holds: bool) -> frozenset[str]:
    left, right = proved(node.left, holds), proved(node.right, holds)
    return left & right if holds else left | right


@proved.register
def _comparison(node: tree.Comparison, holds: bool) -> frozenset[str]:
    if len(node.rest) > 1:
        return frozenset()
    [compared] = node.rest
    if isinstance(compared.value, tree.Listed):
        return _found(node.first, compared.value.items, (compared.comparator == "in") is holds)
    sides = (node.first, compared.value)
    constants = [side.value for side in sides if isinstance(side, tree.Constant)]
    if len(constants) != 1 or compared.comparator not in {"==", "!="}:
        return frozenset()
    equal = (compared.comparator == "==") is holds
    if equal is (constants[0] is None):
        return frozenset()
    return frozenset(path for side in sides if (path := tree.path(side)))


def _found(value: tree.Node, items: Sequence[tree.Node], is_one: bool) -> frozenset[str]:
    """Return what a list proves: what is one of several values that are written out is not none."""
    path = tree.path(value)
    known = all(isinstance(item, tree.Constant) and item.value is not None for item in items)
    return frozenset({path}) if path and known and is_one else frozenset()
