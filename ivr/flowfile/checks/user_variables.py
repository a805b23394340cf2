"""Checks of variables of the caller, `user.NAME`: each says how long it is kept, and all flows agree (LANGUAGE C10)."""

from collections.abc import Iterator

from msgspec.structs import replace

from ivr.engine.expressions.types import Type
from ivr.engine.flow import Variable
from ivr.engine.naming import is_of_user
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.variable_use import SENSITIVE
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import intos, origins, private, variables

USER_VARIABLE = Check(
    "user-variable",
    "error",
    "A variable of the caller (`user.NAME`) is not declared as one: `keep` says for how long it is kept.",
    group="Values",
    bad="""
variables: {user.visits: {default: 0}}
states:
  start:
    say: Call number {{ user.visits }}.
    set: {user.visits: "{{ user.visits + 1 }}"}
    next: bye
""",
    good="""
variables: {user.visits: {default: 0, keep: 90d}}
states:
  start:
    say: Call number {{ user.visits }}.
    set: {user.visits: "{{ user.visits + 1 }}"}
    next: bye
""",
)


@USER_VARIABLE.message
def _no_time(name: str) -> Text:
    return f'"{name}" is kept of the caller, and nothing says for how long.', 'Add "keep", such as keep: 90d.'


@USER_VARIABLE.message
def _not_of_user(name: str) -> Text:
    return (
        f'"{name}" is forgotten when the call is over: "keep" is for variables of the caller.',
        f"Call it user.{name.rpartition('.')[2]}.",
    )


@USER_VARIABLE.message
def _no_recording(name: str) -> Text:
    advice = "Keep what was said: its transcript."
    return f'"{name}" cannot hold a recording: the audio is erased with its call.', advice


@USER_VARIABLE.message
def _no_parameter(name: str) -> Text:
    return f'"{name}" is kept of the caller, and no parameter.', "Set it to the value of one."


@USER_VARIABLE.message
def _not_declared(name: str) -> Text:
    return f'"{name}" is not declared.', f'Write {name}: {{type: text, keep: 90d}} under "variables".'


@USER_VARIABLE.message
def _declared_otherwise(name: str, flow: str) -> Text:
    return f'The flow "{flow}" declares "{name}" otherwise, and both mean the same value.', "Write the same in both."


@SENSITIVE.message
def _kept_in_clear(name: str) -> Text:
    return f'A private value would be kept in "{name}", which is not.', f'Declare "{name}" sensitive.'


@USER_VARIABLE.finder
def declared(document: Document) -> Iterator[Finding]:
    """Find declarations that lack a time, or have one that means nothing; and what cannot be kept."""
    known = variables(document)
    for name, written in document.model.variables.items():
        path = ("variables", name)
        if not is_of_user(name):
            if written.keep is not None:
                yield document.finding(_not_of_user(name), (*path, "keep"), key=True)
            continue
        if written.keep is None and document.is_sound(*path):
            yield document.finding(_no_time(name), path, key=True)
        if written.parameter:
            yield document.finding(_no_parameter(name), (*path, "parameter"), key=True)
        if _has_recording(known[name].type):
            yield document.finding(_no_recording(name), path, key=True)
    for into in intos(document):
        if is_of_user(into.variable) and into.variable not in document.source.keys(("variables",)):
            yield document.finding(_not_declared(into.variable), into.path)


def _has_recording(type_: Type) -> bool:
    inside = [*type_.fields.values(), *([type_.item] if type_.item is not None else [])]
    return type_.name == "recording" or any(map(_has_recording, inside))


@SENSITIVE.finder
def kept_in_clear(document: Document) -> Iterator[Finding]:
    """Find private values that are put into variables of the caller that are not declared so."""
    marked = private(document)
    plain = {name for name, one in document.model.variables.items() if is_of_user(name) and not one.sensitive}
    for use in uses(document):
        if use.role == "value" and use.variable in plain and origins(document, use) & marked:
            yield document.finding(_kept_in_clear(use.variable), use.path)
    for into in intos(document):
        if into.variable in plain and into.asked.is_sensitive:
            yield document.finding(_kept_in_clear(into.variable), into.path)


@USER_VARIABLE.environment_finder
def agreed(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find variables that an invoked flow declares otherwise: in one call they are one."""
    own = _of_user(document)
    for flow in environment.invoked.flows.values():
        other = _of_user(flow.document) if flow.document is not None else {}
        for name in own.keys() & other.keys():
            if own[name] != other[name] and flow.document is not None and document.is_own("variables", name):
                problem = _declared_otherwise(name, flow.document.model.flow)
                yield document.finding(problem, ("variables", name), key=True)


def _of_user(document: Document) -> dict[str, Variable]:
    """Return the variables of the caller as they are declared; which of them are private by inference is no matter."""
    declared = document.model.variables
    return {
        name: replace(one, sensitive=declared[name].sensitive)
        for name, one in variables(document).items()
        if is_of_user(name) and name in declared
    }
