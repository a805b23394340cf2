"""Who is on the line in a simulation: for what a flow wants, what a caller does, as the seed says."""

import random

from msgspec.structs import replace

from ivr.engine.commands import Answer, Command, HangUp, Play, Recognize, Record, Reject, Request
from ivr.engine.events import (
    CallEnded,
    ChoiceMade,
    Event,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
)


class Person:
    """A caller and the platform, who report how commands came out."""

    def __init__(self, chance: random.Random) -> None:
        self._random = chance

    def outcome(self, commands: list[Command]) -> tuple[Event, ...]:
        """Report one outcome for the commands: the first failure, or the last success."""
        for action in commands[:-1]:
            if self._random.random() < 0.04:
                return self._failure(action)
        last = commands[-1]
        match last:
            case Play() | Answer() | HangUp() | Reject():
                return self._failure(last) if self._random.random() < 0.04 else (OperationDone(last.op),)
            case Recognize() | Record():
                return self._answered(last)
        raise AssertionError(last)

    def _failure(self, action: Command) -> tuple[Event, ...]:
        assert not isinstance(action, Request)
        if self._random.random() < 0.7:
            return (CallEnded("caller", action.op),)
        whole = self._random.random() < 0.3
        return (OperationFailed(action.op, "workflow" if whole else "system", whole=whole),)

    def _answered(self, asked: Recognize | Record) -> tuple[Event, ...]:
        dice = self._random.random()
        if dice < 0.15:
            return (CallEnded("caller", asked.op),)
        if dice < 0.35:
            return (InputTimedOut(asked.op),)
        if isinstance(asked, Record):
            return (RecordingMade(asked.op, 2.5, "", "hangup" if dice < 0.6 else "terminator"),)
        if asked.choices:
            return (ChoiceMade(asked.op, self._random.choice(asked.choices).name, "keys"),)
        return (KeysPressed(asked.op, "".join(self._random.choices("0123456789", k=self._random.randrange(6)))),)


def with_media(event: Event, media: str | None) -> Event:
    return replace(event, media=media) if isinstance(event, RecordingMade) else event


def hung_up(said: tuple[Event, ...]) -> bool:
    return any(isinstance(event, RecordingMade) and event.ended == "hangup" for event in said)
