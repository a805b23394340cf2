"""What a flow keeps of a caller beyond the call: the variables called `user.NAME` (LANGUAGE C10).

They come with the first event of a call, so that a trace tells all that the flow could read; and they leave with the
step that has put something into one, as an order to be saved with that very step. In between they are variables of the
call like all others: of a prompt that was not heard, they are taken back (C14.3), and that is ordered as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from msgspec import json
from msgspec.structs import replace

from ivr.engine.call import Memory
from ivr.engine.commands import Remember
from ivr.engine.events import CallPlaced, CallReceived
from ivr.engine.flow import Flow
from ivr.engine.values import MaskedValue, Stored, Value, unpack
from ivr.engine.variables import Misfit, fit

LONGEST: Final = 4_096
"Bytes of a value as JSON: what is longer is kept in the call, and not beyond it."


class UserValues:
    """The variables of the caller while one step changes them."""

    __slots__ = ("_before", "_flow", "_written")

    def __init__(self, flow: Flow, before: Memory) -> None:
        """Take what the call remembers before the step."""
        self._flow = flow
        self._before = before
        self._written: set[str] = set()

    def recalled(self, event: CallReceived | CallPlaced, memory: Memory) -> Memory:
        """Return a memory with what is kept of the caller: that is how the call begins, and nothing was changed."""
        values = _recalled(self._flow, event)
        self._before = memory.keeping(values, self._flow.is_private) if values else memory
        return self._before

    def written(self, values: Mapping[str, Value], memory: Memory) -> Memory:
        """Note which of these values are of the caller; return the memory in which none of them is `none`."""
        names = self._flow.remembered.intersection(values)
        self._written |= names
        erased = {name for name in names if values[name] is None}
        return memory.lacking(erased) if erased else memory

    def changes(self, memory: Memory) -> tuple[Remember | None, Sequence[str]]:
        """Return what is to be kept once a step is done, if anything is; and which values are too long for that."""
        before, private = self._before, self._flow.is_private
        names = {*self._written, *_of_user(self._flow, before), *_of_user(self._flow, memory)}
        changed = [name for name in sorted(names) if name in self._written or _of(name, before) != _of(name, memory)]
        found = {name: _of(name, memory) for name in changed}
        too_long = [name for name, value in found.items() if len(json.encode(value)) > LONGEST]
        kept = {name: value for name, value in found.items() if name not in too_long}
        if not kept:
            return None, too_long
        order = Remember(
            {name: value for name, value in kept.items() if not private(name)},
            {name: value for name, value in kept.items() if private(name)},
        )
        return order, too_long


E = TypeVar("E", CallReceived, CallPlaced)


def shown(flow: Flow, event: E, given: Sequence[str] = ()) -> E | None:
    """Return the first event of a call as a trace may hold it; None: as it is. `given`: private parameters."""
    users: list[str] = [name for name, value in event.user.items() if flow.is_private(name) and value is not None]
    if not users and not given:
        return None
    user = {name: value for name, value in event.user.items() if name not in users}
    masked = replace(event, user=user, masked=(*given, *users))
    if isinstance(masked, CallPlaced):
        return replace(masked, values={name: value for name, value in masked.values.items() if name not in given})
    return masked


def _recalled(flow: Flow, event: CallReceived | CallPlaced) -> Mapping[str, Value]:
    """Return what is kept as values of today's types; one that does not fit any more is as if it were not there."""
    values: dict[str, Value] = {}
    for name, stored in event.user.items():
        if name in flow.remembered and stored is not None:
            try:
                values[name] = fit(unpack(stored), flow.variables[name])
            except Misfit:
                continue
    return values | {name: MaskedValue() for name in event.masked if name in flow.remembered}


def _of_user(flow: Flow, memory: Memory) -> Iterator[str]:
    for known in (memory.variables, memory.private):
        yield from known.keys() & flow.remembered


def _of(name: str, memory: Memory) -> Stored:
    return memory.variables.get(name, memory.private.get(name))
