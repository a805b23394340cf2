"""What one message leads to, where the order of things decides (ivr/advance.py)."""

from msgspec.structs import replace

from ivr.advance import Heard, advance
from ivr.call_record import CallRecord, Commit, Stepped
from ivr.engine.call import Facts, new_call
from ivr.engine.events import (
    CallReceived,
    Event,
    KeysPressed,
    LineReported,
    OperationDone,
    RecordingMade,
    ServiceAnswered,
    Transcribed,
)
from ivr.engine.flow import Flow
from ivr.engine.line_facts import LineFacts
from ivr.ports import Incoming
from tests.flows import flow_of
from tests.turn.simulator import KEY, Line

NOTE = flow_of("""
flow: note
initial: note
on: {exhausted: bye, error: bye}
variables: {note: {type: recording, sensitive: true, default: none}}
states:
  note:
    record: {prompt: speak, transcribe: true, sensitive: true, into: note}
    next: bye
    on: {error.transcribe: bye}
  bye: {say: goodbye, final: true}
""")
PIN = flow_of("""
flow: pin
initial: ask
on: {exhausted: bye, error: bye}
variables: {pin: {type: text, sensitive: true}}
states:
  ask: {digits: {prompt: pin, sensitive: true, into: pin}, next: [{guard: "pin == '1'", target: bye}, bye]}
  bye: {say: goodbye, final: true}
""")
LINE = Line()


class Pushing(Line):
    """The same line, if it could speak by itself."""

    can = replace(Line.can, push=True)


class Told:
    """One call, told one message after another."""

    def __init__(self, flow: Flow, line: Line = LINE) -> None:
        self.flow, self.line = flow, line
        self.record = CallRecord("0" * 32, KEY, new_call(flow.hash, Facts(id="0" * 32, channel="sim")))
        self.trace: list[Stepped] = []
        self.told(CallReceived("29:anna", "28:bot"))

    def told(self, *events: Event, wants_commands: bool = True, inbox: tuple[Event, ...] = ()) -> Commit:
        message = Incoming(KEY, f"m{self.record.version}", events, "commands" if wants_commands else "ack", starts=True)
        return self._keep(Heard(message, self.line.hear(self.record.leg, message, now=1000.0)), inbox=inbox)

    def owed(self) -> Commit:
        """Write the reply that the last message waits for."""
        waiting = next(name for name, reply in self.record.replies.items() if reply is None)
        return self._keep(answers=waiting)

    def _keep(self, heard: Heard | None = None, *, inbox: tuple[Event, ...] = (), answers: str | None = None) -> Commit:
        commit = advance(
            self.flow,
            self.line,
            self.record,
            now=1000.0,
            idle=60,
            grace=30,
            heard=heard,
            inbox=inbox,
            answers=answers,
        )
        self.record = commit.record
        self.trace += commit.trace
        return commit

    @property
    def op(self) -> str:
        return self.record.call.asked[-1].op


def held(line: Line = LINE) -> tuple[Told, ServiceAnswered]:
    """Stand where a caller holds for the words of a recording; with the answer that comes then."""
    call = Told(NOTE, line)
    call.told(RecordingMade(call.op, 2.5, "a.wma"))
    call.owed()
    assert call.record.call.waiting is not None
    return call, ServiceAnswered(call.record.call.waiting.job, Transcribed("words", 0.9))


def test_a_notification_takes_no_answer_away_from_the_message_that_can_be_told_of_it() -> None:
    call, answer = held()
    notified = call.told(wants_commands=False, inbox=(answer,))
    assert ([step.event for step in notified.trace], notified.taken) == ([LineReported()], ())
    assert list(call.record.replies.values())[-1] == LINE.nothing("commands")
    told = call.told(OperationDone(call.op), inbox=(answer,))
    assert told.record.last is not None
    assert b"goodbye" in told.record.last.body


def test_a_line_that_speaks_by_itself_is_told_at_once() -> None:
    call, answer = held(Pushing())
    assert call.told(wants_commands=False, inbox=(answer,)).taken == (answer.job,)


def test_c12_what_was_keyed_when_nobody_listened_any_more_is_not_kept() -> None:
    call = Told(PIN)
    op = call.op
    call.told(KeysPressed(op, "4711"))
    call.told(KeysPressed(op, "4712"))
    assert (call.trace[-1].event, call.trace[-1].ignored) == (KeysPressed(op, ""), "not the operation awaited")


def test_c12_words_that_come_too_late_are_not_kept() -> None:
    call, answer = held()
    call.told(OperationDone(call.op), inbox=(answer,))
    call.told(OperationDone(call.op), inbox=(answer,))
    last = call.trace[-1]
    assert (last.event, last.ignored) == (ServiceAnswered(answer.job, Transcribed()), "the call is over")


def test_what_the_line_tells_of_itself_is_kept_with_the_call_and_moves_nothing() -> None:
    call = Told(PIN)
    before = call.record.call
    call.told(LineReported(LineFacts(kind="sip", codec="PCMA")), wants_commands=False)
    call.told(LineReported(LineFacts(codec="PCMU")), wants_commands=False)
    assert call.record.call == before
    assert call.record.line == LineFacts(kind="sip", codec="PCMU")
    assert call.trace[-1].event == LineReported(LineFacts(codec="PCMU"))
    assert call.trace[-1].ignored == "a report that moves no call"


def test_a_line_that_tells_nothing_has_no_facts() -> None:
    call = Told(PIN)
    call.told(wants_commands=False)
    assert call.record.line is None
