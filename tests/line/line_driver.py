"""A line on a driver: a test turns its clock, and sees what it does."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.engine.commands import Choice, DigitInput, LineCommand, Recognize, Record, Text, Transfer
from ivr.line import Effect, Finished, KeyDown, KeyUp, Outcome, PromptEnded, Signal, Tick, apply, begin

PROMPT = (Text("Press 1 or say sales.", "male", "en-US"),)
SALES = Choice("sales", "1", ("sales", "buy something"))
HELP = Choice("help", "2")


def menu(*choices: Choice, barge_in: bool = True, prompt: tuple[Text, ...] = PROMPT, silence: float = 5.0) -> Recognize:
    return Recognize("menu", prompt, choices or (SALES, HELP), barge_in=barge_in, initial_silence=silence)


def digits(most: int = 4, ends: str = "#", pause: float = 2.0) -> Recognize:
    return Recognize("digits", PROMPT, digits=DigitInput(0, most, ends, pause), initial_silence=5.0)


def record(*, ends: str = "#", silence: float = 2.0, longest: float = 30.0, beep: bool = True) -> Record:
    return Record("record", PROMPT, longest, silence, ends, beep, initial_silence=5.0)


def transfer(target: str = "sip:sales@pbx.example") -> Transfer:
    return Transfer("transfer", target)


class LineDriver:
    """Runs one list."""

    def __init__(self, *actions: LineCommand, choice_pause: float = 1.0, typed: str = "") -> None:
        self.now = 100.0
        step = begin(actions, now=self.now, choice_pause=choice_pause, typed=typed)
        self.line = step.line
        self.effects: list[Effect] = list(step.effects)

    def apply(self, *signals: Signal, after: float = 0.0) -> LineDriver:
        self.now += after
        for signal in signals:
            step = apply(self.line, signal, now=self.now)
            self.line = step.line
            self.effects += step.effects
        return self

    def hear_out(self) -> LineDriver:
        return self.apply(PromptEnded(), after=3.0)

    def press(self, keys: str, after: float = 0.5) -> LineDriver:
        for key in keys:
            self.apply(KeyDown(key), after=after).apply(KeyUp(), after=0.1)
        return self

    def wait(self, seconds: float) -> LineDriver:
        return self.apply(Tick(), after=seconds)

    @property
    def outcome(self) -> Outcome:
        finished = self.effects[-1]
        assert isinstance(finished, Finished)
        return finished.outcome

    @property
    def over(self) -> bool:
        return self.line.over

    def names(self) -> Sequence[str]:
        return [type(effect).__name__ for effect in self.effects]
