"""One meaning of what a line reports: told to the engine at once, or by a platform's JSON and read back from it."""

from typing import Any, get_args
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.skype import hearing, reading
from ivr.engine.commands import Answer, LineCommand, Play, Transfer
from ivr.engine.events import Event, KeysPressed
from ivr.line import (
    CallerLeft,
    Outcome,
    PromptFailed,
    Result,
    Signal,
    Tick,
    TransferFailed,
    Transferred,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)
from ivr.line.engine_events import events_of
from ivr.media.sound import EncodedRecording
from ivr.phone.wire import reports
from ivr.ports import Upload
from tests.line.line_driver import LineDriver, digits, menu, record, transfer
from tests.line.test_line_properties import STORY

AUDIO = Upload("f00d.wma", 8192, "audio/x-ms-wma")

HUMS = (VoiceSignal(active=True), Tick(), VoiceSignal(active=False))
CALLS: dict[str, tuple[LineCommand, LineDriver]] = {
    "a key of a menu": (menu(), LineDriver(menu()).hear_out().press("1")),
    "words of a menu": (menu(), LineDriver(menu()).hear_out().apply(WordsUnderstood("buy something"))),
    "a wrong key": (menu(), LineDriver(menu()).hear_out().press("9")),
    "silence in a menu": (menu(), LineDriver(menu()).hear_out().wait(6)),
    "leaving a menu": (menu(), LineDriver(menu()).hear_out().apply(CallerLeft(), after=1)),
    "a terminator": (digits(), LineDriver(digits()).hear_out().press("12#")),
    "a terminator alone": (digits(), LineDriver(digits()).hear_out().press("#")),
    "a full count": (digits(), LineDriver(digits()).hear_out().press("123456")),
    "a full count without terminators": (digits(ends=""), LineDriver(digits(ends="")).hear_out().press("1234")),
    "a pause after keys": (digits(), LineDriver(digits()).hear_out().press("12").wait(3)),
    "silence where keys are wanted": (digits(), LineDriver(digits()).hear_out().wait(6)),
    "a recording": (record(), LineDriver(record()).hear_out().press("#", after=2)),
    "the longest recording": (
        record(longest=3, silence=9),
        LineDriver(record(longest=3, silence=9)).hear_out().wait(4),
    ),
    "a recording that ends in silence": (
        record(),
        LineDriver(record())
        .hear_out()
        .apply(VoiceSignal(active=True))
        .apply(VoiceSignal(active=False), after=2)
        .wait(3),
    ),
    "silence after the beep": (record(), LineDriver(record()).hear_out().wait(6)),
    "leaving a recording": (record(), LineDriver(record()).hear_out().apply(CallerLeft(), after=2)),
    "leaving at the beep": (record(), LineDriver(record()).hear_out().apply(CallerLeft())),
    "a recording of nothing": (record(), LineDriver(record()).hear_out().press("#", after=0)),
    "a broken line": (menu(), LineDriver(menu()).hear_out().apply(Trouble())),
    "a broken line, nobody knows why": (record(), LineDriver(record()).hear_out().apply(Trouble("unknown"))),
    "a prompt that cannot be played": (Play("p", ()), LineDriver(menu()).apply(PromptFailed("gone"))),
    "a transfer": (transfer(), LineDriver(transfer()).apply(Transferred())),
    "a transfer that failed": (transfer(), LineDriver(transfer()).apply(TransferFailed(486, "busy"))),
    "a transfer that nobody answered": (transfer(), LineDriver(transfer()).wait(91)),
    "leaving while being transferred": (transfer(), LineDriver(transfer()).apply(CallerLeft())),
    "an answer": (Answer("a"), LineDriver(Answer("a"))),
}


@pytest.mark.parametrize(("action", "driver"), CALLS.values(), ids=CALLS.keys())
def test_the_engine_hears_what_a_platform_would_have_told_it(action: LineCommand, driver: LineDriver) -> None:
    assert _plain(events_of(action, driver.outcome, AUDIO.media)) == _plain(
        _by_way_of_a_platform(action, driver.outcome)
    )


def test_every_result_of_a_line_is_among_them() -> None:
    assert {driver.outcome.result for _, driver in CALLS.values()} == set(get_args(Result))


@given(
    st.sampled_from([menu(), digits(), digits(ends=""), record(), transfer(), Play("p", menu().prompt), Answer("a")]),
    STORY,
)
def test_whatever_happens_on_a_line_both_routes_say_the_same(
    command: LineCommand, story: list[tuple[float, Signal]]
) -> None:
    driver = LineDriver(command)
    for after, signal in story:
        driver.apply(signal, after=after)
    driver.apply(CallerLeft(), after=0.5)
    by_platform = _by_way_of_a_platform(command, driver.outcome)
    assert _plain(events_of(command, driver.outcome, AUDIO.media)) == _plain(by_platform)


def test_what_a_platform_has_no_word_for_is_told_as_it_was() -> None:
    assert events_of(digits(), CALLS["a full count"][1].outcome, None) == (KeysPressed("digits", "1234", "count"),)


def _by_way_of_a_platform(action: LineCommand, found: Outcome) -> tuple[Event, ...]:
    kept = found.ok and hasattr(action, "max_duration")
    audio = EncodedRecording(b"sound", "wma", found.seconds) if kept else None
    transferred = isinstance(action, Transfer) and found.ok
    over: Any = "terminated" if found.result == "left" or transferred else "established"
    outcome = reports.wire_outcome(action, found, audio)
    message = reports.result(str(uuid4()), outcome, state=over, app_state=None, audio=audio)
    heard = reading.read_message(reading.parse(message.json))
    return hearing.events(heard, AUDIO if kept else None, over=hearing.is_over(heard))


def _plain(events: tuple[Event, ...]) -> list[object]:
    """Leave out what only people read, and how a full count is told, for which the wire has no word."""
    told = []
    for event in events:
        fields = msgspec.to_builtins(event)
        fields.pop("reason", None)
        if fields.get("ended") == "count" or isinstance(event, KeysPressed):
            fields.pop("ended", None)
        told.append(fields)
    return told
