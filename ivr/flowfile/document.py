"""A flow file, read and sound as far as it goes: what the checks look at and what `build` makes a flow of.

The ways on are spread out here once: `next` over the events it stands for, the flow's own handlers over the states
that leave an event to them.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from typing import TypeVar, cast

from msgspec import Struct

from ivr.engine.flow import SELF
from ivr.engine.handlers import leads_back, longest
from ivr.engine.kinds.decide import DECIDED
from ivr.flowfile.events import asking, raised, successes
from ivr.flowfile.finding import Finding, Severity
from ivr.flowfile.model import Branch, FlowFile, State
from ivr.flowfile.source import Path, Source

T = TypeVar("T")

WAYLESS = frozenset(
    {
        *("prompt", "reprompt", "noInput", "noMatch", "holdPrompt", "text", "audio", "silence", "voice", "sayAs"),
        *("flow", "description", "language", "timeZone", "limits", "defaults", "variables", "allow", "outcome"),
        *("maxAttempts", "initialSilence", "into", "emphasize", "set"),
    }
)
"Keys that lead nowhere: a flow without one of them has the same ways."
WAYS = frozenset({"next", "on", "final", "target"})
"Keys that say where a call goes on, or that it does not."


class Handler(Struct, frozen=True):
    """What happens on an event: branches, and where they stand."""

    branches: tuple[Branch, ...]
    path: Path


class Way(Struct, frozen=True):
    """One branch that a call can take out of a state."""

    state: str
    event: str
    "As it is raised: `error.system`, also where a handler is called `error`."
    branch: Branch
    path: Path
    "Of the branch, in the file."
    last: bool
    "True: no branch follows it."

    @property
    def target(self) -> str:
        """The state that it leads to; `self` leads to the state itself."""
        return self.state if self.branch.target == SELF else self.branch.target


class Document:
    """A flow file with its model."""

    def __init__(self, source: Source, model: FlowFile, damaged: frozenset[Path] = frozenset()) -> None:
        self.source = source
        self.model = model
        self.damaged = damaged
        self.remembered: dict[object, object] = {}
        "What was worked out of it already, by the function that did (see `once`)."

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name all states that were written, those too that are not sound."""
        return self.source.keys(("states",))

    @cached_property
    def known_names(self) -> frozenset[str]:
        """Name the same, to look one up."""
        return frozenset(self.names)

    @cached_property
    def _around_damage(self) -> frozenset[Path]:
        return frozenset(path[:length] for path in self.damaged for length in range(len(path) + 1))

    def is_sound(self, *path: str | int) -> bool:
        """Tell whether nothing was found wrong at a path, below it, or on the way to it."""
        inside = any(path[:length] in self.damaged for length in range(len(path) + 1))
        return not inside and path not in self._around_damage

    @cached_property
    def has_all_ways(self) -> bool:
        """Tell whether all ways on are known: nothing was cut out that could hold one, and all lead somewhere.

        Checks that follow a call through the flow say nothing otherwise, since all they say could be wrong.
        """
        lost = any(_may_hold_ways(path) for path in self.damaged)
        lost = lost or any(action_of(state) is None for _, state in self.states())
        ways = [way for several in self.ways.values() for way in several]
        lost = lost or any(way.branch.target == SELF and not asking(self.model.states[way.state]) for way in ways)
        return not lost and {self.model.initial, *(way.target for way in ways)} <= set(self.model.states)

    @cached_property
    def _mutilated(self) -> frozenset[str]:
        return frozenset(str(path[1]) for path in self.damaged if len(path) > 1 and _may_hold_ways(path))

    def is_known(self, state: str) -> bool:
        """Tell whether the action of a state and its own ways on are known: nothing was cut out that could be one."""
        return state not in self._mutilated

    def finding(
        self,
        code: str,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        severity: Severity = "error",
        key: bool = False,
    ) -> Finding:
        """Make a finding at a path of the file, or at its key."""
        return self.source.finding(code, severity, self.source.mark(*path, key=key), message, suggestion)

    def warning(self, code: str, path: Path, message: str, suggestion: str = "", *, key: bool = False) -> Finding:
        """Make a finding that does not refuse the flow."""
        return self.finding(code, path, message, suggestion, severity="warning", key=key)

    def state_at(self, line: int) -> str | None:
        """Name the state that stands in a line; None: it belongs to no state."""
        number = bisect_right(self._state_lines, line) - 1
        if number < 0:
            return None
        end = self.source.find(("states", self.names[number])).value.end
        return self.names[number] if self.source.offset(line) < end else None

    @cached_property
    def _state_lines(self) -> list[int]:
        return [self.line("states", name) for name in self.names]

    def line(self, *path: str | int) -> int:
        """Give the line of the key at a path."""
        return self.source.mark(*path, key=True).line

    def states(self) -> Iterator[tuple[str, State]]:
        """Go through the states in file order."""
        yield from self.model.states.items()

    @cached_property
    def handlers(self) -> Mapping[str, Mapping[str, Handler]]:
        """Give the handlers of each state by event, `next` spread over the events it stands for (C3)."""
        return {name: _handlers(name, state) for name, state in self.states()}

    def written(self, name: str) -> Iterator[tuple[str, Handler]]:
        """Go through the handlers of a state as they were written: `next` once, though it stands for many events."""
        seen: set[Path] = set()
        for event, handler in self.handlers[name].items():
            if handler.path not in seen:
                seen.add(handler.path)
                yield event, handler

    def all_handlers(self) -> Iterator[Handler]:
        """Go through all handlers as they were written, those of the flow last."""
        for name, _ in self.states():
            yield from (handler for _, handler in self.written(name))
        yield from self.shared.values()

    @cached_property
    def shared(self) -> Mapping[str, Handler]:
        """Give the handlers of the flow by event."""
        return {event: Handler(tuple(branches), ("on", event)) for event, branches in self.model.on.items()}

    def handler(self, name: str, event: str) -> Handler | None:
        """Find what handles an event in a state, as the machine does (C7)."""
        if own := longest(self.handlers[name], event):
            return self.handlers[name][own]
        if common := longest(self.shared, event):
            handler = self.shared[common]
            return None if leads_back(event, (branch.target for branch in handler.branches), name) else handler
        return None

    @cached_property
    def ways(self) -> Mapping[str, tuple[Way, ...]]:
        """Give every way out of each state."""
        return {name: tuple(self._ways(name, state)) for name, state in self.states()}

    def _ways(self, name: str, state: State) -> Iterator[Way]:
        for event in (*raised(state), *([DECIDED] if state.decide else [])):
            handler = self.handler(name, event)
            branches = handler.branches if handler else ()
            for number, branch in enumerate(branches):
                path = (*handler.path, number) if handler else ()
                yield Way(name, event, branch, path, last=number == len(branches) - 1)


def _may_hold_ways(path: Path) -> bool:
    """Tell whether what was cut out at a path could have been an action or a way on."""
    match path:
        case ("states", _, "menu" | "digits" | "record", *_) if path[-1] in WAYS:
            return True  # written a level too deep
        case ("states", _, "menu", "choices", *deeper):
            return len(deeper) < 2
        case ("states", _, "record", key):
            return key == "transcribe"
        case ("states", _, "menu" | "digits" | "record", _, *_) | ("variables" | "defaults" | "limits", *_):
            return False
        case _:
            return path[-1] not in WAYLESS


def once(work: Callable[[Document], T]) -> Callable[[Document], T]:
    """Make a function work once for each document: a dozen checks ask for the same, of thousands of states."""

    @wraps(work)
    def remembered(document: Document) -> T:
        if work not in document.remembered:
            document.remembered[work] = work(document)
        return cast("T", document.remembered[work])

    return remembered


def action_of(state: State) -> str | None:
    """Name the action of a state, the first if it has several; None: it has none."""
    return next((word for word in State.ACTIONS if getattr(state, word) is not None), None)


def _handlers(name: str, state: State) -> Mapping[str, Handler]:
    here = ("states", name)
    handlers = {event: Handler(tuple(branches), (*here, "on", event)) for event, branches in state.on.items()}
    if state.next is not None:
        for event in successes(state):
            handlers.setdefault(event, Handler(tuple(state.next), (*here, "next")))
    if state.decide is not None:
        handlers[DECIDED] = Handler(tuple(state.decide), (*here, "decide"))
    return handlers
