"""Whether a flow still makes and judges private values as it did (LANGUAGE C12).

A case holds what guards over private values said. That counts as long as the guards stand, and as long as the values
themselves come about as they did: this is a hash over the latter.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import asdict, replace

from ivr.engine.flow import Assignment, Flow, InvokedPart, State, Variable


def private_rules(flow: Flow) -> str | None:
    """Hash all that decides what a private value is, and whether it is accepted; None: the flow has none."""
    if not any(variable.sensitive for variable in flow.variables.values()):
        return None
    rules = [f"{name}: {_declared(variable)}" for name, variable in flow.variables.items() if variable.sensitive]
    for found in _walk(_Found("", flow)):
        match found.struct:
            case Assignment(variable=name, value=value):
                declared = flow.variables.get(found.prefix + name)
                if declared and declared.sensitive:
                    rules.append(f"{found.place}: {declared.name} = {value.source}")
            case Variable(sensitive=True, name=name):  # what an action judges its answer by
                rules.append(f"{found.place}: by {name}")
            case Struct() as part if _sends(part):
                rules.append(f"{found.place}: sends {part}")
    rules += _kept(flow)
    return sha256("\n".join(sorted(rules)).encode()).hexdigest()[:16]


def _declared(variable: Variable) -> Mapping[str, object]:
    """Return what decides the values of a variable: for how long one is kept does not."""
    return {name: value for name, value in asdict(variable).items() if name != "keep"}


def _sends(part: Struct) -> bool:
    """Return whether something is made of private values here, and leaves the state.

    The field says so. Of a question, `private` is a property: what it says to callers makes no value.
    """
    return "private" in part.__struct_fields__ and getattr(part, "private", False) is True


def _kept(flow: Flow) -> Iterator[str]:
    """Return which states keep private answers as they come; an action that judges them was found by its variable."""
    for name, state in flow.states.items():
        kept = flow.variables.get(state.owned(state.action.keeps or ""))
        judges = any(isinstance(found.struct, Variable) for found in _walk(_Found("", state.action)))
        if kept is not None and kept.sensitive and not judges:
            yield f".states.{name}.action: into {kept.name}"


class _Found(Struct, frozen=True):
    """A struct of a flow, or what may hold some."""

    place: str
    struct: object
    prefix: str = ""
    "That of the invoked flow to which it belongs."

    def inside(self, name: object, struct: object) -> "_Found":
        """Return what is in it under a name."""
        place = f"{self.place}.{name}"
        match struct:
            case State():
                return _Found(place, struct, struct.prefix)
            case InvokedPart():
                return _Found(place, struct, str(name))
        return replace(self, place=place, struct=struct)


def _walk(found: _Found) -> Iterator[_Found]:
    """Go through all structs inside a value, each with its place."""
    value = found.struct
    if isinstance(value, Struct):
        yield found
        for name in value.__struct_fields__:
            yield from _walk(found.inside(name, getattr(value, name)))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _walk(found.inside(number, item))
    elif hasattr(value, "items"):
        for name, item in value.items():
            yield from _walk(found.inside(name, item))
