"""A scripted caller: drives a flow through the machine alone, as a person on the phone would.

No line, no server, no loop: `Caller(flow).hears("…").presses("1")`. Prompts are played to their end unless the caller
leaves; what was heard since the last answer is compared as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ivr.engine.call import Call, Facts, Step, new_call
from ivr.engine.commands import (
    Answer,
    Audio,
    Command,
    HangUp,
    Play,
    Recognize,
    Record,
    Reject,
    Request,
    Spoken,
    Text,
    as_spoken,
)
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    HoldNeeded,
    HttpAnswered,
    InputInvalid,
    InputTimedOut,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    ServiceAnswered,
    ServiceFailed,
    SignInBegun,
    SignInChecked,
    SignInResult,
    SignInWay,
    SpeechHeard,
    TimePassed,
    Transcribed,
    Transferred,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.engine.values import Value, unpack

STARTED = 1_795_168_800.0
"Friday, 20 November 2026, 10:00 UTC."


class Caller:
    """One call through one flow."""

    def __init__(
        self,
        flow: Flow,
        *,
        caller: str | None = "29:anna",
        language: str | None = None,
        now: float = STARTED,
        transfers: bool = False,
        channel: str = "test",
        closed: Mapping[str, str] | None = None,
        first: Event | None = None,
    ) -> None:
        self.flow = flow
        self.now = now
        self.call: Call = new_call(flow.hash, Facts(id="0" * 32, channel=channel))
        self.last: Step = Step(self.call)
        self.steps: list[tuple[Event, float, Step]] = []
        self.commands: tuple[Command, ...] = ()
        self.apply(first or CallReceived(caller, "28:bot", language, closed=closed or {}, transfers=transfers))

    # --- what happens ---

    def apply(self, event: Event) -> Caller:
        """Let anything at all happen."""
        self.now += 1
        self.last = step(self.flow, self.call, event, now=self.now)
        self.steps.append((event, self.now, self.last))
        self.call = self.last.call
        if self.last.ignored is None:
            self.commands = self.last.commands
        return self

    def presses(self, keys: str, ended: Literal["terminator", "silence", "count"] = "count") -> Caller:
        return self.apply(KeysPressed(self.op, keys, ended))

    def chooses(self, name: str) -> Caller:
        return self.apply(ChoiceMade(self.op, name, "keys"))

    def says(self, words: str) -> Caller:
        return self.apply(SpeechHeard(self.op, words))

    def keeps_silent(self) -> Caller:
        return self.apply(InputTimedOut(self.op))

    def answers_wrong(self) -> Caller:
        return self.apply(InputInvalid(self.op))

    def speaks(self, seconds: float = 2.5, *, media: str = "a.wma", hangs_up: bool = False) -> Caller:
        return self.apply(RecordingMade(self.op, seconds, media, "hangup" if hangs_up else "terminator"))

    def hangs_up(self, during: str | None = None) -> Caller:
        return self.apply(CallEnded("caller", during or self.op))

    def listens(self) -> Caller:
        """Let the last thing that is played, or the answer, or the end of the call come to its end."""
        return self.apply(OperationDone(self.op))

    def is_connected(self) -> Caller:
        return self.apply(Transferred(self.op))

    def fails(self, op: str | None = None, code: Literal["system", "workflow"] = "system") -> Caller:
        return self.apply(OperationFailed(op, code))

    def refused(self) -> Caller:
        """Let the line refuse the whole reply: nothing of it was done."""
        return self.apply(OperationFailed(None, "workflow", whole=True))

    def understood(self, text: str | None, confidence: float | None = 0.9) -> Caller:
        return self.apply(ServiceAnswered(self.job, Transcribed(text, confidence)))

    def not_understood(self, code: str = "failed") -> Caller:
        return self.apply(ServiceFailed(self.job, code))

    def responded(self, status: int = 200, body: object = None, *, readable: bool = True) -> Caller:
        return self.apply(HttpAnswered(self.job, status, body, readable))

    def may_sign_in(self, by: SignInWay = "code") -> Caller:
        """Let the sign-in begin, with ways in that nothing else is called."""
        if by == "device":
            return self.apply(SignInBegun(self.job, by, "attempt-1", "login.example/device", code="QRST5678"))
        begun = SignInBegun(self.job, by, "attempt-1", "ivr.example/s", "019450730", "https://ivr.example/s/one-time")
        return self.apply(begun)

    def sign_in_is(self, result: SignInResult) -> Caller:
        return self.apply(SignInChecked(self.job, result))

    def holds(self) -> Caller:
        return self.apply(HoldNeeded())

    def waits(self, seconds: float) -> Caller:
        self.now += seconds
        return self.apply(TimePassed())

    # --- what is seen ---

    @property
    def op(self) -> str:
        """The operation whose outcome is awaited."""
        return self.call.asked[-1].op if self.call.asked else "0.0"

    @property
    def job(self) -> str:
        assert self.call.waiting is not None, "no service is waited for"
        return self.call.waiting.job

    @property
    def heard(self) -> str:
        """All that is spoken by the last actions, in one line; silence and files by name."""
        return " ".join(filter(None, (_spoken(action) for action in self.commands)))

    @property
    def kinds(self) -> list[str]:
        return [type(action).__name__ for action in self.commands]

    @property
    def request(self) -> Request:
        return next(action for action in self.commands if isinstance(action, Request))

    def asked(self, kind: type[Recognize] | type[Record]) -> Command:
        assert isinstance(self.commands[-1], kind)
        return self.commands[-1]

    def variable(self, name: str) -> Value:
        memory = self.call.memory
        return unpack((memory.private if name in memory.private else memory.variables)[name])

    # --- what is promised ---

    def hears(self, text: str) -> Caller:
        assert self.heard == text
        return self

    def orders(self, *kinds: type[Command]) -> Caller:
        assert self.kinds == [kind.__name__ for kind in kinds]
        return self

    def stands_in(self, state: str) -> Caller:
        assert (self.call.state, self.call.phase != "over") == (state, True)
        return self

    def ended(self, outcome: str) -> Caller:
        assert (self.call.phase, self.call.outcome) == ("over", outcome)
        return self

    def ignored(self, why: str) -> Caller:
        assert self.last.ignored == why
        return self


def _spoken(action: Command) -> str:
    match action:
        case Play(prompt=prompt) | Recognize(prompt=prompt) | Record(prompt=prompt):
            return " ".join(_said(segment) for segment in as_spoken(prompt))
    return ""


def _said(segment: Spoken) -> str:
    match segment:
        case Text(value=value):
            return value
        case Audio(asset=asset, url=url, text=text):
            return text or url or f"({asset})"
    return f"({segment.milliseconds} ms)"


__all__ = ["STARTED", "Answer", "Caller", "HangUp", "Play", "Recognize", "Record", "Reject", "Request"]
