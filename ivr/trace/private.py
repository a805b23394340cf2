"""Whether a flow still makes and judges private values as it did (LANGUAGE C12).

A case holds what guards over private values said. That counts as long as the guards stand, and as long as the values
themselves come about as they did: this is a hash over the latter.
"""

from collections.abc import Iterator
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import asdict

from ivr.engine.flow import Assignment, Flow, Variable


def private_rules(flow: Flow) -> str | None:
    """Hash all that decides what a private value is, and whether it is accepted; None: the flow has none."""
    if not any(variable.sensitive for variable in flow.variables.values()):
        return None
    rules = [f"{name}: {asdict(variable)}" for name, variable in flow.variables.items() if variable.sensitive]
    for place, found in _walk("", flow):
        match found:
            case Assignment(variable=name, value=value):
                declared = flow.variables.get(name)
                if declared and declared.sensitive:
                    rules.append(f"{place}: {name} = {value.source}")
            case Variable(sensitive=True, name=name):  # what an action judges its answer by
                rules.append(f"{place}: by {name}")
    rules += _kept(flow)
    return sha256("\n".join(sorted(rules)).encode()).hexdigest()[:16]


def _kept(flow: Flow) -> Iterator[str]:
    """Return which states keep private answers as they come; an action that judges them was found by its variable."""
    for name, state in flow.states.items():
        kept = flow.variables.get(state.action.keeps or "")
        judges = any(isinstance(found, Variable) for _, found in _walk("", state.action))
        if kept is not None and kept.sensitive and not judges:
            yield f".states.{name}.action: into {kept.name}"


def _walk(place: str, value: object) -> Iterator[tuple[str, object]]:
    """Go through all structs inside a value, each with its place."""
    if isinstance(value, Struct):
        yield place, value
        for name in value.__struct_fields__:
            yield from _walk(f"{place}.{name}", getattr(value, name))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _walk(f"{place}.{number}", item)
    elif hasattr(value, "items"):
        for name, item in value.items():
            yield from _walk(f"{place}.{name}", item)
