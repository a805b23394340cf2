"""What `ivr check` finds in a flow file: each check is one declaration, in the module of what it is about.

Each check looks at the whole document and yields its findings; none relies on another, so one mistake hides no other.
Where a part of the file was cut out, a check is silent about what that part may have made right.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from ivr.flowfile.checks.declaration import CHECKS, Check, Environment, Missing, Phrases, Provided
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding

__all__ = ["CHECKS", "Check", "Environment", "Missing", "Phrases", "Provided", "check", "unacknowledged"]

for module in iter_modules(__path__):  # a check is known once its module is imported
    import_module(f"{__name__}.{module.name}")


def check(document: Document, environment: Environment) -> Iterator[Finding]:
    """Run all checks."""
    for each in CHECKS.values():
        for find in each.finders:
            yield from find(document, environment)


def unacknowledged(document: Document, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out the warnings that the state in which they stand allows."""
    for found in findings:
        is_here = found.file == document.source.file
        name = document.state_at(found.line) if is_here and not found.is_error else None
        state = document.model.states.get(name) if name is not None else None
        if state is None or found.code not in state.allow:
            yield found
