"""One call as a transcript that can be read aloud."""

from collections.abc import Iterator, Sequence
from math import inf
from textwrap import wrap

from ivr.flowfile.finding import visible
from ivr.trace.case import Called, Case, CaseLine
from ivr.trace.experience import FlowVoice, experience
from ivr.trace.failures import FlowFailure
from ivr.trace.sentences import caller_action, clock, question, services, spoken

WIDTH = 100
_INDENT = " " * 7


def told(recorded: Case, mistakes: Sequence[FlowFailure] = ()) -> str:
    """Return a call as text for people, with what went wrong in its flow."""
    header = recorded.header
    first = recorded.lines[0].event
    caller = (first.caller or "somebody") if isinstance(first, Called) else "somebody"
    length = clock(max((line.at, *line.then)[-1] for line in recorded.lines))
    rows = [
        f"{header.flow}, called by {caller} at {header.started:%Y-%m-%d %H:%M:%S} UTC, {length} long",
        f"call {header.call} on {header.channel}, flow {header.hash[:12]}",
        "",
    ]
    voice = FlowVoice(header.language, header.voice)
    for line, until in zip(recorded.lines, [*(line.at for line in recorded.lines[1:]), inf], strict=True):
        rows += _line(line, voice)
        rows += [f"{_INDENT}[{mistake.text}]" for mistake in mistakes if line.at <= mistake.at < until]
    rows.append(f"The call ended: {header.outcome}." if header.outcome else "The call is not over.")
    return "\n".join(visible(row) for row in rows)


def _line(line: CaseLine, voice: FlowVoice) -> Iterator[str]:
    applied = experience([line], voice)
    what = caller_action(line.event)
    yield f"{clock(line.at):>5}  {what[:1].upper()}{what[1:]}."
    for taken in line.path:
        yield f"{_INDENT}({taken.state or 'start'}: {taken.event} → {taken.target or 'the end'})"
    if applied.spoken:
        yield from wrap(f'"{spoken(applied.spoken)}"', WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " ")
    if applied.asked is not None:
        said = question(applied.asked)
        yield from wrap(f"[{said}]", WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " ")
    if applied.ordered:
        yield f"{_INDENT}[{services(applied.ordered)} is asked]"
    if applied.end is not None:
        yield f"{_INDENT}[the flow {'hangs up' if applied.end == 'hangup' else 'declines the call'}]"
