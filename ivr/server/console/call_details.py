"""One call as its page shows it: the conversation, and the events of its trace, row by row. Pure.

The conversation is that of a case (`ivr.trace`), so the console, `ivr calls show` and a replay tell the same call.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Taken
from ivr.engine.commands import Request
from ivr.engine.events import (
    CallAnswered,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    RecordingMade,
    RecordingReady,
)
from ivr.engine.flow import Flow
from ivr.trace import case, sentences
from ivr.trace.case import Case
from ivr.trace.experience import FlowVoice
from ivr.trace.failures import flow_failures
from ivr.trace.recorded import case_of
from ivr.trace.sentences import caller_action, failure, spoken, told


class ConversationEntry(Struct, frozen=True):
    """One thing in a conversation."""

    at: float
    "Seconds since the call came in."
    who: Literal["flow", "caller", "note"]
    text: str
    recording: int | None = None
    "Which of the call's recordings can be played here, counted from 0."


class TraceRow(Struct, frozen=True):
    """One event of the trace, for the table of events."""

    at: float
    after: float
    "Seconds since the line before."
    event: str
    ignored: str | None
    path: tuple[Taken, ...]
    ordered: tuple[str, ...]
    "The names of what the engine ordered; never what stands in it."
    mistakes: tuple[str, ...] = ()
    "What went wrong in the flow, in words without a value."


class CallDetails(Struct, frozen=True):
    """A whole call."""

    talk: tuple[ConversationEntry, ...]
    path: tuple[Taken, ...]
    rows: tuple[TraceRow, ...]


def details_of(record: CallRecord, trace: Sequence[Stepped], flow: Flow) -> CallDetails:
    """Return what the page of a call shows; raise CaseError if its trace does not begin with the call coming in."""
    recorded = case_of(record, trace, flow, {})
    path = tuple(taken for line in recorded.lines for taken in line.path)
    wrong = [ConversationEntry(one.at, "note", one.text) for one in flow_failures(trace, flow.file)]
    talk = sorted([*_talk(recorded, flow, recordings(trace)), *wrong], key=lambda said: said.at)
    return CallDetails(tuple(talk), path, trace_rows(trace, flow.file))


def recordings(trace: Sequence[Stepped]) -> Sequence[str | None]:
    """Return the files of a call's recordings, in order; None: the audio never came."""
    counted = [step.event for step in trace if step.ignored is None]
    later = {event.op: event.media for event in counted if isinstance(event, RecordingReady)}
    return [event.media or later.get(event.op) for event in counted if isinstance(event, RecordingMade)]


def playable(trace: Sequence[Stepped], flow: Flow, number: int) -> str | None:
    """Return the file of the n-th recording; None: there is none, or nobody may hear it (LANGUAGE C12)."""
    state = ""
    file = next(iter(recordings(trace)[number:]), None)
    for step in trace:
        if step.ignored is None and isinstance(step.event, RecordingMade):
            if number == 0:
                return None if is_secret(flow, state) else file
            number -= 1
        state = state_after(state, step.path)
    return None


def is_secret(flow: Flow, state: str) -> bool:
    """Return whether what is said in a state is for nobody's ears; so it is where the state is not known."""
    known = flow.states.get(state)
    return known is None or known.action.private


def trace_rows(trace: Sequence[Stepped], file: str = "") -> tuple[TraceRow, ...]:
    """Return the lines of a trace. Of what was keyed or said they hold nothing: ignored events were never masked.

    `file` is how the flow's file is called, if that is known.
    """
    first = trace[0].now if trace else 0.0
    lines = []
    before = first
    for step in trace:
        ordered = tuple(
            f"{action.service} asked" if isinstance(action, Request) else type(action).__name__
            for action in step.commands
        )
        name = type(step.event).__name__
        wrong = tuple(failure(failed, file) for failed in step.failures)
        at, after = max(step.now - first, 0.0), max(step.now - before, 0.0)  # a clock may have been set back
        lines.append(TraceRow(at, after, name, step.ignored, step.path, ordered, wrong))
        before = step.now
    return tuple(lines)


def _talk(recorded: Case, flow: Flow, files: Sequence[str | None]) -> Iterator[ConversationEntry]:
    voice = FlowVoice.of_case(recorded.header)
    state, number = "", 0
    for line in recorded.lines:
        match line.event:
            case case.Recorded():
                secret = is_secret(flow, state)
                kept = not secret and number < len(files) and files[number] is not None
                text = "left a private recording" if secret else _caller_action(line.event)
                yield ConversationEntry(line.at, "caller", text, number if kept else None)
                number += 1
            case (
                CallReceived()
                | CallPlaced()
                | CallAnswered()
                | CallNotAnswered()
                | case.Answered()
                | case.Responded()
                | case.SignInOpened()
                | case.SignInJudged()
                | case.Arrived()
                | case.Failed()
                | case.LineFailed()
                | case.HungUp()
            ):
                yield ConversationEntry(line.at, "note", caller_action(line.event))
            case _:
                yield ConversationEntry(line.at, "caller", _caller_action(line.event))
        prompt = line.asked.prompt if line.asked else ()
        words = spoken(voice.full((*line.heard, *prompt))).strip()
        if words:
            yield ConversationEntry(line.at, "flow", words)
        for one in line.told:
            yield ConversationEntry(line.at, "note", told([one]))
        if line.kept:
            yield ConversationEntry(line.at, "note", sentences.kept(line.kept))
        if line.end:
            yield ConversationEntry(
                line.at, "note", "the flow hangs up" if line.end == "hangup" else "the flow rejects the call"
            )
        state = state_after(state, line.path)


def _caller_action(event: case.Happened) -> str:
    """Return what the caller did, in the caller's own place."""
    return caller_action(event).removeprefix("the caller ")


def state_after(state: str, path: Sequence[Taken]) -> str:
    """Return where a call stands after a step that took these transitions."""
    return next((taken.target for taken in reversed(path) if taken.target), state)
