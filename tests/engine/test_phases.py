"""The tables of `ivr/engine/machine.py` are what the machine does.

From the first event on, every event is tried on every call that differs in what the machine looks at, through flows
with each action and each kind of error. So a cell of the table that is not there, or that never happens, is seen.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

import pytest

from ivr.engine import machine
from ivr.engine.call import Call, Facts, Phase, new_call
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    CallRinging,
    ChoiceMade,
    Event,
    HoldNeeded,
    HttpAnswered,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    LineReported,
    OperationDone,
    OperationFailed,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    ServiceFailed,
    SignInBegun,
    SignInChecked,
    SignInResult,
    SignInWay,
    SpeechHeard,
    TimePassed,
    Transcribed,
    TransferFailed,
    Transferred,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.engine.receiving import FAILURES_IN_A_ROW
from tests.flows import flow_of

PHASES: tuple[Phase, ...] = get_args(Phase)
EVENTS = [event.__name__ for event in get_args(Event)]
ENDS: tuple[Literal["silence", "hangup"], ...] = ("silence", "hangup")
FOREIGN = "9.9"

DESK = """
flow: desk
initial: greet
on: {exhausted: bye, error: bye}
variables: {code: {type: text, sensitive: true, default: none}}
states:
  greet: {answer: {}, next: main}
  main:
    menu: {prompt: main, choices: {code: {dtmf: "1", speech: code}, note: {dtmf: "2"}, leave: {dtmf: "3"}}}
    on: {code: code, note: note, leave: leave, hangup: bye}
  code: {digits: {prompt: code, sensitive: true, into: code}, next: main}
  note:
    record: {prompt: speak, transcribe: true, holdPrompt: wait, into: note}
    next: main
    on: {error.transcribe: main}
  leave: {hangup: {}}
  bye: {say: bye, final: true}
"""
NIGHT = """
flow: night
initial: start
on: {exhausted: bye, error: bye}
states:
  start: {decide: [{guard: "call.from == 'barred'", target: no}, note]}
  no: {reject: {}}
  note: {record: {prompt: speak, transcribe: true, into: note}, next: bye, on: {error.transcribe: bye}}
  bye: {say: bye, final: true}
"""
ASKING = """
flow: asking
initial: ask
on: {exhausted: bye, error: sorry, error.limit: bye}
variables: {code: {type: text, sensitive: true, default: none}}
states:
  ask: {menu: {prompt: q, choices: {code: {dtmf: "1", speech: code}}}, on: {code: code}}
  code: {digits: {prompt: code, sensitive: true, into: code}, next: bye}
  sorry: {digits: {prompt: sorry, sensitive: true, into: code}, next: ask}
  bye: {say: bye, final: true}
"""
KEYS_FIRST = """
flow: keys-first
initial: code
on:
  exhausted: bye
  error.system: bye
  error.workflow: bye
  error.expression: {set: {x: "{{ 1 / zero }}"}, target: bye}
variables: {zero: 0, x: {type: decimal, default: none}}
states:
  code: {digits: {prompt: code, sensitive: true}, next: [{guard: "1 / zero > 1", target: bye}, bye]}
  bye: {say: bye, final: true}
"""
RECEPTION = """
flow: reception
initial: connect
on: {exhausted: bye, error: bye}
states:
  connect: {transfer: {to: "+431234567"}, next: after, on: {failed: main}}
  main: {menu: {prompt: main, choices: {again: {dtmf: "1"}}}, on: {again: connect}}
  after: {menu: {prompt: after, choices: {leave: {dtmf: "1"}}}, on: {leave: bye}}
  bye: {say: bye, final: true}
"""
LOOK_UP = """
flow: look-up
initial: look
on: {exhausted: bye, error: bye}
states:
  look:
    http: {url: "https://api.example.com/callers", returns: {barred: boolean}, into: caller, holdPrompt: wait}
    next: [{guard: caller.barred, target: no}, note]
    on: {error.http.status.404: note}
  no: {reject: {}}
  note: {record: {prompt: speak}, next: look_again}
  look_again: {http: {url: "https://api.example.com/notes", method: POST}, next: bye}
  bye: {say: bye, final: true}
"""
SIGN_IN = """
flow: sign-in
initial: login
on: {exhausted: bye, error: bye}
signIns: {calendar: {}}
states:
  login:
    signIn: {name: calendar, prompt: "{{ signIn.page }} {{ signIn.ticket }}", maxAttempts: 2}
    on: {signedIn: book, declined: bye, expired: bye, failed: bye}
  book: {http: {url: "https://api.example.com/events", auth: {signIn: calendar}}, next: bye}
  bye: {say: bye, final: true}
"""
VOICEMAIL = """
flow: voicemail
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, into: note}, next: bye}
  bye: {say: bye, final: true}
"""


@dataclass
class Explored:
    """What was seen of all flows together."""

    led: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    "By event and phase: the phases that it led to."
    tried: set[tuple[str, str]] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)


def shape(call: Call) -> tuple[object, ...]:
    """Return what the machine looks at; calls that agree in it go on alike."""
    asked = tuple((operation.kind, operation.state) for operation in call.asked)
    many = min(call.errors, FAILURES_IN_A_ROW + 1)  # hold prompts that fail count on, and nothing comes of it
    facts = call.facts
    rung = facts.rung is None or facts.answered is not None  # from the answer on, nobody asks
    counts = (call.silent, call.wrong, many, call.holds, call.hangup_raised, call.limited, facts.transfers, rung)
    waits = (call.waiting.service if call.waiting else None, call.grace_until is None)
    return call.phase, call.state, call.outcome, asked, waits, counts


def events_at(call: Call) -> Iterator[Event]:
    """Find everything that can happen to a call: what fits, what comes too late, what was never asked for."""
    yield from (CallReceived("29:anna", "28:bot"), CallReceived("barred", "28:bot"))
    yield CallReceived("29:anna", "28:bot", transfers=True)
    yield from (CallPlaced("+431", "+432"), CallPlaced(None, "+432"))
    yield from (CallRinging(), CallAnswered("human", transfers=True), CallAnswered(), CallNotAnswered("busy"))
    yield from (HoldNeeded(), TimePassed(), LineReported())
    for job in (FOREIGN, *([call.waiting.job] if call.waiting else [])):
        yield RecordingReady(job, "a.wma")
        yield from (ServiceAnswered(job, Transcribed("words")), ServiceFailed(job, "failed"))
        yield from (HttpAnswered(job, 200, {"barred": barred}) for barred in (True, False, "no"))
        yield HttpAnswered(job, 404)
        yield from (SignInBegun(job, by, "a", "example.com", "1", "https://", "B") for by in get_args(SignInWay))
        yield from (SignInChecked(job, result) for result in get_args(SignInResult))
    for op in (None, FOREIGN, *(operation.op for operation in call.asked)):
        yield from (CallEnded("caller", op), CallEnded("caller", op, grace=60.0))
        for whole in (False, True):
            yield from (OperationFailed(op, "system", "", whole), OperationFailed(op, "workflow", "", whole))
    for op in (FOREIGN, *(operation.op for operation in call.asked)):
        yield from (OperationDone(op), Transferred(op), TransferFailed(op, "busy"))
    for op in (FOREIGN, *(operation.op for operation in call.asked)):
        yield from (KeysPressed(op, keys) for keys in ("1", "2", "3", "4", "12345678"))
        yield from (KeysJudged(op, "accepted"), KeysJudged(op, "refused"))
        yield from (SpeechHeard(op, "code"), SpeechHeard(op, "nonsense"))
        yield from (ChoiceMade(op, "code", "keys"), ChoiceMade(op, "never", "speech"))
        yield from (InputTimedOut(op), InputInvalid(op))
        yield from (RecordingMade(op, 2.0, media, end) for media in ("a.wma", None) for end in ENDS)


def explore(flow: Flow, seen: Explored) -> None:
    """Try every event on every call that the flow can come to."""
    first = new_call(flow.hash, Facts(id="0" * 32, channel="test"))
    calls, shapes = [(first, 1000.0)], {shape(first)}
    for call, now in calls:  # grows on the way
        for event in events_at(call):
            for later in (now + 1, now + 1000) if isinstance(event, TimePassed) else (now + 1,):
                stepped = step(flow, call, event, now=later)
                cell = type(event).__name__, call.phase
                seen.tried.add(cell)
                if stepped.ignored:
                    assert stepped.call is call
                    continue
                seen.led[cell].add(stepped.call.phase)
                if shape(stepped.call) not in shapes:
                    shapes.add(shape(stepped.call))
                    calls.append((stepped.call, later))
    seen.calls += [call for call, _ in calls]


@cache
def explored() -> Explored:
    seen = Explored()
    for text in (DESK, NIGHT, ASKING, KEYS_FIRST, RECEPTION, LOOK_UP, SIGN_IN, VOICEMAIL):
        explore(flow_of(text), seen)
    return seen


@cache
def written() -> dict[tuple[str, str], set[str]]:
    """Return the table of `machine`, cell by cell; `=` is the phase of the column, `-` is no phase."""
    assert machine.__doc__
    lines = [re.split(r" {2,}", line.strip()) for line in machine.__doc__.splitlines()]
    header = lines.index(["event", *PHASES])
    rows = {row[0]: row[1:] for row in lines[header + 1 :] if row[0] in EVENTS}
    return {
        (event, phase): {phase if word == "=" else word for word in cell.split() if word != "-"}
        for event, cells in rows.items()
        for phase, cell in zip(PHASES, cells, strict=True)
    }


def test_every_event_was_tried_in_every_phase() -> None:
    assert explored().tried == {(event, phase) for event in EVENTS for phase in PHASES}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_leads_where_the_table_says_and_nowhere_else(event: str, phase: Phase) -> None:
    assert written()[event, phase] == explored().led[event, phase]


def awaits_what_its_phase_says(call: Call) -> bool:
    """Return whether a call waits for what the second table of `machine` says of its phase."""
    asked = [operation.kind for operation in call.asked]
    match call.phase:
        case "new" | "calling" | "over":
            return not asked and call.deadline is None
        case "ringing":
            return (asked == ["reject"] or call.waiting is not None) and call.grace_until is None
        case "answering":
            signs_in = "login" in call.memory.visits  # it speaks, and then it waits
            began = asked[:1] == ["answer"] or call.holds > 0 or signs_in
            return (began or call.waiting is not None) and call.grace_until is None
        case "answered":
            return (asked or call.waiting is not None) and call.grace_until is None
        case "gone" if call.waiting:
            return not asked and call.grace_until is None
    return asked[-1] == "record" and call.grace_until is not None


def test_what_a_call_waits_for_follows_from_its_phase() -> None:
    assert {call.phase for call in explored().calls} == {*PHASES}
    assert [call for call in explored().calls if not awaits_what_its_phase_says(call)] == []
