"""A flow as a Mermaid state diagram, to be looked at beside the YAML and in pull requests."""

import re
from collections.abc import Iterator, Mapping

from ivr.engine.actions.decide import DECIDED
from ivr.engine.expressions.compile import Expression
from ivr.engine.flow import SELF, Branch, Flow, State

LONGEST = 60
"Characters of a label; more makes the picture unreadable."
_NOT_PLAIN = re.compile(r"[^\w .,…()=!'+/|\[\]-]|--|(?<![^\W_])_+|_+(?![^\W_])")


def mermaid(flow: Flow) -> str:
    """Draw a flow. Ways that all states share are drawn once, from a box that stands for every state."""
    ids = {name: f"s{number}" for number, name in enumerate(flow.states)}
    lines = ["stateDiagram-v2", f"  %% {_comment(flow.name)}"]
    lines += [f'  state "{_label(f"{name} ({_action(state)})")}" as {ids[name]}' for name, state in flow.states.items()]
    lines.append(f"  [*] --> {ids[flow.initial]}")
    for name, state in flow.states.items():
        lines += _transitions(ids, ids[name], state.on)
        if state.final:
            lines.append(f"  {ids[name]} --> [*]{_after(state.outcome or '')}")
    if flow.on:
        lines.append('  state "any state" as any')
        lines += _transitions(ids, "any", flow.on)
    return "\n".join(lines) + "\n"


def _transitions(ids: Mapping[str, str], source: str, handlers: Mapping[str, tuple[Branch, ...]]) -> Iterator[str]:
    """Draw all ways from one box; those to the same target with nothing to tell them apart are one arrow."""
    labels: dict[str, list[str]] = {}
    for event, branches in handlers.items():
        for branch in branches:
            target = source if branch.target == SELF else ids[branch.target]
            labels.setdefault(target, []).append(_when(event, branch.guard))
    for target, several in labels.items():
        yield f"  {source} --> {target}{_after(', '.join(dict.fromkeys(filter(None, several))))}"


def _when(event: str, guard: Expression | None) -> str:
    said = "" if event in {DECIDED, "done"} else event
    return f"{said} [{guard.source}]".strip() if guard else said


def _action(state: State) -> str:
    return type(state.action).__name__.removesuffix("Call").lower()


def _after(label: str) -> str:
    return f" : {_label(label)}" if label else ""


def _label(text: str) -> str:
    """Keep what Mermaid or HTML could take for their own from being that.

    Mermaid's codes (`#58;`) stand for one character each. Line ends, colons and semicolons end a label; a number sign
    begins a code; quotes, angles, braces and percent signs begin something else; stars, and underscores at the edge of
    a word, are emphasis, and would be missing in `price*2*count`.
    """
    shown = " ".join(text.split())
    shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return _NOT_PLAIN.sub(lambda found: "".join(f"#{ord(char)};" for char in found.group()), shown)


def _comment(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", " ", text)
