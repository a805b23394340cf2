"""A flow file, read and sound as far as it goes: what the checks look at and what `build` makes a flow of.

The ways on are spread out here once: `next` over the events it stands for, the flow's own handlers over the states
that leave an event to them.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from typing import TypeVar, cast

from msgspec import Struct

from ivr.engine.actions.decide import DECIDED
from ivr.engine.flow import SELF
from ivr.engine.handlers import leads_back, longest
from ivr.engine.naming import is_of_user
from ivr.flowfile.actions import ACTIONS
from ivr.flowfile.events import asking, fits, raised, successes, with_statuses
from ivr.flowfile.finding import Edit, Finding, Problem
from ivr.flowfile.model import FlowFile, State
from ivr.flowfile.model_parts import Branch
from ivr.flowfile.reachability import reached
from ivr.flowfile.source import Path, Source
from ivr.nearest import nearest

T = TypeVar("T")

WAYLESS = frozenset(
    {
        *("prompt", "reprompt", "noInput", "noMatch", "holdPrompt", "text", "audio", "silence", "voice", "sayAs"),
        *("recording", "maxAttempts", "initialSilence", "into", "emphasize", "set"),
        *("flow", "description", "language", "timeZone", "limits", "defaults", "variables", "allow", "outcome"),
    }
)
"Keys that lead nowhere: a flow without one of them has the same ways."
TRANSITIONS = frozenset({"next", "on", "final", "target"})
"Keys that say where a call goes on, or that it does not."
_WORD = re.compile(r"\w+")


class Handler(Struct, frozen=True):
    """What happens on an event: branches, and where they stand."""

    branches: tuple[Branch, ...]
    path: Path


class Transition(Struct, frozen=True):
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
        self.given: set[str] = set()
        "The variables that a flow sets which invokes this one; others than those that were read may do so, too."
        self._meant: dict[str, str | None] = {}
        for state in model.states.values():
            state.know(model.commands)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return all states that were written, those too that are not sound."""
        return self.source.keys(("states",))

    @cached_property
    def known_names(self) -> frozenset[str]:
        """Return the same, to look one up."""
        return frozenset(self.names)

    @cached_property
    def _around_damage(self) -> frozenset[Path]:
        return frozenset(path[:length] for path in self.damaged for length in range(len(path) + 1))

    def is_sound(self, *path: str | int) -> bool:
        """Return whether nothing was found wrong at a path, below it, or on the way to it."""
        inside = any(path[:length] in self.damaged for length in range(len(path) + 1))
        return not inside and path not in self._around_damage

    def is_own(self, *path: str | int) -> bool:
        """Return whether this was written in the flow's own file, and not in one that it includes."""
        return self.source.place(self.source.mark(*path, key=True).line).file == self.source.file

    @cached_property
    def has_all_transitions(self) -> bool:
        """Return whether all ways on are known: nothing was cut out that could hold one, and all lead somewhere."""
        return not self.loose and not any(_may_hold_transitions(path) for path in self.damaged)

    @cached_property
    def begins(self) -> str:
        """Return the state in which a call begins; if that is not known, the one that leads to most others."""
        if self.model.initial in self.known_names or not self.names:
            return self.model.initial
        led_to = {target for name in self.names for target in self.leads[name] if target != name}
        first = [name for name in self.names if name not in led_to] or self.names
        meant = nearest(self.model.initial, self.names)
        return meant or max(first, key=lambda name: len(reached([name], self.leads.__getitem__)))

    @cached_property
    def hidden(self) -> Mapping[str | None, frozenset[str]]:
        """Return the words that stand in what was cut out, by state; None: outside of the states.

        Whatever they were to say, a name that is not among them was not said.
        """
        found: dict[str | None, set[str]] = {}
        for path in self.damaged:
            place = self.source.find(path)
            start = place.key.start if place.key and path else place.value.start
            state = path[1] if len(path) > 1 and path[0] == "states" else None
            found.setdefault(None if state is None else str(state), set()).update(
                _WORD.findall(self.source.text, start, max(start, place.value.end))
            )
        return {state: frozenset(words) for state, words in found.items()}

    @cached_property
    def hidden_words(self) -> frozenset[str]:
        """All words that stand in what was cut out."""
        return frozenset().union(*self.hidden.values())

    @cached_property
    def leads(self) -> Mapping[str, frozenset[str]]:
        """Return for each state all others that a call may go to from there: those too that only seem to be meant."""
        common = self.hidden.get(None, frozenset()) & self.known_names
        return {
            name: frozenset(
                (self.hidden.get(name, frozenset()) & self.known_names)
                | common
                | self._targets_written(name)
                | {meant for meant in map(self.meant_by, self._lost_targets.get(name, ())) if meant}
            )
            for name in self.names
        }

    def _targets_written(self, name: str) -> frozenset[str]:
        """Return the states to which the ways of a state lead; of one whose action is not known, all that it names."""
        targets = {transition.target for transition in self._all_transitions.get(name, ())}
        if name in self.loose and name in self.model.states:
            targets.update(branch.target for _, handler in self.written(name) for branch in handler.branches)
            targets.update(branch.target for branch in self.model.states[name].next or ())
        return self.known_names & targets

    @cached_property
    def loose(self) -> frozenset[str]:
        """Return the states of which not all ways on are known: some were cut out, or lead nowhere."""
        without = {name for name, state in self.states() if action_of(state) is None}
        unread = set(self.names) - set(self.model.states)
        return frozenset({*without, *unread, *self._mutilated, *self._lost_targets})

    @cached_property
    def _lost_targets(self) -> Mapping[str, frozenset[str]]:
        lost = {
            name: frozenset(transition.branch.target for transition in transitions if not self._is_sure(transition))
            for name, transitions in self._all_transitions.items()
        }
        return {name: targets for name, targets in lost.items() if targets}

    def _is_sure(self, transition: "Transition") -> bool:
        if transition.branch.target == SELF:
            is_here = transition.path[0] != "on" or transition.event in self.raised_at_questions
            return is_here and asking(self.model.states[transition.state])
        return transition.target in self.model.states

    @cached_property
    def raised_at_questions(self) -> frozenset[str]:
        """Events that the flow's `on` can handle and that questions alone raise, so that `self` means something."""
        return frozenset({"exhausted", "empty", *self.model.commands})

    def meant_by(self, target: str) -> str | None:
        """Return the state that was probably meant by a target that is none."""
        if target not in self._meant:
            self._meant[target] = nearest(target, self.names)
        return self._meant[target]

    @cached_property
    def _mutilated(self) -> frozenset[str]:
        inside = (path for path in self.damaged if len(path) > 1 and path[0] == "states")
        without_flow = (name for name, state in self.states() if state.invoke and state.invoke.invoked is None)
        return frozenset([*(str(path[1]) for path in inside if _may_hold_transitions(path)), *without_flow])

    def is_known(self, state: str) -> bool:
        """Return whether the action of a state and its own ways on are known: nothing was cut out that could be one."""
        return state not in self._mutilated

    def finding(self, problem: Problem, path: Path, *, key: bool = False, fix: Edit | None = None) -> Finding:
        """Make a finding of what is wrong at a path of the file, or at its key."""
        return self.source.found(problem, self.source.mark(*path, key=key), fix=fix)

    def finding_within(self, problem: Problem, path: Path, start: int, end: int, *, fix: Edit | None = None) -> Finding:
        """Make a finding of what is wrong in a part of a text; `start` and `end` count in its value."""
        return self.source.found(problem, self.source.within(path, start, end - start), fix=fix)

    def state_at(self, line: int) -> str | None:
        """Return the state that stands in a line; None: it belongs to no state."""
        number = bisect_right(self._state_lines, line) - 1
        if number < 0:
            return None
        end = self.source.find(("states", self.names[number])).value.end
        return self.names[number] if self.source.offset(line) < end else None

    @cached_property
    def _state_lines(self) -> list[int]:
        return [self.line("states", name) for name in self.names]

    def line(self, *path: str | int) -> int:
        """Return the line of the key at a path."""
        return self.source.mark(*path, key=True).line

    def may_be_given(self, variable: str) -> bool:
        """Return whether a variable may begin with a value that this file says nothing of.

        Its flow is invoked (C4), or whoever has a call placed may give it one; or it is kept of the caller (C10).
        """
        declared = self.model.variables.get(variable)
        return (
            variable in self.given
            or is_of_user(variable)
            or (declared is not None and (self._returns or declared.parameter))
        )

    @cached_property
    def _returns(self) -> bool:
        """Whether the flow is written to be invoked."""
        return any(state.return_ for _, state in self.states())

    def states(self) -> Iterator[tuple[str, State]]:
        """Go through the states in file order."""
        yield from self.model.states.items()

    @cached_property
    def handlers(self) -> Mapping[str, Mapping[str, Handler]]:
        """Return the handlers of each state by event, `next` spread over the events it stands for (C3)."""
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
        """Return the handlers of the flow by event."""
        return {event: Handler(tuple(branches), ("on", event)) for event, branches in self.model.on.items()}

    def handler(self, name: str, event: str) -> Handler | None:
        """Find what handles an event in a state, as the machine does (C7)."""
        if own := longest(self.handlers[name], event):
            return self.handlers[name][own]
        if common := longest(self.shared, event):
            handler = self.shared[common]
            return None if leads_back(event, (branch.target for branch in handler.branches), name) else handler
        return None

    def raised(self, name: str) -> tuple[str, ...]:
        """Return every event that a state can raise, with those statuses of a web service that somebody handles."""
        return with_statuses(raised(self.model.states[name]), self.shared)

    @cached_property
    def transitions(self) -> Mapping[str, tuple[Transition, ...]]:
        """Return every way out of each state that leads to another, or back to a question."""
        return {
            name: tuple(transition for transition in transitions if self._is_sure(transition))
            for name, transitions in self._all_transitions.items()
        }

    @cached_property
    def _all_transitions(self) -> Mapping[str, tuple[Transition, ...]]:
        return {name: tuple(self._transitions(name, state)) for name, state in self.states()}

    def _transitions(self, name: str, state: State) -> Iterator[Transition]:
        for event in (*self.raised(name), *([DECIDED] if state.decide else [])):
            handler = self.handler(name, event)
            branches = handler.branches if handler else ()
            for number, branch in enumerate(branches):
                path = (*handler.path, number) if handler else ()
                yield Transition(name, event, branch, path, last=number == len(branches) - 1)


def _may_hold_transitions(path: Path) -> bool:
    """Return whether what was cut out at a path could have been an action or a way on."""
    match path:
        case ("states", _, word, *inner) if inner and (spec := ACTIONS.get(str(word))) and spec.model:
            is_too_deep = path[-1] in TRANSITIONS
            return is_too_deep or spec.may_change_events(tuple(inner))
        case ("variables" | "defaults" | "limits", *_):
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
    """Return the action of a state, the first if it has several; None: it has none."""
    return next((action.word for action in state.actions), None)


def _renamed(state: State, handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Lead choices that nobody handles where handlers lead that no choice has: one of the two was renamed alone."""
    events = raised(state)
    lost = [event for event in successes(state) if event not in handlers]
    odd = [event for event in state.on if not fits(event, events)]
    found: dict[str, Handler] = {}
    for event in odd:
        meant = nearest(event, lost) or (lost[0] if len(lost) == len(odd) == 1 else None)
        if meant is not None:
            found[meant] = handlers[event]
    return found


def _handlers(name: str, state: State) -> Mapping[str, Handler]:
    here = ("states", name)
    handlers = {event: Handler(tuple(branches), (*here, "on", event)) for event, branches in state.on.items()}
    if state.next is not None:
        for event in successes(state):
            handlers.setdefault(event, Handler(tuple(state.next), (*here, "next")))
    if state.menu is not None:
        handlers |= _renamed(state, handlers)
    if state.decide is not None:
        handlers[DECIDED] = Handler(tuple(state.decide), (*here, "decide"))
    return handlers
