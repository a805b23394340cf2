"""From a trace to a case: what happened, in the order in which it counted, without what the line only needed itself.

Ignored events changed nothing and are left out. Holds and deadlines become what they were to the call: nothing, or a
service that failed.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import KINDS, Judged, Step, Taken
from ivr.engine.commands import FETCH, Command, Notify, Remember, Request
from ivr.engine.events import (
    CallEnded,
    CallPlaced,
    CallReceived,
    CallRinging,
    Event,
    HoldNeeded,
    HttpAnswered,
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
from ivr.trace import case
from ivr.trace.case import Case, CaseError, CaseLine, Happened, Header, Held, Running
from ivr.trace.experience import Effect, FlowVoice, effect_of, total
from ivr.trace.private import private_rules

_ENDINGS: frozenset[Running] = frozenset({"hangup", "reject"})


class LineDraft:
    """One line of a case while it is made."""

    def __init__(self, at: float, event: Happened) -> None:
        self.at = at
        self.event = event
        self.path: list[Taken] = []
        self.effects: list[Effect] = []
        self.then: list[float] = []
        self.paced = 0
        self.judged: list[Judged] = []
        self.held: Held | None = None

    def hold(self, at: float, step: Step | Stepped, voice: FlowVoice) -> None:
        """Keep what is heard while a service works."""
        self.held = Held(at, effect_of(step.commands, voice).heard)
        self.judged += step.judged

    def take(self, step: Step | Stepped, voice: FlowVoice) -> None:
        """Add what a step led to."""
        self.path += step.path
        self.judged += step.judged
        self.effects.append(effect_of(step.commands, voice))

    def line(self) -> CaseLine:
        """Return the line."""
        whole = total(self.effects)
        return CaseLine(
            self.at,
            self.event,
            tuple(self.path),
            whole.heard,
            whole.asked,
            whole.ordered,
            self.held,
            whole.end,
            tuple(self.then),
            self.paced,
            tuple(self.judged),
            whole.told,
            whole.kept,
        )


class _Reader:
    """Goes through a trace once."""

    def __init__(self, voice: FlowVoice) -> None:
        self.voice = voice
        self.lines: list[LineDraft] = []
        self._started = 0.0
        self._services: dict[str, str] = {}
        self._waits: str | None = None
        "The service."
        self._has_held = False
        self._running: dict[str, Running] = {}
        "The operations of the last reply."

    def read(self, step: Stepped) -> None:
        if step.ignored is not None or isinstance(step.event, CallRinging):
            return
        event = step.event
        if not self.lines:
            self._started = step.now
        if isinstance(event, OperationDone) or (isinstance(event, HoldNeeded) and not step.path):
            self._pace(step, event)
        elif isinstance(event, TimePassed) and self._waits is None:
            self._end_wait(step)
        else:
            draft = LineDraft(self._at(step), self._happened(event))
            self.lines.append(draft)
            draft.take(step, self.voice)
            if isinstance(event, ServicesEvent | TimePassed | HoldNeeded):
                self._waits = None
            if isinstance(event, RecordingMade) and event.media is None:
                self._wait(event.op, FETCH)
        if not isinstance(event, CallEnded) or step.path:  # else the recording that was cut off may still come
            self._note(step.commands, held=isinstance(event, HoldNeeded) and not step.path)

    def _pace(self, step: Stepped, event: OperationDone | HoldNeeded) -> None:
        draft = self.lines[-1]
        if isinstance(event, OperationDone) and self._running.get(event.op) != "hold":
            draft.then.append(self._at(step))
            draft.take(step, self.voice)
            return
        draft.paced += 1
        if isinstance(event, HoldNeeded) and not self._has_held:
            self._has_held = True  # each further one is the same with a longer pause
            draft.hold(self._at(step), step, self.voice)

    def _end_wait(self, step: Stepped) -> None:
        """Take down that no recording came after the end of the call: only now is it known what the end meant."""
        self.lines[-1].then.append(self._at(step))
        self.lines[-1].take(step, self.voice)

    def _note(self, ordered: Iterable[Command], *, held: bool) -> None:
        self._running = {}
        for action in ordered:
            if isinstance(action, Request):
                self._wait(action.job, action.service)
            elif not isinstance(action, Notify | Remember):
                self._running[action.op] = "hold" if held else KINDS[type(action)]

    def _wait(self, job: str, service: str) -> None:
        self._services[job] = service
        self._waits = service
        self._has_held = False

    def _at(self, step: Stepped) -> float:
        return (round(step.now * 1e6) - round(self._started * 1e6)) / 1e6

    def _happened(self, event: Event) -> Happened:
        match event:
            case CallReceived() | CallPlaced():
                return replace(event, at=None)  # the header has the time at which the flow believed it to be
            case RecordingMade():
                return case.Recorded(event.seconds, event.ended, event.media is not None)
            case CallEnded():
                return self._hung_up(event)
            case OperationFailed():
                return self._line_failed(event)
            case ServiceAnswered():
                return case.Answered(self._services.get(event.job, ""), event.answer)
            case HttpAnswered():
                service = self._services.get(event.job, "")
                return case.Responded(service, event.status, event.body, event.readable, event.masked)
        return self._service_did(event)

    def _service_did(self, event: Event) -> Happened:
        match event:
            case SignInBegun():
                return case.SignInOpened(event.by)
            case SignInChecked():
                return case.SignInJudged(event.result)
            case RecordingReady():
                return case.Arrived(event.seconds)
            case ServiceFailed():
                return case.Failed(self._services.get(event.job, ""), event.code)
        return self._caller_did(event)

    def _caller_did(self, event: Event) -> Happened:
        if isinstance(event, case.PickedUp):
            return event
        if isinstance(event, case.Answering):
            return replace(event, op="")
        # the deadline, or one hold too many
        return case.Failed(self._waits or "", "timeout")

    def _hung_up(self, event: CallEnded) -> case.HungUp:
        """Return who ended the call: where the flow had hung up, the line tells of nothing else."""
        during = self._running.get(event.op or "")
        ending = during in _ENDINGS or (event.op is None and not _ENDINGS.isdisjoint(self._running.values()))
        return case.HungUp("flow" if ending and event.by == "caller" else event.by, during)

    def _line_failed(self, event: OperationFailed) -> case.LineFailed:
        during = self._running.get(event.op) if event.op else next(reversed(self._running.values()), None)
        if during == "hold":
            self.lines[-1].paced -= 1  # the hold that failed is made again
        return case.LineFailed(event.code, during, event.reason, event.whole)


def case_of(record: CallRecord, trace: Iterable[Stepped], flow: Flow, lines: Mapping[str, int]) -> Case:
    """Make a case of a call; `flow` is the one that took it, `lines` tells where its states stand in its file.

    Raises CaseError for a trace that does not begin with the call.
    """
    voice = FlowVoice(flow.language, flow.voice)
    reader = _Reader(voice)
    started: float | None = None
    for step in trace:
        started = step.now if started is None else started
        if not reader.lines and (step.ignored is not None or not isinstance(step.event, case.Beginning)):
            raise CaseError(f"call {record.id}: its trace does not begin with the call")
        reader.read(step)
    if started is None:
        raise CaseError(f"call {record.id}: its trace is empty")
    call = record.call
    # A case happened when its flow believed it to: replayed on any other day, it hears the same time again.
    believed = started + call.facts.ahead
    header = header_of(flow, lines, call=record.id, channel=call.facts.channel, started=believed)
    outcome = call.outcome if call.phase == "over" else None
    return Case(replace(header, hash=call.flow, outcome=outcome), tuple(draft.line() for draft in reader.lines))


def header_of(flow: Flow, lines: Mapping[str, int], *, call: str, channel: str, started: float) -> Header:
    """Make the header of a call that is not over."""
    return Header(
        case=case.FORMAT,
        flow=flow.name,
        hash=flow.hash,
        call=call,
        channel=channel,
        started=case.moment(started),
        language=flow.language,
        voice=flow.voice,
        zone=flow.zone.key,
        outcome=None,
        states={name: lines.get(name, 0) for name in flow.states},
        asks=tuple(name for name, state in flow.states.items() if state.action.attempts),
        private=private_rules(flow),
    )
