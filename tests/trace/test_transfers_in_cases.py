"""A case holds whom a caller was connected with and how that went, and a replay gives it to the flow of today."""

import pytest

from ivr.engine.events import TransferFailed, Transferred
from ivr.trace.case import AskedTransfer
from ivr.trace.files import dumps
from ivr.trace.replay import replay
from ivr.trace.report import as_text, report
from ivr.trace.sentences import caller_action, question
from tests.caller import Caller
from tests.flows import flow_of
from tests.trace.test_replay_rules import recorded

FLOW = """
flow: reception
initial: connect
on: {error: bye}
states:
  connect:
    transfer: {to: "+431234567", whisper: "From {{ call.from or 'nobody' }}"}
    on: {failed.busy: busy, failed: bye}
  busy: {say: All lines are busy., final: true, outcome: unresolved}
  bye: {say: Goodbye., final: true}
"""


def connected() -> Caller:
    return Caller(flow_of(FLOW), transfers=True).is_connected()


def busy() -> Caller:
    caller = Caller(flow_of(FLOW), transfers=True)
    return caller.apply(TransferFailed(caller.op, "busy", 486))


def test_a_case_has_whom_the_caller_was_to_be_connected_with_and_how_it_went() -> None:
    first, second = recorded(busy()).lines
    assert first.asked == AskedTransfer("tel:+431234567", 30.0, "From 29:anna")
    assert second.event == TransferFailed("", "busy", 486)


@pytest.mark.parametrize("call", [connected(), busy()], ids=["connected", "busy"])
def test_a_call_that_was_transferred_replays_the_same(call: Caller) -> None:
    case = recorded(call)
    assert replay(case, flow_of(FLOW)).verdict == "same"
    assert b"tel:+431234567" in dumps(case)


def test_what_became_of_a_transfer_is_given_to_the_flow_of_today() -> None:
    today = FLOW.replace("failed.busy: busy, ", "").replace(
        "  busy: {say: All lines are busy., final: true, outcome: unresolved}\n", ""
    )
    verdict = replay(recorded(busy()), flow_of(today))
    assert verdict.verdict == "changed"
    assert verdict.way is not None
    assert (verdict.way.event, verdict.way.now.state) == (TransferFailed("", "busy", 486), "bye")


def test_another_address_is_another_way() -> None:
    case = recorded(connected())
    told = as_text(report("call", case, replay(case, flow_of(FLOW.replace("+431234567", "+437654321"))), None))
    assert 'now:    the caller is connected with tel:+437654321, which is shown "From 29:anna"' in told


def test_where_nobody_is_connected_any_more_it_cannot_be_known_how_the_call_goes_on() -> None:
    today = "flow: reception\ninitial: ask\non: {error: bye, exhausted: bye}\nstates:\n"
    today += '  ask: {menu: {prompt: Q, choices: {one: {dtmf: "1"}}}, on: {one: bye}}\n  bye: {say: B., final: true}\n'
    assert replay(recorded(busy()), flow_of(today)).verdict == "undetermined"


def test_it_is_told_in_words() -> None:
    assert caller_action(Transferred("")) == "the caller was connected"
    assert caller_action(TransferFailed("", "busy", 486)) == "the transfer failed: the other side is busy (486)"
    assert caller_action(TransferFailed("", "noAnswer")) == "the transfer failed: nobody answered"
    assert question(AskedTransfer("sip:a@b", 20.0)) == "the caller is connected with sip:a@b; it may ring for 20 s"
