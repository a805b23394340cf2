"""Where in a flow file something stands that a replay has to say: a state, a transition, a spoken text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.call import Taken
from ivr.engine.commands import Audio, Card, Recorded, Segment, Silence, Text
from ivr.engine.flow import Flow
from ivr.engine.handlers import longest
from ivr.engine.naming import normal
from ivr.engine.scope import PART
from ivr.flowfile.actions import ACTIONS
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.included_files import from_bundle, read_with_included
from ivr.flowfile.model_base import PUT_IN
from ivr.flowfile.source import Mapping as Keys
from ivr.flowfile.source import Mark, Node, Path, Scalar, Source

_NEVER_SPOKEN = frozenset({"guard", "dtmf", "target", "outcome", "into", "audio", "silence", "recording"})
_NEVER_SPOKEN_WITHIN = frozenset({"speech", "set", "phrases"})


class FlowPlace(Struct, frozen=True):
    """A stretch of one line of a flow file."""

    file: str
    line: int
    "Counted from 1, like `column`."
    column: int
    length: int
    excerpt: str
    "The whole line."
    state: str
    "The state it belongs to; empty: the flow itself."

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class FlowPlaces:
    """One flow file, with what it includes and invokes."""

    def __init__(
        self,
        file: str,
        text: bytes,
        included: Mapping[str, bytes] | None = None,
        invoked: "Mapping[str, FlowPlaces] | None" = None,
    ) -> None:
        """Read a file; `invoked` has the flows that it invokes, and that those invoke, by their names."""
        self.file = file
        self._source: Source = read_with_included(file, text, from_bundle(included or {})).reading.source
        self._invoked = invoked or {}

    @classmethod
    def of(cls, bundle: Bundle, file: str | None = None) -> "FlowPlaces":
        """Return the places of a flow and of all that it invokes; `file`: how its own file is called."""
        invoked: dict[str, FlowPlaces] = {}
        for name, one in bundle.invoked.items():
            invoked[name] = cls(one.file, one.text, one.included, invoked)
        return cls(file or bundle.file, bundle.text, bundle.included, invoked)

    @property
    def flow(self) -> str:
        """The name of the flow, as far as the file says one."""
        found = self._source.find(("flow",)).value if self._source.has(("flow",)) else None
        return found.text if isinstance(found, Scalar) else ""

    def lines(self) -> Mapping[str, int]:
        """Return the line of each state."""
        found: dict[str, int] = {}
        for name in self._source.keys(("states",)):
            found[name] = self.state(name).line
            if (flow := self._invoked.get(self._invoked_by(name))) is not None:
                found |= {f"{name}{PART}{inner}": line for inner, line in flow.lines().items()}
        return found

    def state(self, name: str) -> FlowPlace:
        """Find a state, or the line that names the first one if there is none of this name."""
        flow, name = self.owner(name)
        if flow is not self:
            return flow.state(name)
        path: Path = ("states", name) if self._source.has(("states", name)) else ("initial",)
        return self._place(path, name, key=True)

    def question(self, name: str) -> FlowPlace:
        """Find what a state asks: its choices, or its action."""
        flow, name = self.owner(name)
        if flow is not self:
            return flow.question(name)
        here: Path = ("states", name)
        asking = (word for word, spec in ACTIONS.items() if spec.attempts_fail_by)
        action = next((word for word in asking if self._source.has((*here, word))), None)
        if action is None:
            return self.state(name)
        choices = (*here, action, "choices")
        return self._place(choices if self._source.has(choices) else (*here, action), name, key=True)

    def outcome(self, name: str) -> FlowPlace:
        """Find the outcome of a state."""
        flow, name = self.owner(name)
        if flow is not self:
            return flow.outcome(name)
        path: Path = ("states", name, "outcome")
        return self._place(path, name) if self._source.has(path) else self.state(name)

    def transition(self, taken: Taken) -> FlowPlace:
        """Find the branch that was taken."""
        flow, state = self.owner(taken.state)
        if flow is not self:
            return flow.transition(replace(taken, state=state))
        path = self._handler(taken)
        if path is None:
            return self.state(taken.state or taken.target)
        branch = (*path, taken.branch)
        whole = branch if self._source.has(branch) else path
        target = (*whole, "target")
        return self._place(target if self._source.has(target) else whole, taken.state)

    def spoken(self, segment: Segment, states: Iterable[str]) -> FlowPlace | None:
        """Find the text, in one of these states, that makes what is heard; the one that says most of it literally."""
        found = (flow.literal(segment, own) for flow, own in self._by_flow(states))
        best = max(filter(None, found), key=lambda one: one[0], default=None)
        return best[1] if best else None

    def literal(self, segment: Segment, states: Iterable[str]) -> tuple[int, FlowPlace] | None:
        """Find the same in states of this file alone, with the number of letters that stand there literally."""
        best: tuple[int, Path, str] | None = None
        for state, path, scalar in self._texts(states):
            said = _says(path, scalar, segment)
            if said is not None and (best is None or said > best[0]):
                best = (said, path, state)
        return (best[0], self._place(best[1], best[2])) if best else None

    def _by_flow(self, states: Iterable[str]) -> "Iterable[tuple[FlowPlaces, Sequence[str]]]":
        """Return the files in which states stand, with their names there; this file in any case."""
        found: dict[FlowPlaces, list[str]] = {self: []}
        for state in states:
            flow, name = self.owner(state)
            found.setdefault(flow, []).append(name)
        return found.items()

    def owner(self, state: str) -> "tuple[FlowPlaces, str]":
        """Return the flow in which a state stands, and its name there."""
        first, inside, rest = state.partition(PART)
        flow = self._invoked.get(self._invoked_by(first)) if inside else None
        return flow.owner(rest) if flow is not None else (self, state)

    def _invoked_by(self, state: str) -> str:
        """Return the name of the flow that a state invokes; empty: none."""
        here: Path = ("states", state, "invoke")
        for path in ((*here, "flow"), here):
            found = self._source.find(path).value if self._source.has(path) else None
            if isinstance(found, Scalar):
                return normal(found.text)
        return ""

    def _texts(self, states: Iterable[str]) -> Iterator[tuple[str, Path, Scalar]]:
        for state in states:
            for path, scalar in _scalars(("states", state), self._source.find(("states", state)).value):
                yield state, path, scalar
        for shared in ("defaults", "on", "prompts"):
            if self._source.has((shared,)):
                for path, scalar in _scalars((shared,), self._source.find((shared,)).value):
                    yield "", path, scalar

    def _handler(self, taken: Taken) -> Path | None:
        if not taken.state:
            return ("initial",)
        here: Path = ("states", taken.state)
        if own := longest(self._source.keys((*here, "on")), taken.event):
            return (*here, "on", own)
        for key in ("decide", "next"):
            if self._source.has((*here, key)) and not taken.event.startswith(("error", "hangup", "exhausted")):
                return (*here, key)
        shared = longest(self._source.keys(("on",)), taken.event)
        return ("on", shared) if shared else None

    def _place(self, path: Path, state: str, *, key: bool = False) -> FlowPlace:
        mark: Mark = self._source.mark(*path, key=key)
        place, excerpt = self._source.place(mark.line), self._source.line(mark.line)
        return FlowPlace(place.file, place.line, mark.column, mark.length, excerpt, state)


class FlowWithPlaces(Struct, frozen=True):
    """One flow, and where everything in it stands."""

    flow: Flow
    places: FlowPlaces


def _scalars(path: Path, node: Node) -> Iterator[tuple[Path, Scalar]]:
    match node:
        case Scalar():
            yield path, node
        case Keys(entries):
            for name, (_, value) in entries.items():
                yield from _scalars((*path, name), value)
        case _:
            for number, item in enumerate(node.items):
                yield from _scalars((*path, number), item)


def _says(path: Path, scalar: Scalar, segment: Segment) -> int | None:
    """Return how many letters of a text are literally in what is heard; None: it is not this text."""
    names = [step for step in path if isinstance(step, str)]
    last = names[-1]
    match segment:
        case Silence():
            return 0 if last == "silence" else None
        case Card():
            segment = Text(segment.face.text or "", segment.voice, segment.language)
        case Recorded():
            return 0 if last == "recording" else None
        case Audio(url=url, text=text):
            if last == "audio" and (url is None or url == scalar.text):
                return 0
            segment = Text(text or "", "male", "")
    if last in _NEVER_SPOKEN or not _NEVER_SPOKEN_WITHIN.isdisjoint(names):
        return None
    literal = [" ".join(part.split()) for part in PUT_IN.split(scalar.text)]
    if not re.fullmatch(r"\s*.*?\s*".join(map(re.escape, literal)), segment.value, re.DOTALL):
        return None
    return sum(map(len, literal))
