"""A call while one step changes it: read and written freely, frozen once at the end.

This file knows how a reply is put together (ids, implied answers, merged prompts, who owns an operation: LANGUAGE C14);
where a call goes next is decided in `machine`.
"""

from collections.abc import Mapping
from hashlib import sha256

from msgspec.structs import replace

from ivr.engine.actions.base import Asks, Awaits, Confirms, Needs, Notifies
from ivr.engine.call import (
    KINDS,
    NOT_BEGUN,
    SIGNING_IN,
    UNCONFIRMED,
    Call,
    Failure,
    Judged,
    Operation,
    Taken,
    Waiting,
)
from ivr.engine.commands import (
    Answer,
    Command,
    HangUp,
    LineCommand,
    Play,
    Recognize,
    Reject,
    Request,
    Segment,
    Silence,
    Transfer,
)
from ivr.engine.events import CallPlaced, CallReceived, Event
from ivr.engine.flow import Flow, State
from ivr.engine.judge import Judge
from ivr.engine.language_choice import among
from ivr.engine.parameters import taken
from ivr.engine.pretend import ahead
from ivr.engine.scope import PART, Scope
from ivr.engine.user_memory import UserValues, shown
from ivr.engine.values import Value, pack
from ivr.engine.variables import Misfit, fit
from ivr.errors import ExpressionFailed


class Draft:
    """One step's working copy of a call."""

    __slots__ = (
        "_call",
        "_counted",
        "asked",
        "commands",
        "errors",
        "facts",
        "failures",
        "flow",
        "grace_until",
        "hangup_raised",
        "holds",
        "judge",
        "limited",
        "memory",
        "notified",
        "now",
        "outcome",
        "path",
        "phase",
        "progress",
        "silent",
        "state",
        "steps",
        "traced",
        "transferred",
        "user",
        "waiting",
        "wrong",
    )

    def __init__(self, flow: Flow, call: Call, now: float, judged: tuple[Judged, ...]) -> None:
        self.flow = flow
        self.now = now
        self.judge = Judge(judged, flow.secrets)
        self.facts = call.facts
        self.phase = call.phase
        self.state = call.state
        self.steps = call.steps + 1
        self.memory = call.memory
        self.silent, self.wrong = call.silent, call.wrong
        self.errors, self.holds = call.errors, call.holds
        self.hangup_raised, self.limited = call.hangup_raised, call.limited
        self.asked = call.asked
        self.waiting = call.waiting
        self.grace_until = call.grace_until
        self.outcome = call.outcome
        self.notified = call.notified
        self.transferred = call.transferred
        self.progress = call.progress
        self.commands: list[Command] = []
        self.path: list[Taken] = []
        self.failures: list[Failure] = []
        self.traced: Event | None = None
        self.user = UserValues(flow, call.memory)
        self._call = call
        self._counted = 0

    # --- what the machine reads ---

    @property
    def here(self) -> State:
        """The state the call stands in."""
        return self.flow.states[self.state]

    @property
    def gone(self) -> bool:
        """Whether nobody is on the line any more."""
        return self.phase == "gone"

    def scope(self, fields: Mapping[str, Value] | None = None, *, private: bool = False) -> Scope:
        """Return the names that expressions can read now; `private`: the fields hold what nobody may see."""
        now = self.now + self.facts.ahead
        here = self.here
        return Scope(
            self.flow.around(here),
            self.facts,
            self.memory,
            now,
            fields,
            judge=self.judge,
            private=private,
            prefix=here.prefix,
            progress=self.progress,
        )

    @property
    def failed_attempts(self) -> int:
        """How many attempts have failed in this state since it was entered (C6)."""
        return self.silent + self.wrong + self.progress.denied

    @property
    def left_as(self) -> str:
        """The outcome of a call whose caller is not on the line any more, where the flow says nothing (C13.4)."""
        return "transferred" if self.transferred else "abandoned"

    @property
    def records(self) -> bool:
        """Whether the outcome of a recording is awaited."""
        return bool(self.asked) and self.asked[-1].kind == "record"

    def operation(self, op: str | None) -> Operation | None:
        """Find an operation of the last reply."""
        return next((operation for operation in self.asked if operation.op == op), None)

    # --- what the call remembers ---

    @property
    def wished_outcome(self) -> str | None:
        """The fact `outcome`, if the flow has set it."""
        wished = self.memory.variables.get("outcome")
        return wished if isinstance(wished, str) and wished else None

    def know(self, event: CallReceived | CallPlaced) -> None:
        """Take down who calls whom, and give the variables their defaults."""
        self.facts = replace(
            self.facts,
            caller=event.caller,
            called=event.called,
            started=self.now,
            closed=event.closed,
            ahead=ahead(event.at, self.flow.zone, now=self.now) if event.at else 0.0,
        )
        if type(event) is CallReceived:
            known = replace(self.facts, language=event.language, transfers=event.transfers, identity=event.identity)
            self.facts, self.traced = replace(known, within=event.within), shown(self.flow, event)
        else:
            self.facts = replace(self.facts, placed=True)
        begin = ((name, one) for name, one in self.flow.variables.items() if one.has_default and one.keep is None)
        self._keep({name: variable.default for name, variable in begin if PART not in name})
        self.memory = self.user.recalled(event, self.memory)

    def give(self, event: CallPlaced) -> None:
        """Keep what a call of ours begins with, and what a trace may hold of it; raise Misfit."""
        values = taken(self.flow, event)
        self._keep(values)
        self.traced = shown(self.flow, event, [name for name in values if self.flow.is_private(name)])

    def store(self, values: Mapping[str, Value]) -> None:
        """Keep values that are known to fit the variables of the flow in which the call stands."""
        if values:
            self._keep({self.here.owned(name): value for name, value in values.items()})

    def begin(self, prefix: str) -> None:
        """Begin an invoked flow: what an earlier run of it has left is forgotten, and its defaults are kept (C10)."""
        self.memory = self.memory.without(prefix)
        self._keep(self.flow.parts[prefix].defaults)

    def _keep(self, values: Mapping[str, Value]) -> None:
        """Keep values by the names of their variables in the whole flow."""
        self.memory = self.memory.keeping(values, self.flow.is_private)
        if self.flow.remembered:
            self.memory = self.user.written(values, self.memory)

    def set(self, values: Mapping[str, Value], lines: Mapping[str, int]) -> None:
        """Keep values as their variables' types; raise ExpressionFailed for one that does not fit.

        `lines` says where in the flow's file each was made.
        """
        fitting: dict[str, Value] = {}
        for name, value in values.items():
            owned = self.here.owned(name)
            declared = self.flow.variables.get(owned)
            try:
                fitting[owned] = fit(value, declared) if declared else self._fact(name, value)
            except Misfit as misfit:
                raise ExpressionFailed(f"{name}: {misfit}", line=lines[name]) from misfit
        self._keep(fitting)

    def _fact(self, name: str, value: Value) -> Value:
        """Return a fact as it is kept: of a flow with several languages, `language` is one of them (C2)."""
        if name != "language" or not self.flow.languages:
            return value
        return among(str(value), self.flow.languages) or self.flow.language

    def confirm(self, confirms: Confirms) -> None:
        """Keep an answer apart until the caller has confirmed it."""
        self.memory = self.memory.keeping({UNCONFIRMED: confirms.answer}, lambda _: confirms.private)

    def settle(self) -> None:
        """Keep no answer apart any more."""
        self.memory = self.memory.settled()

    def visit(self, state: str) -> None:
        """Enter a state: it is counted, and its attempts start from zero (C6.1)."""
        self.memory = self.memory.settled().visited(state)
        self.state = state
        self.silent = self.wrong = 0
        self.progress = NOT_BEGUN

    def back_to(self, operation: Operation) -> None:
        """Stand again where the call stood when this operation was asked for (C14.3)."""
        if operation.state != self.state:
            self.silent = self.wrong = 0
            self.progress = NOT_BEGUN
            self.outcome = None
        self.state, self.memory = operation.state, operation.memory

    def fail(self, event: str, why: str, line: int = 0) -> None:
        """Take down an error, for whoever looks into the call."""
        here = self.here
        file = self.flow.file_of(here) if here.prefix else ""
        self.failures.append(Failure(self.state, event, why, line or here.line, file))

    # --- what the line and the services are told ---

    def speak(self, prompt: tuple[Segment, ...]) -> None:
        """Play a prompt; one that directly follows another becomes part of it, and the first keeps the outcome."""
        if not prompt or self.gone:
            return
        if self.commands and isinstance(last := self.commands[-1], Play):
            self.commands[-1] = Play(last.op, last.prompt + prompt)
            return
        self._answer()
        self._order(Play(self._op(), prompt))

    def ask(self, asks: Asks) -> None:
        """Ask the caller; the command has no id yet."""
        command = asks.command
        if asks.items or self.progress.items:
            self.progress = replace(self.progress, items={name: pack(item) for name, item in asks.items.items()})
        if asks.signing_in is not None:
            self.memory = self.memory.keeping({SIGNING_IN: asks.signing_in}, lambda _: True)
        self._answer()
        offered = tuple([choice.name for choice in command.choices]) if isinstance(command, Recognize) else ()
        self._order(replace(command, op=self._op()), offered)

    def transfer(self, command: Transfer) -> None:
        """Have the caller connected with somebody else; the command has no id yet."""
        self._answer()  # whoever is not answered can be sent elsewhere, too, but then no failure would come back
        self._order(replace(command, op=self._op()))

    def take(self) -> bool:
        """Answer the call, if nobody has; False: it is known to be answered, there is nothing to wait for."""
        self._answer()
        return self.phase == "answering"

    def need(self, needs: Needs) -> None:
        """Order a service, and wait for it."""
        self.speak(needs.says)
        request = Request(
            self._op(),
            needs.service,
            needs.arguments,
            needs.timeout,
            sensitive=needs.sensitive,
            private=needs.private,
        )
        self.commands.append(request)
        self.waiting = Waiting(request.job, request.service, self.now + request.timeout, present=needs.present)

    def wait(self, awaits: Awaits) -> None:
        """Wait for what is on its way already."""
        self.waiting = Waiting(awaits.job, awaits.service, self.now + awaits.timeout)

    def notify(self, notifies: Notifies) -> None:
        """Order notifications, each once for each time that its state was entered.

        The caller may leave before the last reply was heard, and the call goes back (C14.3): its flow can then come to
        the same state once more, for the first time as far as its author can see. What is told there is on its way,
        also where the clock has gone on.
        """
        for one in notifies.notifications:
            told = (self.state, self._entered(), one.way, one.to, *notifies.content, one.attach)
            name = sha256(repr(told).encode(errors="surrogatepass")).hexdigest()[:16]
            if name not in self.notified:
                self.notified = (*self.notified, name)
                facts = self.facts
                whole = replace(
                    one,
                    job=self._op(),
                    flow=self.flow.name,
                    caller=facts.caller,
                    called=facts.called,
                    started=facts.started,
                    placed=facts.placed,
                )
                self.commands.append(whole)

    def _entered(self) -> tuple[int, ...]:
        """Return which visit of the state this is; of an invoked flow, which begins anew, also of what invokes it."""
        state, found = self.here, [self.memory.visits[self.state]]
        while state.within:
            state = self.flow.states[state.within]
            found.append(self.memory.visits[state.name])
        return tuple(found)

    def hold(self, waiting: Waiting, prompt: tuple[Segment, ...]) -> None:
        """Keep the caller company while a service works; longer each time, since each round costs a workflow."""
        if waiting.holds or not prompt:
            prompt = (*prompt, Silence(1000 * 2 ** min(waiting.holds, 3)))
        self.asked = ()
        self.holds += 1
        self.waiting = replace(waiting, holds=waiting.holds + 1)
        self.speak(prompt)

    def remember(self) -> None:
        """Order that what this step has put into variables of the caller is kept; once, at its end."""
        if self.flow.remembered and self.phase != "over":
            order, too_long = self.user.changes(self.memory)
            self.commands += [order] if order is not None else []
            self.failures += [Failure(self.state, "error.limit", f"{name} is too long to be kept") for name in too_long]

    def end(self) -> None:
        """End the call: at once where nobody is on the line, by declining it if nobody answered, else by hanging up."""
        if self.gone:
            self.over()
        elif self.phase == "ringing":
            self._order(Reject(self._op()))
        else:
            self._order(HangUp(self._op()))

    def over(self) -> None:
        """Close the record; sensitive values are forgotten (C12)."""
        self.remember()
        self.phase = "over"
        self.memory = replace(self.memory, private={})
        self.asked = ()
        self.waiting = self.grace_until = None

    def frozen(self) -> Call:
        """Return the call as this step leaves it."""
        return Call(  # in the order of its fields: so many by name take three times as long
            self._call.flow, self.facts, self.phase, self.state, self.steps, self.memory, self.silent, self.wrong,
            self.errors, self.holds, self.hangup_raised, self.limited, self.asked, self.waiting, self.grace_until,
            self.outcome, self.notified, self.transferred, self.progress,
        )  # fmt: skip

    def _op(self) -> str:
        self._counted += 1
        return f"{self.steps}.{self._counted}"

    def _answer(self) -> None:
        if self.phase == "ringing":
            self.phase = "answering"
            self._order(Answer(self._op()))

    def _order(self, command: LineCommand, offered: tuple[str, ...] = ()) -> None:
        self.commands.append(command)
        self.asked = (*self.asked, Operation(command.op, KINDS[type(command)], self.state, self.memory, offered))
