"""The check `prompt-limit`: how often something can be done by what is said, and by the guards beside it."""

import re
from collections.abc import Iterator

from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.model import AudioPart, TextPart
from ivr.flowfile.prompts import of_action
from ivr.flowfile.texts import compiled, of_state

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SPOKEN = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?:times|attempts|tries)\b", re.IGNORECASE)


def prompt_limit(document: Document) -> Iterator[Finding]:
    """Find numbers of times that differ from those in the guards of the same state."""
    for name, state in document.states():
        counted = _counted(document, name)
        for prompt in of_action(name, state) if counted else ():
            for number, part in enumerate(prompt.parts):
                text = part.text if isinstance(part, TextPart | AudioPart) else None
                for found in _SPOKEN.finditer(text or ""):
                    if _number(found[1]) not in counted:
                        path = (*prompt.path, number, "text")
                        mark = document.source.within(path, found.start(), len(found.group()))
                        message = f'The prompt says "{found.group()}", and the guards here count otherwise.'
                        yield document.source.finding("prompt-limit", "warning", mark, message, "Correct one of them.")


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS.index(word.lower())


def _counted(document: Document, name: str) -> frozenset[int]:
    """List the numbers of times that the guards of a state allow; `visits.x < 3` allows two more, or three in all."""
    found: set[int] = set()
    for use in of_state(document, name, document.model.states[name]):
        what = compiled(use.text, bare=True) if use.role == "guard" else None
        if isinstance(what, Expression):
            found.update(_limits(what.node))
    return frozenset(found)


def _limits(node: tree.Node) -> Iterator[int]:
    match node:
        case tree.Negation(of=of):
            yield from _limits(of)
        case tree.Both(left=left, right=right) | tree.Either(left=left, right=right):
            yield from _limits(left)
            yield from _limits(right)
        case tree.Comparison(first=first, rest=(tree.Compared(value=tree.Constant(value=int() as limit)),)):
            if (tree.path(first) or "").startswith("visits."):
                yield from (limit - 1, limit)
