"""A verb under way: what all have in common, and those that are short. No clock: time comes in with each signal."""

import math
from collections.abc import Sequence
from typing import Any, Generic, Literal, TypeVar

from ivr.carriers.jambonz.call_effects import VerbDone, Wanted
from ivr.carriers.jambonz.verb_prompts import played, said, times
from ivr.carriers.jambonz.verbs import Dial, Pause, Play, Refer, Say, Timed
from ivr.engine.commands import Segment, Transfer
from ivr.line import (
    Finished,
    Outcome,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    PromptStopped,
    Result,
    Signal,
    TransferFailed,
    Transferred,
    TransferStarted,
)

V = TypeVar("V", bound=Timed)

MOST_LOOPS = 1000
"Times that a prompt is heard, if nobody interrupts it."
CONVERSATION = 5.0
"Seconds that a caller talks to whom a `dial` has connected, unless one of them hangs up before."


class Running(Generic[V]):
    """One verb under way. What it wants done gathers in `effects`; `done` says what became of it."""

    def __init__(self, op: str, verb: V) -> None:
        self.op = op
        self.verb = verb
        self.effects: list[Wanted] = []
        self.done: VerbDone | None = None
        self.deadline: float | None = None
        "When it wants to be asked again although nothing happened, in seconds."

    def begin(self, now: float) -> None:
        """Start."""

    def take(self, signal: Signal, now: float) -> None:
        """Take what happens, or that the deadline is reached."""

    def leave(self, now: float) -> None:
        """End since the caller has gone; a hook that is still told is in `done`."""

    def finish(
        self,
        result: Result,
        hook: Any = None,
        results: dict[str, Any] | None = None,
        *,
        ok: bool = True,
        keys: str = "",
        words: str = "",
        seconds: float = 0.0,
        why: str = "",
        status: int = 0,
        leaves: Literal["", "hangup", "transfer"] = "",
        connected: bool = False,
    ) -> None:
        """Note what became of it."""
        outcome = Outcome(self.op, ok, result, None, keys, words, seconds, why, status)
        self.effects.append(Finished(outcome))
        self.deadline = None
        self.done = VerbDone(outcome, hook, results or {}, leaves, connected)


class Prompt:
    """A prompt that is heard once, several times, or until it is stopped."""

    def __init__(self, op: str, segments: Sequence[Segment], loop: float | str, *, interruptible: bool) -> None:
        self._start = PromptStarted(op, tuple(segments), interruptible)
        self._left = min(times(loop), MOST_LOOPS)
        self.plays = False

    def begin(self, effects: list[Wanted]) -> None:
        """Play it for the first time."""
        self.plays = True
        effects.append(self._start)

    def ended(self, effects: list[Wanted]) -> None:
        """Take the end of it, and play it again as long as it is to be."""
        self._left -= 1
        self.plays = self._left > 0
        if self.plays:
            effects.append(self._start)

    def stop(self, effects: list[Wanted]) -> bool:
        """Interrupt it; return whether it was heard."""
        was_heard, self.plays = self.plays, False
        if was_heard:
            effects.append(PromptStopped(self._start.op))
        return was_heard


class Saying(Running[Say | Play]):
    """`say`, or `play` by itself. A text that cannot be spoken is passed over in silence; a file is told of."""

    def __init__(self, op: str, verb: Say | Play) -> None:
        super().__init__(op, verb)
        segments = said(verb) if isinstance(verb, Say) else played(verb)
        self._prompt = Prompt(op, segments, verb.loop, interruptible=False)
        self._began = 0.0
        self._ends = math.inf

    def begin(self, now: float) -> None:
        """Play it; `timeoutSecs` ends it early."""
        self._began = now
        if isinstance(self.verb, Play) and _seconds(self.verb.timeout_secs) > 0:
            self.deadline = self._ends = now + _seconds(self.verb.timeout_secs)
        self._prompt.begin(self.effects)

    def take(self, signal: Signal, now: float) -> None:
        """Wait for its end."""
        hook = self.verb.action_hook if isinstance(self.verb, Play) else None
        match signal:
            case PromptFailed(why=why):
                self._prompt.plays = False
                failed = {"reason": "playFailed", "status": "fail"}
                self.finish("system", hook, failed, ok=isinstance(self.verb, Say), why=why)
                return
            case PromptEnded():
                self._prompt.ended(self.effects)
        if now >= self._ends:
            self._prompt.stop(self.effects)
        if not self._prompt.plays:
            seconds = now - self._began
            results: dict[str, Any] = {
                "reason": "playCompleted",
                "playback_seconds": int(seconds),
                "playback_milliseconds": round(1000 * seconds),
                "playback_last_offset_pos": str(round(8000 * seconds)),
            }
            self.finish("done", hook, results)

    def leave(self, now: float) -> None:
        """Nobody hears it any more."""
        self._prompt.stop(self.effects)


def _seconds(amount: float | str) -> float:
    try:
        return float(amount)
    except ValueError:
        return 0.0


class Pausing(Running[Pause]):
    """`pause`."""

    def begin(self, now: float) -> None:
        """Wait."""
        self.deadline = now + max(0.0, self.verb.length)

    def take(self, signal: Signal, now: float) -> None:
        """End in time, whatever the caller does."""
        if self.deadline is not None and now >= self.deadline:
            self.finish("done")


class Dialling(Running[Dial]):
    """`dial`: it rings at somebody else's; if they answer, the two talk, and the bot goes on when they have."""

    def __init__(self, op: str, verb: Dial) -> None:
        super().__init__(op, verb)
        self._connected = False

    def begin(self, now: float) -> None:
        """Let it ring."""
        self.effects.append(TransferStarted(self.op, Transfer(self.op, target_of(self.verb), self.verb.timeout)))

    def take(self, signal: Signal, now: float) -> None:
        """Take what became of it; and the end of the conversation."""
        match signal:
            case Transferred() if not self._connected:
                self._connected = True
                longest = self.verb.time_limit or math.inf
                self.deadline = now + min(longest, CONVERSATION)
            case TransferFailed(status=status, why=why) if not self._connected:
                self._report(*_not_answered(status), ok=False, why=why)
            case _ if self._connected and self.deadline is not None and now >= self.deadline:
                self._report("completed", 200, ok=True)

    def _report(self, call_status: str, status: int, *, ok: bool, why: str = "") -> None:
        results = {
            "dial_call_status": call_status,
            "dial_sip_status": status,
            "dial_call_sid": f"00000000-0000-4000-8000-{int(self.op):012d}",
        }
        told = 0 if ok else status
        connected = self._connected
        self.finish(
            "done" if ok else "system", self.verb.action_hook, results, ok=ok, why=why, status=told, connected=connected
        )


def _not_answered(status: int) -> tuple[str, int]:
    """Return the call status of a leg that failed, with its SIP status, as jambonz tells the two."""
    if status in (486, 600):
        return "busy", status
    if status in (0, 408, 480, 487):  # it rings until jambonz cancels it
        return "no-answer", 487
    return "failed", status


def target_of(verb: Dial) -> str:
    """Return the address of a dial's first target, as a URI."""
    first = verb.target[0]
    match first.type:
        case "sip":
            return first.sip_uri or ""
        case "user":
            return f"sip:{first.name or ''}"
    return f"tel:{first.number or ''}"


class Referring(Running[Refer]):
    """`sip:refer`: the caller's side is told to call somebody else, and says what comes of it."""

    def begin(self, now: float) -> None:
        """Send the REFER."""
        to = self.verb.refer_to
        target = to if to.startswith(("sip:", "sips:", "tel:", "<", '"')) else f"tel:{to}"
        self.effects.append(TransferStarted(self.op, Transfer(self.op, target)))

    def take(self, signal: Signal, now: float) -> None:
        """Take what the caller's side tells."""
        match signal:
            case Transferred():
                results = {"refer_status": 202, "final_referred_call_status": 200}
                self.finish("done", self.verb.action_hook, results, leaves="transfer", connected=True)
            case TransferFailed(status=status, why=why):
                results = {"refer_status": 202, "final_referred_call_status": status or 480}
                self.finish("system", self.verb.action_hook, results, ok=False, why=why, status=status or 480)
