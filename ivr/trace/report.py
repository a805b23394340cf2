"""A verdict for people and for programs: what was heard, what is heard now, and which line of the flow makes it so."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ivr.engine.commands import Segment
from ivr.trace import sentences
from ivr.trace.case import Case
from ivr.trace.flow_places import FlowPlace, FlowPlaces
from ivr.trace.verdict import VERDICTS, Difference, Kind, Side, Verdict, VerdictWord


class Report(Struct, frozen=True, omit_defaults=True):
    """What there is to say about one case."""

    case: str
    "Its name: a file, or a call's id."
    flow: str
    verdict: VerdictWord
    kinds: tuple[str, ...] = ()
    after: str = ""
    "What the caller had done."
    at: str = ""
    before: str = ""
    "What was heard."
    now: str = ""
    "What would be heard."
    detail: tuple[str, ...] = ()
    "What else is different there."
    why: str = ""
    "Why it is undetermined."
    place: FlowPlace | None = None
    "In today's flow."
    place_before: FlowPlace | None = None
    "In the flow of that day, where it is at hand."
    line_before: str = ""
    "Otherwise the state, with its line then."
    path_before: str = ""
    path_now: str = ""
    renamed: Mapping[str, str] = {}
    kept_out: bool = False
    "It was not replayed at all."


def report(
    name: str, recorded: Case, verdict: Verdict, today: FlowPlaces | None, then: FlowPlaces | None = None
) -> Report:
    """Put a verdict into words; `today` and `then` are the flow's files, where they are at hand."""
    found = verdict.first
    header = recorded.header
    if found is None:
        return Report(name, header.flow, verdict.verdict, renamed=verdict.renamed)
    kinds = tuple(kind for kind, one in (("wording", verdict.wording), ("way", verdict.way)) if one)
    place = _place(found, verdict, today)
    place_before = _place_before(found, then)
    return Report(
        name,
        header.flow,
        verdict.verdict,
        kinds=kinds,
        after=sentences.caller_action(found.event),
        at=sentences.clock(found.at),
        before=sentences.spoken(found.before.experience.spoken),
        now=sentences.spoken(found.now.experience.spoken),
        detail=_detail(found),
        why=verdict.why or "",
        place=place,
        place_before=place_before,
        line_before="" if place_before else _line_before(found, place, header.states),
        path_before=sentences.path(found.before.path),
        path_now=sentences.path(found.now.path),
        renamed=verdict.renamed,
    )


def without_flow(name: str, flow: str, why: str) -> Report:
    """Report a call that cannot be replayed: its flow is not there, or not readable, any more."""
    return Report(name, flow, "undetermined", after="the call came in", at="0:00", why=why, kept_out=True)


def _detail(found: Difference) -> tuple[str, ...]:
    before, now = found.before, found.now
    match found.what:
        case "asked" if before.experience.task == now.experience.task:
            return ()
        case "asked":
            return (
                f"before: {sentences.question(before.experience.asked)}",
                f"now:    {sentences.question(now.experience.asked)}",
            )
        case "state":
            return (f"before: the call reached {before.state}", f"now:    it reaches {now.state}")
        case "end":
            return (f"before: {_end(before)}", f"now:    {_end(now)}")
        case "outcome":
            return (f"before: the outcome was {before.outcome}", f"now:    the outcome is {now.outcome}")
        case "ordered":
            return (
                f"before: {sentences.services(before.experience.ordered)} was asked",
                f"now:    {sentences.services(now.experience.ordered)} is asked",
            )
        case "told":
            return (
                f"before: {sentences.told(before.experience.told) or 'nobody was told'}",
                f"now:    {sentences.told(now.experience.told) or 'nobody is told'}",
            )
        case "kept":
            return (
                f"before: {sentences.kept(before.experience.kept) or 'nothing was kept of the caller'}",
                f"now:    {sentences.kept(now.experience.kept) or 'nothing is kept of the caller'}",
            )
    return _heard_detail(before, now)


def _heard_detail(before: Side, now: Side) -> tuple[str, ...]:
    if before.experience.held != now.experience.held:
        return (
            f"before, while waiting: {sentences.spoken(before.experience.held) or '(nothing)'}",
            f"now, while waiting:    {sentences.spoken(now.experience.held) or '(nothing)'}",
        )
    other = sentences.differing(before.experience.spoken, now.experience.spoken)
    same_words = sentences.spoken(before.experience.spoken) == sentences.spoken(now.experience.spoken)
    if not same_words:
        return ()
    return (other or "the same words, but the caller can interrupt a different part",)


def _end(side: Side) -> str:
    match side.experience.end:
        case "hangup":
            return f"the call ended in {side.state}"
        case "reject":
            return f"the call was rejected in {side.state}"
    return f"the call went on in {side.state}"


# --- where it stands -------------------------------------------------------------------------------------------------


def _place(found: Difference, verdict: Verdict, today: FlowPlaces | None) -> FlowPlace | None:
    """Find the line of today's flow that makes the difference."""
    if today is None:
        return None
    if found is verdict.unknown:
        return today.state(verdict.where or found.now.state)
    turned = _turned(found, today)
    match found.what:
        case "heard":
            _, new = _first_difference(found)
            spoken = today.spoken(new, _states(found.now)) if new else None
            # Something that is not heard any more has no line; where it was, most likely, is the first state entered.
            entered = next((taken.target for taken in found.now.step if taken.target), found.now.state)
            return spoken or turned or today.state(entered)
        case "asked":
            return today.question(found.now.state)
        case "outcome":
            return turned or today.outcome(found.now.state)
    return turned or today.state(found.now.state)


def _turned(found: Difference, today: FlowPlaces) -> FlowPlace | None:
    """Find the transition at which today's way leaves that of the recorded call."""
    for number, taken in enumerate(found.now.step):
        before = found.before.step[number] if number < len(found.before.step) else None
        if before is None or (before.state, before.event, before.target) != (taken.state, taken.event, taken.target):
            return today.transition(taken)
    return None


def _place_before(found: Difference, then: FlowPlaces | None) -> FlowPlace | None:
    if then is None:
        return None
    segment, _ = _first_difference(found)
    if segment is not None and (place := then.spoken(segment, _states(found.before))):
        return place
    return then.state(found.before.state)


def _line_before(found: Difference, place: FlowPlace | None, lines: Mapping[str, int]) -> str:
    """Return the state that made it so then, with its line in the file of that day."""
    state = place.state if place and place.state in lines else found.before.state
    line = lines.get(state)
    return f"{state} (line {line} then)" if line else state


def _first_difference(found: Difference) -> tuple[Segment | None, Segment | None]:
    """Return the first thing heard then that is not heard now, and the first that is heard only now."""
    before, now = found.before.experience.parts, found.now.experience.parts
    gone = next((segment for segment in before if segment not in now), None)
    new = next((segment for segment in now if segment not in before), None)
    return gone, new


def _states(side: Side) -> Sequence[str]:
    names = [name for taken in side.step for name in (taken.state, taken.target)] + [side.state]
    return [name for name in dict.fromkeys(names) if name]


# --- as text ---------------------------------------------------------------------------------------------------------


def as_text(told: Report, others: Sequence[str] = ()) -> str:
    """Write a report for people; `others` are cases of which the same is to be said."""
    if told.verdict == "same":
        return f"{told.case}: same"
    kinds = f" ({' and '.join(told.kinds)})" if told.kinds else ""
    rows = [f"{told.case}: {told.verdict}{kinds}"]
    if others:
        shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        rows.append(f"  and {len(others)} more like it: {shown}")
    rows.append(f"  {told.at} after {told.after}")
    rows.append(f"  heard before: {told.before or '(nothing)'}")
    rows.append(f"  hears now:    {told.now or '(nothing)'}")
    rows += [f"  {detail}" for detail in told.detail]
    if told.why:
        rows.append(f"  undetermined: {told.why}")
    rows += marked(told.place, "")
    if told.place_before is not None:
        rows += marked(told.place_before, "recorded with ")
    elif told.line_before:
        rows.append(f"  recorded in {told.line_before}")
    rows += [f"  path before: {told.path_before}", f"  path now:    {told.path_now}"]
    return "\n".join(rows)


def marked(place: FlowPlace | None, prefix: str) -> list[str]:
    """Show a line of a flow file with what is meant in it underlined; `prefix` stands before its place."""
    if place is None:
        return []
    indent = len(place.excerpt) - len(place.excerpt.lstrip())
    carets = " " * (place.column - 1 - indent) + "^" * place.length
    return [f"  {prefix}{place}", f"      {place.excerpt.strip()}", f"      {carets}"]


# --- many of them ----------------------------------------------------------------------------------------------------


class Group(Struct):
    """Cases of which the same is to be said."""

    first: Report
    names: list[str]
    passes: bool
    "The change is of a kind that is allowed."


class Tally:
    """What became of many cases; of those that are alike only the first is kept in full."""

    def __init__(self, allowed: frozenset[Kind] = frozenset()) -> None:
        self.allowed = allowed
        self.verdicts: Counter[VerdictWord] = Counter()
        self.refused = 0
        "How many must not pass."
        self.others: Counter[str] = Counter()
        "By flow: calls that were left out, since they are not of the one that is wanted."
        self._groups: dict[tuple[object, ...], Group] = {}

    def add(self, told: Report, *, passes: bool) -> None:
        """Count a case; `passes`: it is the same, or changed in a way that is allowed."""
        self.verdicts[told.verdict] += 1
        self.refused += not passes
        if told.verdict == "same":
            return
        # Where a line of the flow is to blame, what else was heard there (a name, a transcript) sets no case apart.
        to_blame = str(told.place) if told.place else (told.before, told.now)
        key = (told.flow, told.verdict, told.kinds, told.detail, told.why, to_blame)
        self._groups.setdefault(key, Group(told, [], passes)).names.append(told.case)

    def leave_out(self, flow: str) -> None:
        """Count a call of a flow that is not wanted."""
        self.others[flow] += 1

    @property
    def left_out(self) -> int:
        """How many calls were left out."""
        return self.others.total()

    @property
    def replayed(self) -> int:
        """How many calls there is a verdict of."""
        return self.verdicts.total()

    def groups(self) -> list[Group]:
        """Return the groups, what must not pass first, the largest first."""
        return sorted(self._groups.values(), key=lambda group: (group.passes, -len(group.names)))

    def summary(self) -> str:
        """Return it as one line."""
        parts = [f"{self.verdicts[word]} {word}" for word in VERDICTS]
        let_pass = self.replayed - self.verdicts["same"] - self.refused
        if let_pass:
            parts.append(f"{let_pass} of these allowed")
        if self.left_out:
            parts.append(f"{self.left_out} of other flows left out")
        return f"{self.replayed} {'call' if self.replayed == 1 else 'calls'} replayed: {', '.join(parts)}."
