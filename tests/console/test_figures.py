"""What many calls did, counted call by call: pure, so told by traces alone."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Call, Facts, Failure, Taken
from ivr.engine.commands import HangUp, Play
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
)
from ivr.flowfile.chart import ANY, chart_of
from ivr.ports import CallKey
from ivr.server.console.call_details import playable, trace_rows
from ivr.server.console.console_page import lasted
from ivr.server.console.figures import Failures, FiguresByCall, figures_of_call, marks_of, sum_of, total
from ivr.server.drawing.svg import picture
from tests.console.test_drawing import FLOWS, load_flow

FLOW = load_flow(next(file for file in FLOWS if file.stem == "flight-desk")).served()


def record(outcome: str | None = None, name: str = "a") -> CallRecord:
    call = Call(FLOW.hash, Facts(id=name), phase="over" if outcome else "answered", outcome=outcome)
    return CallRecord(name, CallKey("skype", "app", name), call)


def step(at: float, event: Event, *path: tuple[str, str, str], ignored: str | None = None) -> Stepped:
    return Stepped(event, at, path=tuple(Taken(state, name, 0, to) for state, name, to in path), ignored=ignored)


RINGS = step(10.0, CallReceived("a", "b"), ("", "called", "main"))
PROBLEM = step(12.0, ChoiceMade("1.1", "problem", "keys"), ("main", "problem", "report"))
TIMES = step(12.0, ChoiceMade("1.1", "times", "keys"), ("main", "times", "times"), ("times", "done", "main"))
FAILED = OperationFailed(None, "system")
SPEAKS = step(20.0, RecordingMade("2.1", 3.0, "a.wav"), ("report", "recorded", "thanks"))


def test_a_call_counts_once_for_each_way_however_often_it_went_there() -> None:
    tally = figures_of_call("resolved", [RINGS, TIMES, TIMES, PROBLEM, SPEAKS])
    figures = sum_of([tally, tally], FLOW)
    assert figures.calls == figures.over == 2
    assert figures.transitions["main", "times", "times"] == 2
    assert figures.arrows["main", "times"] == 2
    assert figures.outcomes == {"resolved": 2}
    assert figures.seconds == 20.0


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (step(13.0, CallEnded("caller"), ("report", "hangup", "thanks")), "report"),
        (step(13.0, CallEnded("caller")), "report"),
        (step(13.0, RecordingMade("2.1", 1.0, None, "hangup"), ("report", "recorded", "thanks")), "report"),
        (step(13.0, CallEnded("caller"), ("main", "hangup", "")), "main"),  # what was heard was still that of `main`
        (step(13.0, CallEnded("system")), None),
        (step(13.0, CallEnded("caller"), ignored="the call is over"), None),
        (SPEAKS, None),
    ],
)
def test_a_caller_hung_up_where_the_hang_up_was_raised_else_where_the_call_stood(last: Stepped, state: str) -> None:
    assert figures_of_call("abandoned", [RINGS, PROBLEM, last]).left == state


GOODBYE = replace(SPEAKS, commands=(Play("3.1", ()), HangUp("3.2")))
"The flow says goodbye, and hangs up."


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([CallEnded("caller")], None),  # a notification, which says nothing of who it was
        ([CallEnded("caller", "3.2")], None),
        ([CallEnded("caller", "3.1")], "thanks"),  # in the middle of the goodbye
        ([OperationDone("3.2"), CallEnded("caller")], None),
        ([OperationFailed("3.1", "system"), CallEnded("caller")], None),
    ],
)
def test_where_the_flow_has_hung_up_the_end_of_the_call_is_its_own(told: list[Event], state: str | None) -> None:
    ended = [step(25.0 + number, event) for number, event in enumerate(told)]
    assert figures_of_call("resolved", [RINGS, PROBLEM, GOODBYE, *ended]).left == state


def test_where_the_goodbye_failed_and_something_else_is_asked_a_caller_can_hang_up_again() -> None:
    again = replace(
        step(26.0, OperationFailed("3.1", "system"), ("thanks", "error", "main")), commands=(Play("4.1", ()),)
    )
    trace = [RINGS, PROBLEM, GOODBYE, again, step(27.0, CallEnded("caller"), ("main", "hangup", ""))]
    assert figures_of_call("abandoned", trace).left == "main"


def test_a_call_counts_once_for_each_milestone_of_the_states_that_it_has_come_to() -> None:
    states = {**FLOW.states, **{name: replace(FLOW.states[name], milestone="told") for name in ("times", "thanks")}}
    flow = replace(FLOW, states=states)
    tally = figures_of_call("resolved", [RINGS, TIMES, TIMES, PROBLEM, SPEAKS])
    failed = figures_of_call(
        "failed", [RINGS, PROBLEM, SPEAKS, step(21.0, FAILED, ("report", "error.system", "goodbye"))]
    )
    assert total([sum_of([tally, failed], flow), sum_of([tally], flow)]).milestones == {"told": 2}
    assert sum_of([tally], FLOW).milestones == {}


def failing(at: float, *events: str) -> Stepped:
    return replace(
        step(at, FAILED, *(("report", event, "main") for event in events)),
        failures=tuple(Failure("report", event, "it did") for event in events if event != "failed.busy"),
    )


def test_each_failure_of_a_service_counts_by_state_and_event_and_the_last_one_has_a_time() -> None:
    often = figures_of_call("failed", [RINGS, failing(20.0, "error.http.timeout"), failing(30.0, "error.http.timeout")])
    earlier = figures_of_call("failed", [RINGS, failing(15.0, "error.http.timeout", "failed.busy")])
    ignored = figures_of_call("failed", [RINGS, replace(failing(40.0, "error.http.timeout"), ignored="late")])
    figures = total([sum_of([often, ignored], FLOW), sum_of([earlier], FLOW)])
    assert figures.failures == {
        ("report", "error.http.timeout"): Failures(3, 30.0),
        ("report", "failed.busy"): Failures(1, 15.0),
    }


@pytest.mark.parametrize("event", ["error.expression", "error.limit", "error.system", "error.workflow"])
def test_errors_of_the_flow_and_of_the_line_are_no_failures_of_a_service(event: str) -> None:
    assert sum_of([figures_of_call("failed", [RINGS, failing(20.0, event)])], FLOW).failures == {}


def test_a_live_call_has_no_outcome_and_adds_nothing_to_the_length() -> None:
    figures = sum_of([figures_of_call(None, [RINGS])], FLOW)
    assert (figures.calls, figures.over, figures.seconds, figures.outcomes) == (1, 0, 0.0, {})


def test_a_way_that_all_states_share_is_counted_at_the_box_for_all() -> None:
    gave_up = step(30.0, CallEnded("system"), ("main", "exhausted", "goodbye"))
    figures = sum_of([figures_of_call("unresolved", [RINGS, gave_up])], FLOW)
    assert figures.arrows[ANY, "goodbye"] == 1
    states, transitions = marks_of(gave_up.path, FLOW)
    assert states == {"goodbye"}
    assert transitions == {(ANY, "goodbye")}


async def test_the_trace_of_a_finished_call_is_read_once() -> None:
    class Archive:
        asked = 0

        async def trace(self, call: str) -> list[Stepped]:
            self.asked += 1
            return [RINGS]

    archive: Any = Archive()
    tallies = FiguresByCall(archive)
    for _ in range(3):
        await tallies.of(record("resolved"))
        await tallies.of(record(name="live"))
    assert archive.asked == 1 + 3


def test_a_recording_is_found_by_its_number_and_hidden_where_the_state_is_not_known() -> None:
    trace = [RINGS, PROBLEM, SPEAKS]
    assert playable(trace, FLOW, 0) == "a.wav"
    assert playable(trace, FLOW, 1) is None
    assert playable(trace, replace(FLOW, states={}), 0) is None


def test_of_ignored_events_only_their_kind_is_told() -> None:
    late = step(13.0, ChoiceMade("0.1", "a secret", "keys"), ignored="not the operation awaited")
    assert "a secret" not in repr(trace_rows([RINGS, late]))


def test_no_length_is_negative_though_the_clock_was_set_back_during_a_call() -> None:
    back = [RINGS, step(12.0 - 7_000_000.0, ChoiceMade("1.1", "problem", "keys"), ("main", "problem", "report"))]
    assert figures_of_call("resolved", back).seconds == 0.0
    assert [(line.at, line.after) for line in trace_rows(back)] == [(0.0, 0.0), (0.0, 0.0)]
    assert [lasted(seconds) for seconds in (-0.5, -7_000_000.0)] == ["0 s", "0 s"]


SHOP = "flow: shop\ninitial: go\non: {error: bye}\nstates:\n  go: {invoke: pay, next: bye}\n  bye: {hangup: {}}\n"
PAY = """\
flow: pay
initial: ask
on: {exhausted: back, error: back}
states:
  ask: {digits: {prompt: Key the code.}, next: back}
  back: {return: paid}
"""


def test_what_calls_do_in_an_invoked_flow_is_drawn_at_its_one_box(tmp_path: Path) -> None:
    (tmp_path / "pay.yaml").write_text(PAY, "utf-8")
    (tmp_path / "shop.yaml").write_text(SHOP, "utf-8")
    flow = load_flow(tmp_path / "shop.yaml").served()
    path = ("", "called", "go"), ("go", "invoked", "go/ask")
    paid = step(12.0, KeysPressed("1.1", "7", "terminator"), ("go/ask", "digits", "go/back"), ("go", "paid", "bye"))
    left = step(12.0, CallEnded("caller"), ("go/ask", "hangup", ""))
    began = step(10.0, CallReceived("a", "b"), *path)
    figures = sum_of([figures_of_call("resolved", [began, one]) for one in (paid, left)], flow)
    assert figures.arrows == {("", "go"): 2, ("go", "bye"): 1, ("go", ""): 1}
    assert (figures.left, figures.numbers.left) == ({"go/ask": 1}, {"go": 1})
    assert figures.transitions["go/ask", "digits", "go/back"] == 1
    assert marks_of(began.path + paid.path, flow) == (
        frozenset({"go", "bye"}),
        frozenset({("", "go"), ("go", "bye")}),
    )
    drawn = str(picture(chart_of(flow), "shop", numbers=figures.numbers, address=lambda name: f"/flows/{name}"))
    assert '<a href="/flows/pay">' in drawn
    assert "invoke pay" in drawn
