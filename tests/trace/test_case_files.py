"""A case is strict, bounded, and says where it is wrong."""

import re
import resource
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ivr.cli.calls import transcript
from ivr.engine.events import (
    CallAnswered,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    SpeechHeard,
    Transcribed,
    TransferFailed,
    Transferred,
)
from ivr.trace.case import (
    Answered,
    Arrived,
    Beginning,
    Case,
    CaseError,
    CaseLine,
    Failed,
    Happened,
    HungUp,
    LineFailed,
    Recorded,
    Responded,
    SignInJudged,
    SignInOpened,
    moment,
)
from ivr.trace.files import MAX_BYTES, dumps, keep_case, loads
from ivr.trace.recorded import case_of
from ivr.trace.replay import replay
from tests.callers.bot import dial
from tests.flows import flow_of
from tests.trace.recorded_calls import PRIVATE, SLOW, random_call


def a_case() -> Case:
    return random_call(flow_of(SLOW), 3)


def rows() -> list[bytes]:
    return dumps(a_case()).splitlines(keepends=True)


def test_the_same_call_gives_the_same_bytes() -> None:
    assert dumps(a_case()) == dumps(a_case())
    assert loads(dumps(a_case()), "case") == a_case()


def test_a_line_holds_one_thing_that_happened_and_can_be_read() -> None:
    first = rows()[1].decode()
    assert first.startswith('{"at": 0.0, "event": {"type": "called", "caller": "29:caller", "called": "28:bot"')
    assert len(rows()) == len(a_case().lines) + 1


EVENTS: list[tuple[Happened, str]] = [
    (CallReceived("29:anna", "28:bot"), '{"type": "called", "caller": "29:anna", "called": "28:bot"}'),
    (CallReceived(None, "28:bot", "de"), '{"type": "called", "caller": null, "called": "28:bot", "language": "de"}'),
    (CallPlaced("+431", "+432"), '{"type": "placed", "caller": "+431", "called": "+432"}'),
    (
        CallPlaced(None, "+432", values={"fee": 12.5}, masked=("code",)),
        '{"type": "placed", "caller": null, "called": "+432", "values": {"fee": 12.5}, "masked": ["code"]}',
    ),
    (CallAnswered(), '{"type": "picked up"}'),
    (CallAnswered("machine", transfers=True), '{"type": "picked up", "by": "machine", "transfers": true}'),
    (CallNotAnswered("busy", 486), '{"type": "not picked up", "reason": "busy", "status": 486}'),
    (KeysPressed("", "42"), '{"type": "pressed", "keys": "42"}'),
    (KeysPressed("", "", "silence"), '{"type": "pressed", "keys": "", "ended": "silence"}'),
    (KeysJudged("", "refused"), '{"type": "pressed something private", "verdict": "refused"}'),
    (SpeechHeard("", "my issue"), '{"type": "said", "text": "my issue"}'),
    (SpeechHeard("", "my issue", 0.9), '{"type": "said", "text": "my issue", "confidence": 0.9}'),
    (ChoiceMade("", "yes", "speech"), '{"type": "chose", "choice": "yes", "by": "speech"}'),
    (InputTimedOut(""), '{"type": "kept silent"}'),
    (InputInvalid(""), '{"type": "answered wrong"}'),
    (Transferred(""), '{"type": "connected"}'),
    (TransferFailed("", "busy", 486), '{"type": "not connected", "reason": "busy", "status": 486}'),
    (Recorded(2.5), '{"type": "recorded", "seconds": 2.5}'),
    (Recorded(2.5, "hangup", kept=False), '{"type": "recorded", "seconds": 2.5, "ended": "hangup", "kept": false}'),
    (HungUp(), '{"type": "left"}'),
    (HungUp("flow", "play"), '{"type": "left", "by": "flow", "during": "play"}'),
    (LineFailed("system", "hold"), '{"type": "line failed", "code": "system", "during": "hold"}'),
    (Answered("stt", Transcribed(masked=True)), '{"type": "answered", "service": "stt", "answer": {"masked": true}}'),
    (
        Responded("http", 200, {"total": 12.5}),
        '{"type": "responded", "service": "http", "status": 200, "body": {"total": 12.5}}',
    ),
    (
        Responded("http", 200, readable=False, masked=True),
        '{"type": "responded", "service": "http", "status": 200, "readable": false, "masked": true}',
    ),
    (Arrived(), '{"type": "arrived"}'),
    (Arrived(3.5), '{"type": "arrived", "seconds": 3.5}'),
    (SignInOpened("link"), '{"type": "sign-in begun", "by": "link"}'),
    (SignInJudged("wrong"), '{"type": "sign-in checked", "result": "wrong"}'),
    (Failed("transcribe", "timeout"), '{"type": "failed", "service": "transcribe", "code": "timeout"}'),
]  # fmt: skip
"How everything that can happen stands in a case, for as long as the format has this version."


@pytest.mark.parametrize(("event", "written"), EVENTS, ids=lambda part: type(part).__name__)
def test_an_event_is_written_in_the_words_of_the_format(event: Happened, written: str) -> None:
    before = () if isinstance(event, Beginning) else a_case().lines[:1]
    recorded = Case(a_case().header, (*before, CaseLine(0.0, event)))
    *_, row = dumps(recorded).splitlines()
    assert row.decode() == f'{{"at": 0.0, "event": {written}}}'
    assert loads(dumps(recorded), "case") == recorded


def test_every_event_of_a_case_has_words() -> None:
    assert {type(event) for event, _ in EVENTS} == set(get_args(Happened))


@pytest.mark.parametrize("member", ['"op": ""', '"at": "2026-11-20 10:00"', '"confidence": 1.5'])
def test_a_case_takes_no_member_that_its_format_does_not_have(member: str) -> None:
    for event in ('"type": "called", "caller": null, "called": "b"', '"type": "said", "text": "a"'):
        row = f'{{"at": 0.0, "event": {{{event}, {member}}}}}\n'.encode()
        with pytest.raises(CaseError):
            loads(rows()[0] + row, "case")


def test_no_operation_and_no_audio_file_is_named() -> None:
    text = b"".join(dumps(random_call(flow_of(flow), seed)) for flow in (SLOW, PRIVATE) for seed in range(50))
    assert b'"recorded"' in text
    assert b'"op"' not in text
    assert b'"job"' not in text
    assert b".wma" not in text


NUMBER = re.compile(rb"(?<=: )-?[0-9]+(\.[0-9]+)?(?=[,}\n])|(?<=[\[ ])-?[0-9]+\.[0-9]+(?=[,\]])")
"A number of a case, wherever it stands."
ODD_NUMBERS = [b"1e308", b"-1e308", b"1e15", b"-1", b"1e-320", b"1" + b"0" * 30, b"0", b"0.5", b"999999999", b"1e400"]


@pytest.mark.parametrize("odd", ODD_NUMBERS)
def test_no_number_of_a_case_is_too_odd_to_be_refused_or_replayed(odd: bytes) -> None:
    for flow in (SLOW, PRIVATE):
        for seed in range(12):
            data = dumps(random_call(flow_of(flow), seed))
            places = [found.span() for found in NUMBER.finditer(data)]
            assert len(places) > 5
            for start, end in places:
                try:
                    case = loads(data[:start] + odd + data[end:], "case")
                except CaseError:
                    continue
                replay(case, flow_of(flow))
                transcript(case)


@pytest.mark.parametrize("at", [b"1e308", b"-1.0", b"1e9"])
@pytest.mark.parametrize("place", [b'"at": 0.0', b'"then": [3.0'])
def test_a_time_that_no_call_has_is_refused_with_its_line(at: bytes, place: bytes) -> None:
    first, second, *rest = rows()
    assert place in second
    with pytest.raises(CaseError, match=r"^case:2: "):
        loads(b"".join([first, second.replace(place, place[:-3] + at), *rest]), "case")


def test_a_case_that_cannot_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
    try:
        with pytest.raises(CaseError, match=r"once\.jsonl cannot be written: File too large"):
            keep_case(a_case(), "once", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    file = keep_case(a_case(), "once", tmp_path)
    assert file.read_bytes() == dumps(a_case())


DAMAGED: list[tuple[bytes, str]] = [
    (b"\n", "c:3: Input data was truncated"),
    (b'{"at": 3.0, "event"', "c:3: Input data was truncated"),
    (b'{"at": 1, "event": {"type": "sang"}}', "c:3: Invalid value 'sang' - at `$.event.type`"),
    (b'{"at": 1, "eve": 1}', "c:3: Object contains unknown field `eve`"),
    (b'{"at": 1, "event": {"type": "pressed", "keys": "\xff"}}', "c:3: "),
    (b'{"at": 1e999, "event": {"type": "kept silent"}}', "c:3: Number out of range"),
    (b'{"at": -1, "event": {"type": "kept silent"}}', "c:3: at -1 s, after a line at 0 s"),
    (b'{"at": 1, "event": {"type": "called", "caller": null, "called": "b"}}', 'c:3: a second "called"'),
    (b"[" * 100_000, "c:3: Expected `object`, got `array`"),
]


@pytest.mark.parametrize(("row", "message"), DAMAGED, ids=range(len(DAMAGED)))
def test_damage_is_named_by_file_and_line(row: bytes, message: str) -> None:
    with pytest.raises(CaseError) as error:
        loads(b"".join([*rows()[:2], row, b"\n"]), "c")
    assert str(error.value).startswith(message)


def test_a_file_that_is_cut_off_or_has_no_header_is_no_case() -> None:
    for kept, message in (
        ([], "c: the file is empty"),
        (rows()[1:], "c:1: Object contains unknown field `at`"),
        (rows()[:1], 'c:2: a case must begin with the event "called" or "placed"'),
        ([rows()[0].replace(b'"case": 1', b'"case": 2'), *rows()[1:]], "c:1: Invalid enum value 2"),
    ):
        with pytest.raises(CaseError) as error:
            loads(b"".join(kept), "c")
        assert str(error.value).startswith(message)


def test_size_and_number_of_lines_are_bounded() -> None:
    with pytest.raises(CaseError, match="a case has at most 4194304 bytes"):
        loads(b" " * (MAX_BYTES + 1), "c")
    with pytest.raises(CaseError, match="a case has at most 10000 lines"):
        loads(b"\n" * 20_000, "c")


def test_a_start_without_its_offset_is_refused() -> None:
    with pytest.raises(CaseError, match="c:1: the start time of the call needs a UTC offset"):
        loads(dumps(a_case()).replace(b"Z", b"", 1), "c")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(CaseError):
        loads(data, "c")


@settings(deadline=None)
@given(st.floats(1.7e9, 1.9e9), st.floats(0, 1e5))
def test_a_time_comes_back_as_expressions_see_it(started: float, later: float) -> None:
    recorded = a_case()
    header = replace(recorded.header, started=moment(started))
    at = (round((started + later) * 1e6) - round(started * 1e6)) / 1e6
    now = Case(header, recorded.lines).now(at)
    assert datetime.fromtimestamp(now, UTC) == moment(started + later)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_a_case_that_makes_no_sense_gets_a_verdict_all_the_same(seed: int) -> None:
    random = Random(seed)
    flow = flow_of(random.choice([SLOW, PRIVATE]))
    first, *rest = random_call(flow, seed).lines
    others = [
        *rest,
        *random_call(flow_of(SLOW), seed + 1).lines[1:],
        *random_call(flow_of(PRIVATE), seed + 2).lines[1:],
    ]
    lines = [first, *random.choices(others, k=len(others) // 2)] if others else [first]
    timed = tuple(replace(line, at=float(number)) for number, line in enumerate(lines))
    damaged = Case(random_call(flow, seed).header, timed)
    assert replay(loads(dumps(damaged), "c"), flow).verdict in {"same", "changed", "undetermined"}


def test_a_trace_that_does_not_begin_with_the_call_is_no_case() -> None:
    bot = dial(flow_of(SLOW))
    with pytest.raises(CaseError, match="its trace is empty"):
        case_of(bot.record, (), flow_of(SLOW), {})
    later = dial(flow_of(SLOW)).forget().trace
    with pytest.raises(CaseError, match="its trace does not begin with the call"):
        case_of(bot.record, later, flow_of(SLOW), {})
