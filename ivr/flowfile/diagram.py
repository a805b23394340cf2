"""A flow as a Mermaid state diagram, to be looked at beside the YAML and in pull requests."""

import re
from collections import defaultdict

from ivr.engine.flow import Flow
from ivr.flowfile.chart import ANY, Arrow, chart_of

LONGEST = 60
"Characters of a label; more makes the picture unreadable."
_NOT_PLAIN = re.compile(r"[^\w .,…()=!'+/|\[\]-]|--|(?<![^\W_])_+|_+(?![^\W_])")


def mermaid(flow: Flow) -> str:
    """Print the chart of a flow. The box that stands for every state is called `any`, the others by their number."""
    chart = chart_of(flow)
    ids = {box.name: "any" if box.name == ANY else f"s{number}" for number, box in enumerate(chart.boxes)}
    leading: defaultdict[str, list[Arrow]] = defaultdict(list)
    for arrow in chart.arrows:
        leading[arrow.source].append(arrow)
    own = [box for box in chart.boxes if box.name != ANY]
    lines = ["stateDiagram-v2", f"  %% {_comment(flow.name)}"]
    lines += [f'  state "{_label(f"{box.name} ({box.does})")}" as {ids[box.name]}' for box in own]
    lines += [f"  [*] --> {ids[box.name]}" for box in own if box.first]
    for box in chart.boxes:
        if box.name == ANY:
            lines.append(f'  state "{box.kind}" as {ids[ANY]}')
        lines += [
            f"  {ids[box.name]} --> {ids[arrow.target]}{_after(', '.join(arrow.labels))}" for arrow in leading[box.name]
        ]
        if box.final:
            lines.append(f"  {ids[box.name]} --> [*]{_after(box.outcome)}")
    return "\n".join(lines) + "\n"


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
