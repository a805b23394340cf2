"""A new call finds its line closed by the operator, a call under way goes on, and a replay sees it again."""

from pathlib import Path

import pytest

from ivr.engine.events import CallReceived, OperationDone
from ivr.server.closings import Closings
from ivr.trace.recorded import case_of
from tests.flows import flow_of
from tests.turn.house import Houses

OFFICE = flow_of("""
flow: office-line
initial: look
on: {exhausted: bye, error: bye}
calendars:
  office: {weekly: {mon-sun: "00:00-24:00"}}
  shop: {weekly: {mon-fri: "09:00-17:00"}}
states:
  look: {decide: [{guard: calendar.office.open, target: open}, closed]}
  open: {say: We are here., final: true}
  closed: {say: "Closed. {{ calendar.office.notice }}", final: true}
  bye: {say: goodbye, final: true}
""")
RECEIVED = CallReceived("29:anna", "28:bot")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir()
    return folder


async def test_a_new_call_finds_its_line_closed_and_a_call_under_way_goes_on(house_of: Houses, folder: Path) -> None:
    closings = Closings(folder)
    assert b"We are here." in (await house_of(OFFICE, closings=closings).told("first", RECEIVED)).body
    (folder / "office").write_text("A pipe has burst.")
    house = house_of(OFFICE, closings=closings)
    assert b"Closed. A pipe has burst." in (await house.told("first", RECEIVED)).body
    (folder / "office").unlink()
    assert (await house.record()).call.facts.closed == {"office": "A pipe has burst."}


async def test_a_trace_holds_what_was_closed_so_that_a_replay_sees_it_again(house_of: Houses, folder: Path) -> None:
    (folder / "office").write_text("A pipe has burst.")
    house = house_of(OFFICE, closings=Closings(folder))
    await house.told("first", RECEIVED)
    await house.told("done", OperationDone(await house.op()))
    trace = house.store.traces["0" * 32]
    recorded = case_of(await house.record(), trace, OFFICE, {})
    assert recorded.lines[0].event == CallReceived("29:anna", "28:bot", closed={"office": "A pipe has burst."})


async def test_a_flow_without_calendars_asks_for_nothing(house_of: Houses, folder: Path) -> None:
    (folder / "office").touch()
    plain = flow_of("""
flow: plain
initial: bye
on: {error: bye}
states: {bye: {say: goodbye, final: true}}
""")
    house = house_of(plain, closings=Closings(folder))
    await house.told("first", RECEIVED)
    assert (await house.record()).call.facts.closed == {}
