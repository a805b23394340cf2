"""What lines, pages and stores ask of orders and flows: times that an author left open, what is kept, what counts."""

from pathlib import Path

from ivr.engine.commands import (
    INITIAL_SILENCE,
    RECORDING_FORMAT,
    RINGING,
    Recognize,
    Record,
    Transfer,
    recorded_as,
    ringing_allowed,
    silence_allowed,
)
from ivr.engine.events import RecordingReady
from tests.flows import flow_among, flow_of

OFFICE = """
flow: office
initial: pin
on: {exhausted: bye, error: bye}
calendars: {office: {timeZone: Europe/Vienna, weekly: {mon-fri: 09:00-17:00}}}
variables: {pin: none, message: {type: recording, default: none}, again: none}
states:
  pin: {digits: {prompt: Your number?, into: pin}, next: loose}
  loose: {digits: {prompt: Once more?, into: again}, next: shut}
  shut: {decide: [{guard: calendar.office.open, target: speak}, bye]}
  speak: {record: {prompt: Please speak., into: message}, next: bye}
  bye: {say: "{{ pin or again or 0 }} {{ message is not none }} Bye.", final: true, outcome: unresolved}
"""
DESK = """
flow: desk
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {invoke: office, next: bye}
  bye: {say: Bye., final: true}
"""


def test_what_an_order_leaves_open_is_as_on_every_line() -> None:
    assert ringing_allowed(Transfer("1.1", "sip:a@pbx.example")) == RINGING
    assert ringing_allowed(Transfer("1.1", "sip:a@pbx.example", 5.0)) == 5.0
    assert silence_allowed(Recognize("1.1", ())) == INITIAL_SILENCE
    assert silence_allowed(Recognize("1.1", (), initial_silence=2.0)) == 2.0
    assert recorded_as(Record("1.1", (), 60.0, 2.0, "#")) == RECORDING_FORMAT
    assert recorded_as(Record("1.1", (), 60.0, 2.0, "#", format="wav")) == "wav"


def test_a_recording_that_came_later_was_brought_by_the_job_of_its_operation() -> None:
    assert RecordingReady("2.1", "a.wav").job == "2.1"


def test_what_an_action_keeps_is_known() -> None:
    states = flow_of(OFFICE).states
    kept = {name: states[name].action.keeps for name in ("pin", "shut", "speak")}
    assert kept == {"pin": "pin", "shut": None, "speak": "message"}


def test_the_calendars_of_invoked_flows_count(tmp_path: Path) -> None:
    assert flow_of(OFFICE).all_calendars == {"office"}
    assert flow_among(tmp_path, DESK, OFFICE).all_calendars == {"office"}
