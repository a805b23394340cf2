"""One call of jambonz as plain data: hooks are answered with verbs, verbs are carried out, hooks are told.

No clock and no socket: `take` what the caller does, `answered` what a bot replies, play the `effects`, look again at
the `deadline`. How a call goes on is decided here; what a verb that takes time does, in a module of its own.

| the list of verbs | answered before | what follows |
|---|---|---|
| ends | yes | jambonz hangs up |
| ends | no | SIP 603, and no status hook at all |
| a hook answers with verbs | | they replace the rest of the list |
| a hook answers with nothing | | the rest of the list goes on |
| a hook fails: of `redirect` | | the list is given up |
| a hook fails: of any other verb | | the rest of the list goes on |
| the first hook fails | no | SIP 480, and no status hook at all |
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from ivr.carriers.jambonz.call_effects import HookKind, Post, Wanted
from ivr.carriers.jambonz.call_info import CallFacts, CallInfo, CallStatus
from ivr.carriers.jambonz.gather_run import Gathering
from ivr.carriers.jambonz.listen_run import Streaming
from ivr.carriers.jambonz.verb_runs import Dialling, Pausing, Referring, Saying
from ivr.carriers.jambonz.verbs import (
    Config,
    Decline,
    Dial,
    Gather,
    Hangup,
    Hook,
    Listen,
    Pause,
    Play,
    Redirect,
    Refer,
    Say,
    Tag,
    Verb,
)
from ivr.line import CallerLeft, Signal
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.phone_events import Ended, StateChanged, WorkflowRefused

LIMITS = PhoneLimits()


class HookFailed(Struct, frozen=True):
    """A hook that gave nothing that could be used."""

    reason: Literal["unreachable", "refused"]
    detail: str
    problems: tuple[str, ...] = ()
    "Of a document that breaks the rules."


AnyRunning: TypeAlias = Saying | Pausing | Gathering | Streaming | Dialling | Referring
HookAnswer: TypeAlias = tuple[Verb, ...] | HookFailed


class Application(Struct, frozen=True):
    """What an operator of jambonz sets for a bot."""

    call_hook: Hook
    status_hook: Hook | None = None


class CallMachine:
    """One call. `begin` it once, or `connected` one that the bot has ordered."""

    def __init__(self, facts: CallFacts, application: Application, limits: PhoneLimits = LIMITS) -> None:
        self.info = CallInfo(facts)
        self.effects: list[Wanted] = []
        self.ended: Ended | None = None
        self.running: AnyRunning | None = None
        self.awaits: Post | None = None
        "The hook whose answer the call waits for."
        self._application = application
        self._status_hook = application.status_hook
        self._verbs: deque[Verb] = deque()
        self._posts = 0
        self._ops = 0
        self._documents = 0
        self._answered_at: float | None = None
        self._began = 0.0
        self._limits = limits
        self._transferred = False

    # --- what happens ------------------------------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """Take a call that comes in: ask the bot what to do."""
        self._began = now
        self._ask("call", self._application.call_hook, self.info.told_first())

    def changes(self, status: CallStatus, sip_status: int) -> None:
        """Report how a call that the bot has ordered stands."""
        self.info.becomes(status, sip_status)
        self._tell_status()

    def connected(self, now: float) -> None:
        """Take that a call that the bot has ordered was answered."""
        self._began = now
        self._answer(now)
        self._ask("call", self._application.call_hook, self.info.told_first())

    def fails(self, status: CallStatus, sip_status: int) -> None:
        """Take that nobody answered a call that the bot has ordered."""
        self.changes(status, sip_status)
        self.ended = Ended("platform", status, f"SIP {sip_status}")

    def answered(self, post: Post, answer: HookAnswer, now: float) -> None:
        """Take a bot's answer to a hook."""
        if post is not self.awaits or self.ended is not None:
            return
        self.awaits = None
        if isinstance(answer, HookFailed):
            if answer.problems:
                self.effects.append(WorkflowRefused(answer.problems))
            self._hook_failed(post, answer, now)
            return
        self._documents += 1
        if post.kind == "call":
            if not answer and self._answered_at is None:
                self.ended = Ended("platform", "refused", "The first document has no verbs: SIP 480.")
                return
            if self.info.facts.direction == "inbound":
                self._tell_status()
        if answer:
            self._verbs = deque(answer)
        if self._documents > self._limits.workflows:
            detail = f"More than {self._limits.workflows} documents in one call."
            self._hang_up(now, Ended("platform", "workflows", detail))
            return
        self._next(now)

    def detected(self, hook: Hook, payload: Mapping[str, Any]) -> None:
        """Report who has answered, beside whatever the call does."""
        self._post("amd", hook, self.info.told() | dict(payload), awaited=False)

    def replaced(self, answer: HookAnswer, now: float) -> None:
        """Take verbs that answer `detected`: they take the place of what the call does."""
        if isinstance(answer, HookFailed) or not answer or self.ended is not None:
            return
        self._documents += 1
        self._verbs = deque(answer)
        self.awaits = None
        if self.running is not None:
            self.running.leave(now)
            self._take_effects()
            self.running = None
        self._next(now)

    def take(self, signal: Signal, now: float) -> None:
        """Take what the caller does, what a prompt comes to, or that the deadline is reached."""
        if self.ended is not None:
            return
        if isinstance(signal, CallerLeft):
            self._caller_left(now)
        elif now >= self._began + self._limits.call_length:
            detail = f"The call is longer than {self._limits.call_length:g} s."
            self._hang_up(now, Ended("platform", "length", detail))
        elif self.running is not None:
            self.running.take(signal, now)
            self._look(now)

    def stream_open(self, now: float) -> None:
        """Take that the WebSocket of a `listen` is connected."""
        if isinstance(self.running, Streaming):
            self.running.opened(now)
            self._look(now)

    def stream_over(self, now: float, why: str = "") -> None:
        """Take that the bot has closed it, or that it cannot be connected."""
        if isinstance(self.running, Streaming):
            self.running.over(now, why)
            self._look(now)

    @property
    def deadline(self) -> float:
        """When to `take` something at the latest."""
        ends = self._began + self._limits.call_length
        mine = self.running.deadline if self.running is not None else None
        return ends if mine is None else min(mine, ends)

    @property
    def streams(self) -> Listen | None:
        """The `listen` whose sound is to be sent."""
        running = self.running
        return running.verb if isinstance(running, Streaming) and running.is_open else None

    def taken(self) -> list[Wanted]:
        """Return what is to be done, once."""
        effects, self.effects = self.effects, []
        return effects

    # --- the list of verbs -------------------------------------------------------------------------------------------

    def _next(self, now: float) -> None:
        """Carry out verbs until one takes time, or asks."""
        while self.running is None and self.awaits is None and self.ended is None:
            if not self._verbs:
                self._at_the_end(now)
                return
            self._carry_out(self._verbs.popleft(), now)

    def _carry_out(self, verb: Verb, now: float) -> None:
        match verb:
            case Tag(data=data):
                self.info.customer_data = data
            case Config():
                pass
            case Redirect(action_hook=hook, status_hook=status_hook):
                self._status_hook = status_hook or self._status_hook
                self._ask("redirect", hook, self.info.told())
            case Hangup():
                if self._answered_at is not None:  # else its precondition is not met, and it is passed over
                    self._hang_up(now, Ended("bot", "hangup"))
            case Decline(status=status, reason=reason):
                if self._answered_at is None:
                    self.changes("failed", int(status))
                    self.ended = Ended("bot", "reject", f"SIP {int(status)} {reason or ''}".rstrip())
            case Refer() if self._answered_at is None:
                pass
            case _:
                self._start(verb, now)

    def _start(self, verb: Verb, now: float) -> None:
        """Begin a verb that takes time; all but a pause take the call first."""
        self._ops += 1
        op = str(self._ops)
        early = getattr(verb, "early_media", False) or (isinstance(verb, Dial) and verb.answer_on_bridge)
        if not isinstance(verb, Pause) and not early:
            self._answer(now)
        match verb:
            case Say() | Play():
                self.running = Saying(op, verb)
            case Pause():
                self.running = Pausing(op, verb)
            case Gather():
                self.running = Gathering(op, verb)
            case Listen():
                self.running = Streaming(op, verb, self.info.told_stream())
            case Dial():
                self.running = Dialling(op, verb)
            case Refer():
                self.running = Referring(op, verb)
            case _:  # `answer` has done what it is for
                return
        self.running.begin(now)
        self._look(now)

    def _look(self, now: float) -> None:
        """Take what the verb that runs has come to."""
        self._take_effects()
        if self.running is None or (done := self.running.done) is None:
            return
        verb, self.running = self.running, None
        if done.connected:
            self._transferred = True
            self._answer(now)
        named = {"verb_id": name} if (name := getattr(verb.verb, "id", None)) else {}
        if done.leaves:
            self._bridge_away(done.hook, dict(done.results) | named, now)
        elif done.hook is not None:
            self._ask("action", done.hook, self.info.told() | dict(done.results) | named)
        else:
            self._next(now)

    def _take_effects(self) -> None:
        if self.running is not None:
            effects, self.running.effects = self.running.effects, []
            self.effects += effects

    # --- hooks -------------------------------------------------------------------------------------------------------

    def _ask(self, kind: HookKind, hook: Hook, payload: Mapping[str, Any]) -> None:
        self.awaits = self._post(kind, hook, payload, awaited=True)

    def _post(self, kind: HookKind, hook: Hook, payload: Mapping[str, Any], *, awaited: bool) -> Post:
        self._posts += 1
        post = Post(self._posts, kind, hook, payload, awaited)
        self.effects.append(post)
        return post

    def _tell_status(self) -> None:
        if self._status_hook is not None:
            self._post("status", self._status_hook, self.info.told(), awaited=False)

    def _hook_failed(self, post: Post, failed: HookFailed, now: float) -> None:
        if post.kind == "call" and self._answered_at is None:
            self.ended = Ended("platform", failed.reason, f"{failed.detail} The caller gets SIP 480.")
        elif post.kind in ("call", "redirect"):
            self._hang_up(now, Ended("platform", failed.reason, failed.detail))
        else:
            self._next(now)

    # --- how a call begins and ends ----------------------------------------------------------------------------------

    def _answer(self, now: float) -> None:
        if self._answered_at is None:
            self._answered_at = now
            self.info.becomes("in-progress", 200)
            self.effects.append(StateChanged("established"))
            self._tell_status()

    def _at_the_end(self, now: float) -> None:
        if self._answered_at is None:
            self.ended = Ended("bot", "reject", "The verbs are at an end, and none has taken the call: SIP 603.")
        elif self._transferred:
            self._hang_up(now, Ended("bot", "transfer"))
        else:
            self._hang_up(now, Ended("bot", "hangup", "The verbs are at an end."))

    def _hang_up(self, now: float, ended: Ended) -> None:
        """End the call for jambonz; before it was answered nobody is told (the caller gets SIP 603)."""
        self._drop_running(now)
        if self._answered_at is not None:
            self._complete("jambonz", now)
        self.ended = ended

    def _caller_left(self, now: float) -> None:
        answered = self._answered_at is not None
        if answered:
            self._complete("caller", now)
        else:
            self.info.termination = "caller"
            self.changes("no-answer", 487)
        told = self._drop_running(now)
        self.ended = Ended("bot", "transfer") if self._transferred else Ended("caller", "left")
        if told is not None and told.hook is not None:
            self._post("action", told.hook, self.info.told() | dict(told.results), awaited=False)

    def _bridge_away(self, hook: Hook | None, results: Mapping[str, Any], now: float) -> None:
        """Take that the caller's side has called somebody else: the hook is told, then it hangs up."""
        if hook is not None:
            self._post("action", hook, self.info.told() | dict(results), awaited=False)
        self._complete("caller", now)
        self.ended = Ended("bot", "transfer")

    def _complete(self, by: Literal["caller", "jambonz"], now: float) -> None:
        self.info.termination = by
        self.info.duration = int(now - (now if self._answered_at is None else self._answered_at))
        self.changes("completed", 200)

    def _drop_running(self, now: float) -> Any:
        """Stop what is being done; return what its hook is told nevertheless."""
        if self.running is None:
            return None
        self.running.leave(now)
        self._take_effects()
        running, self.running = self.running, None
        return running.done


__all__ = ["Application", "CallMachine", "HookAnswer", "HookFailed"]
