"""What callers would notice on another line, for people and for programs: by the line of the flow where it matters."""

from collections.abc import Sequence

from msgspec import Struct

from ivr.trace import sentences
from ivr.trace.case import Case
from ivr.trace.flow_places import FlowPlace, FlowPlaces
from ivr.trace.other_line import Noticed
from ivr.trace.report import marked


class Place(Struct, frozen=True):
    """A difference at one place of a flow."""

    difference: str
    "Its id in the table of differences."
    flow: str
    state: str
    what: str
    "What is noticed there."
    reason: str
    place: FlowPlace | None
    "None: the flow is not at hand, or has no such state any more."


class MovedGroup(Struct):
    """The calls that would notice one difference at one place."""

    at: Place
    first: str
    "When in the first call, and after what."
    calls: list[str]
    "Their names, each once."


class Moved:
    """What many calls would notice on another line."""

    def __init__(self, channel: str) -> None:
        """Begin with no call; `channel` is the other line's name."""
        self.channel = channel
        self.unchanged = 0
        "Calls in which nothing differs."
        self.noticed = 0
        self.unreadable: list[tuple[str, str]] = []
        "Calls that could not be looked at, with the reason."
        self.left_out = 0
        "Calls of other flows."
        self._groups: dict[Place, MovedGroup] = {}

    def add(self, name: str, recorded: Case, found: Sequence[Noticed], places: FlowPlaces | None) -> None:
        """Count a call; `places` is where things stand in its flow."""
        if not found:
            self.unchanged += 1
            return
        self.noticed += 1
        for one in found:
            difference = one.difference
            place = _place(one, places, recorded)
            at = Place(difference.id, recorded.header.flow, one.state, one.what, difference.reason, place)
            first = f"{sentences.clock(one.at)} after {sentences.caller_action(one.event)}"
            calls = self._groups.setdefault(at, MovedGroup(at, first, [])).calls
            if name not in calls[-1:]:
                calls.append(name)

    def groups(self) -> list[MovedGroup]:
        """Return the groups, those of most calls first."""
        return sorted(self._groups.values(), key=lambda group: -len(group.calls))

    @property
    def seen(self) -> int:
        """How many calls were looked at."""
        return self.unchanged + self.noticed

    def summary(self) -> str:
        """Return it as one line."""
        calls = f"{self.seen} {'call' if self.seen == 1 else 'calls'} replayed for {self.channel}"
        parts = [f"nothing differs in {self.unchanged}", f"callers would notice something in {self.noticed}"]
        if self.unreadable:
            parts.append(f"{len(self.unreadable)} cannot be replayed")
        if self.left_out:
            parts.append(f"{self.left_out} of other flows left out")
        return f"{calls}: {', '.join(parts)}."


def _place(one: Noticed, places: FlowPlaces | None, recorded: Case) -> FlowPlace | None:
    if places is None or one.state not in places.lines():
        return None
    return places.question(one.state) if one.question else places.state(one.state)


def as_text(group: MovedGroup) -> str:
    """Write a group for people."""
    at, number = group.at, len(group.calls)
    where = f"in {at.state}" if at.state else "when the call comes in"
    rows = [f"{at.flow}: {where}, {at.what} ({at.difference})"]
    rows.append(f"  {number} {'call' if number == 1 else 'calls'}, such as {group.calls[0]}: {group.first}")
    rows.append(f"  {at.reason}")
    return "\n".join([*rows, *marked(at.place, "")])
