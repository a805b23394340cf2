"""One recorded call through a flow of today, one caller action after the other.

What the caller and the services did comes from the case and is bound to what the flow asks at that point. The pacing is
made here: prompts succeed, holds do not happen, times are those of the recorded call.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ivr.engine.call import Call, Facts, Judged, Step, Taken, new_call
from ivr.engine.commands import FETCH, Command, Recognize, Request
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    ChoiceMade,
    Event,
    HoldNeeded,
    HttpAnswered,
    KeysJudged,
    OperationDone,
    OperationFailed,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    ServicesEvent,
    SignInBegun,
    SignInChecked,
    TimePassed,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.engine.web_orders import HTTP
from ivr.errors import MaskedRead
from ivr.trace import case
from ivr.trace.case import AskedChoices, Case, CaseLine
from ivr.trace.experience import Effect, FlowVoice, offer, ordered_of
from ivr.trace.private import private_rules
from ivr.trace.recorded import LineDraft
from ivr.trace.verdict import Unknown

UNTIMED = {"answer", "play", "hangup", "reject"}
"What the line does without the caller."
BREAKS = case.HungUp | case.LineFailed
"What can happen before the line is done."


class Rerun:
    """The call of today."""

    def __init__(self, recorded: Case, flow: Flow, voice: FlowVoice) -> None:
        self.flow = flow
        self.voice = voice
        self.call: Call = new_call(flow.hash, Facts(id=recorded.header.call, channel=recorded.header.channel))
        self.path: list[Taken] = []
        self.lines: list[LineDraft] = []
        "Everything so far, as a case has it."
        self._case = recorded
        private = recorded.header.private
        self._private_stands = private is None or private == private_rules(flow)
        "Private values come about as they did, and are judged as they were."
        self._not_asked: set[str] = set()
        "Variables of the caller that were not in the flow of that day."
        self._at = 0.0
        self._first = 0
        "The line of what the caller did last."
        self._last: Recognize | None = None
        self._request: Request | None = None
        self._asked_so_far: defaultdict[str, int] = defaultdict(int)
        self._answers: defaultdict[str, list[int]] = defaultdict(list)
        "The lines that hold what a service said, in order."
        self._then: list[float] = []
        self._judged: list[Judged] = []
        self._recordings = 0
        for number, line in enumerate(recorded.lines):
            if isinstance(line.event, case.ByService):
                self._answers[line.event.service].append(number)

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.call.phase == "over"

    @property
    def state(self) -> str:
        """Where the call stands: the last state that was entered."""
        return standing(self.path)

    @property
    def effects(self) -> list[Effect]:
        """What came of what the caller did last."""
        lines = self.lines[self._first :]
        held = [Effect(held=line.held) for line in lines if line.held]
        return [*(effect for line in lines for effect in line.effects), *held]

    @property
    def steps(self) -> list[Taken]:
        """The transitions since then."""
        return [taken for line in self.lines[self._first :] for taken in line.path]

    def caller_step(self, line: CaseLine, asked: case.Asked | None, upcoming: int | None) -> None:
        """Let the caller do what was done, after the recorded question `asked`, and go on until the caller is due.

        `upcoming` is the line of what the caller did next, None at the end. Raises Unknown.
        """
        self._first = len(self.lines)
        if not self._has_no_place(line.event):
            self._feed(self._bound(line.event, asked), line)
        self._go_on(upcoming)

    @property
    def _media(self) -> str:
        """What the last recording is called here."""
        return f"recording {self._recordings}"

    # --- binding what the caller did ---

    def _has_no_place(self, event: case.Happened) -> bool:
        """Return whether it is about a hold, and nobody is kept waiting today: what did not happen cannot fail."""
        return isinstance(event, case.LineFailed) and event.during == "hold" and self.call.waiting is None

    def _bound(self, event: case.Happened, asked: case.Asked | None) -> Event:
        op = self.call.asked[-1].op if self.call.asked else ""
        match event:
            case CallReceived() | CallPlaced():
                return self._begun(event)
            case CallAnswered() | CallNotAnswered():
                return event
            case case.HungUp():
                by = "caller" if event.by == "flow" else event.by  # it is the line that told of it
                return CallEnded(by, self._running(event.during), grace=0.0)
            case case.LineFailed():
                return self._failure(event)
            case case.Recorded():
                self._recordings += 1
                return RecordingMade(op, event.seconds, self._media if event.kept else None, event.ended)
            case (
                case.Answered()
                | case.Responded()
                | case.SignInOpened()
                | case.SignInJudged()
                | case.Arrived()
                | case.Failed()
            ):
                raise Unknown("this is not something that a caller did", self.state)
            case KeysJudged() if not self._private_stands:
                raise Unknown("the rules for a private answer were changed", self.state)
            case ChoiceMade():
                return replace(event, op=op, choice=self._choice(event, asked))
        return replace(event, op=op)

    def _begun(self, event: CallReceived | CallPlaced) -> Event:
        """Return how the call began; what the flow of that day did not ask of the caller's variables is not known."""
        party = event.caller if isinstance(event, CallReceived) else event.called
        known = {*event.user, *event.masked}
        self._not_asked = {name for name in self.flow.remembered if party and name not in known}
        return replace(event, masked=(*event.masked, *sorted(self._not_asked))) if self._not_asked else event

    def _choice(self, event: ChoiceMade, asked: case.Asked | None) -> str:
        """Find the choice that the same key or words make today."""
        name = event.choice
        offered = self._last.choices if self._last else ()
        chosen = next((c for c in asked.choices if c.name == name), None) if isinstance(asked, AskedChoices) else None
        if chosen is None:  # a name that was never offered
            if any(choice.name == name for choice in offered):
                raise Unknown(f'"{name}" was not a choice then, but is one now', self.state)
            return name
        if chosen in offered:
            return name
        same = next((choice for choice in offered if offer(choice) == offer(chosen)), None)
        if same is None and event.by == "keys":  # another wording for speech does not matter to a key
            same = next((choice for choice in offered if choice.key == chosen.key), None)
        if same is None:
            raise Unknown(f'the choice "{name}" is no longer offered', self.state)
        return same.name

    def _running(self, during: case.Running | None) -> str | None:
        """Find the operation during which the caller left."""
        if during is None or (during == "hold" and self.call.waiting):
            return None
        if during == "hold":  # nobody is kept waiting today: gone before anything else was heard
            return self.call.asked[0].op if self.call.asked else None
        found = next((asked.op for asked in self.call.asked if asked.kind == during), None)
        if found is None and self.call.waiting is None:
            raise Unknown(f"the caller hung up during {_DURING[during]}, which no longer takes place", self.state)
        return found

    def _failure(self, event: case.LineFailed) -> OperationFailed:
        if event.during == "hold":
            self._step(HoldNeeded(), self._at)
            return OperationFailed(None, event.code, event.reason, event.whole)
        op = next((asked.op for asked in self.call.asked if asked.kind == event.during), None)
        if op is None and event.during is not None and not event.whole:
            raise Unknown(f"the line failed during {_DURING[event.during]}, which no longer takes place", self.state)
        return OperationFailed(None if event.whole else op, event.code, event.reason, event.whole)

    # --- going on until the caller is due ---

    def _go_on(self, upcoming: int | None) -> None:
        while not self.over:
            if self.call.waiting is not None:
                if not self._serve(upcoming):
                    return
            elif self.call.grace_until is not None:
                if not self._give_up(upcoming):
                    return
            elif not self._is_done(upcoming):
                return

    def _serve(self, upcoming: int | None) -> bool:
        """Let the service say what it said then; False: the caller did something before."""
        waiting = self.call.waiting
        if waiting is None:
            raise Unknown("the call does not wait for a service", self.state)
        service = waiting.service
        breaks = upcoming is not None and isinstance(self._case.lines[upcoming].event, BREAKS)
        answers = self._answers[service]
        number = self._asked_so_far[service]
        answer = answers[number] if number < len(answers) else None
        if breaks and upcoming is not None and (answer is None or answer > upcoming):
            self._play_out(more=False)
            return False
        if answer is None:
            if upcoming is None and self._case.header.outcome is None:
                return False  # the recorded call was waiting too when it was looked at
            raise Unknown(f'this call has no recorded answer of the service "{service}" to this request', self.state)
        self._play_out(more=False)
        line = self._case.lines[answer]
        if service != FETCH:  # which nothing of the flow orders
            self._check(service, number, line)
        self._asked_so_far[service] += 1
        self._feed(self._said(line.event, waiting.job), line)
        return True

    def _ordered(self, service: str, number: int) -> tuple[case.Ordered, float]:
        """Find what the service was asked then, and when."""
        found = [(order, line.at) for line in self._case.lines for order in line.ordered if order.service == service]
        if number >= len(found):
            raise Unknown(f'the case does not say what the service "{service}" was asked', self.state)
        return found[number]

    def _check(self, service: str, number: int, line: CaseLine) -> None:
        """Raise Unknown where the service might say something else today."""
        request = self._request
        if request is None:
            raise Unknown("the call does not wait for a service", self.state)
        ordered, asked_at = self._ordered(service, number)
        today = ordered_of(request)
        if today.arguments != ordered.arguments:
            said = f'the service "{request.service}" gets another request now'
            if request.service == HTTP:
                names = dict.fromkeys((*ordered.arguments, *today.arguments))
                other = [name for name in names if today.arguments.get(name) != ordered.arguments.get(name)]
                said += f": {', '.join(other)}"
            raise Unknown(said, self.state)
        if request.private and not self._private_stands:
            raise Unknown(f'the service "{request.service}" may get another private request now', self.state)
        timed_out = isinstance(line.event, case.Failed) and line.event.code == "timeout"
        shorter = today.timeout < ordered.timeout
        if timed_out and today.timeout > ordered.timeout:
            raise Unknown(f'the service "{request.service}" has more time now, and might have answered', self.state)
        if not timed_out and shorter and line.at - asked_at > today.timeout:
            raise Unknown(f'the service "{request.service}" has less time now, and needed more', self.state)

    def _said(self, event: case.Happened, job: str) -> ServicesEvent:
        if isinstance(event, case.Answered):
            return ServiceAnswered(job, event.answer)
        if isinstance(event, case.Responded):
            return HttpAnswered(job, event.status, event.body, event.readable, event.masked)
        if isinstance(event, case.SignInOpened):
            return SignInBegun(job, event.by, masked=True)
        if isinstance(event, case.SignInJudged):
            return SignInChecked(job, event.result)
        if isinstance(event, case.Arrived):
            return RecordingReady(job, self._media, event.seconds)
        return ServiceFailed(job, event.code if isinstance(event, case.Failed) else "failed")

    def _give_up(self, upcoming: int | None) -> bool:
        """Let no recording come after the end of the call; False: one came, or the recorded call still waited."""
        if upcoming is not None or (self._case.header.outcome is None and not self._then):
            return False
        waited = self._then.pop(0) if self._then else None
        self._step(TimePassed(), self._at if waited is None else waited)
        if waited is not None:
            self.lines[-1].then.append(self._at)
        return True

    def _is_done(self, upcoming: int | None) -> bool:
        """Let the line come to the end of what it does without the caller; False: the caller is due."""
        if not self.call.asked or self.call.asked[-1].kind not in UNTIMED:
            return False
        line = self._case.lines[upcoming] if upcoming is not None else None
        early = isinstance(line.event, BREAKS) if line else self._case.header.outcome is None
        return self._play_out(more=not early)

    def _play_out(self, *, more: bool) -> bool:
        """Let the last operation end where it did then; `more`: in any case."""
        last = self.call.asked[-1] if self.call.asked else None
        if last is None or last.kind not in UNTIMED or not (self._then or more):
            return False
        self._step(OperationDone(last.op), self._then.pop(0) if self._then else self._at)
        self.lines[-1].then.append(self._at)
        return True

    # --- one step ---

    def _feed(self, event: Event, line: CaseLine) -> None:
        """Let something of the case happen."""
        self.lines.append(LineDraft(max(line.at, self._at), line.event))
        self._then = list(line.then)
        self._judged = list(line.judged) if self._private_stands else []
        self._step(event, line.at)
        if self.call.waiting is not None:
            self.lines[-1].paced = line.paced
            self._peek(line)
            self.call = replace(self.call, steps=self.call.steps + line.paced)

    def _peek(self, line: CaseLine) -> None:
        """See what would be heard while the service works, where the caller was kept waiting then; nothing moves."""
        if line.held is not None:
            now = self._case.now(line.held.at)
            held = step(self.flow, self.call, HoldNeeded(), now=now, judged=tuple(self._judged))
            self._forget(held)
            self.lines[-1].hold(line.held.at, held, self.voice)

    def _step(self, event: Event, at: float) -> None:
        self._at = max(at, self._at)
        try:
            taken = step(self.flow, self.call, event, now=self._case.now(self._at), judged=tuple(self._judged))
        except MaskedRead as unreadable:
            why = "it depends on a private value, and the rules for that value were changed"
            if self._not_asked:
                why = f"it may depend on what is kept of the caller, which is not known: {', '.join(self._not_asked)}"
            raise Unknown(why, self.state) from unreadable
        if taken.ignored is not None:
            raise Unknown(f"the flow ignores this: {taken.ignored}", self.state)
        self.call = taken.call
        self._note(taken, held=isinstance(event, HoldNeeded))

    def _forget(self, taken: Step) -> None:
        """Take away what guards have said by now."""
        for judged in taken.judged:
            known = next((one for one in self._judged if one.guard == judged.guard), None)
            if known is not None:
                self._judged.remove(known)

    def _note(self, taken: Step, *, held: bool) -> None:
        self._forget(taken)
        self.path += taken.path
        if not held:
            self.lines[-1].take(taken, self.voice)
        self._last = next((action for action in reversed(taken.commands) if isinstance(action, Recognize)), None)
        self._request = _waited_for(taken.commands) or self._request


def standing(path: Sequence[Taken]) -> str:
    """Return in which state a path ends."""
    return next((taken.target or taken.state for taken in reversed(path)), "")


def _waited_for(ordered: Sequence[Command]) -> Request | None:
    return next((action for action in reversed(ordered) if isinstance(action, Request)), None)


_DURING: Mapping[case.Running, str] = {
    "answer": "the answer",
    "play": "a prompt",
    "recognize": "a question",
    "record": "a recording",
    "transfer": "a transfer",
    "hangup": "the end of the call",
    "reject": "the rejection of the call",
    "hold": "a hold prompt",
}
