"""`transfer` connects the caller with somebody else, or says why not (LANGUAGE C4, C8, C13)."""

import pytest

from ivr.engine.commands import Answer, HangUp, Play, Recognize, Transfer
from ivr.engine.destinations import address, why_not
from ivr.engine.events import KeysPressed, OperationDone, TransferFailed, TransferFailure, Transferred
from ivr.flowfile.actions import word_of
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: reception
initial: ask
on: {exhausted: bye, error: bye}
destinations: {sales: "+43 1 234-567", desk: "sip:desk@pbx.example"}
states:
  ask: {menu: {prompt: Sales?, choices: {sales: {dtmf: "1"}, desk: {dtmf: "2"}}, into: place}, next: connect}
  connect:
    transfer: {to: "{{ place }}", timeout: 20s, whisper: "From {{ call.from or 'nobody' }}"}
    on: {failed.busy: ask, failed: {say: "{{ reason }}", target: bye}}
  bye: {say: Goodbye., final: true}
"""


def caller(flow: str = FLOW, *, transfers: bool = True) -> Caller:
    return Caller(flow_of(flow), transfers=transfers)


def test_the_caller_is_connected_with_a_destination_by_its_name() -> None:
    (transfer,) = caller().presses("1").commands
    assert transfer == Transfer("2.1", "tel:+431234567", 20.0, "From 29:anna")


def test_a_call_that_is_connected_is_over_as_transferred() -> None:
    over = caller().presses("2").is_connected().ended("transferred")
    assert over.commands == ()


@pytest.mark.parametrize("reason", ["noAnswer", "rejected", "unreachable", "unsupported"])
def test_why_a_caller_was_not_connected_is_an_event_of_its_own(reason: TransferFailure) -> None:
    ended = caller().presses("1")
    ended.apply(TransferFailed(ended.op, reason, 480)).hears(f"{reason} Goodbye.")
    assert [taken.event for taken in ended.last.path] == [f"failed.{reason}"]


def test_a_handler_of_one_reason_is_taken_before_that_of_all() -> None:
    busy = caller().presses("1")
    busy.apply(TransferFailed(busy.op, "busy")).hears("Sales?").orders(Recognize)


def test_a_line_that_cannot_transfer_is_not_asked_to_and_what_was_said_before_is_heard() -> None:
    plain = caller(
        """
flow: reception
initial: hello
on: {error: bye}
states:
  hello: {say: One moment., next: connect}
  connect: {transfer: {to: "+431234567"}, on: {failed: bye}}
  bye: {say: Nobody is there., final: true}
""",
        transfers=False,
    )
    plain.orders(Answer, Play, HangUp).hears("One moment. Nobody is there.")
    assert [taken.event for taken in plain.last.path] == ["called", "done", "failed.unsupported"]
    assert [failure.reason for failure in plain.last.failures] == ["this line does not transfer calls"]


def test_a_call_is_answered_before_it_is_transferred_so_that_a_failure_comes_back() -> None:
    night = caller(
        """
flow: night
initial: connect
on: {error: bye}
states:
  connect: {transfer: {to: "+431234567"}, on: {failed: bye}}
  bye: {say: Nobody is there., final: true}
"""
    )
    night.orders(Answer, Transfer)
    night.apply(TransferFailed(night.op, "noAnswer")).hears("Nobody is there.")
    assert night.call.phase == "answered"


WITH_REST = """
flow: reception
initial: connect
on: {error: bye}
variables: {done: {type: text, default: "no"}}
states:
  connect: {transfer: {to: "+431234567"}, next: noted, on: {failed: bye}}
  noted: {say: Nobody hears this., set: {done: "yes"}, next: way}
  way:
    decide:
      - {guard: "call.from == 'bye'", target: bye}
      - {guard: "call.from == 'other'", target: other}
      - {guard: "call.from == 'ask'", target: ask}
      - again
  ask: {menu: {prompt: And now?, choices: {again: {dtmf: "1"}}}, on: {again: bye, exhausted: bye, hangup: bye}}
  again: {transfer: {to: "+431234567"}, on: {failed: bye}}
  bye: {say: Goodbye., final: true}
  other: {say: Goodbye., final: true, outcome: resolved}
"""


@pytest.mark.parametrize(
    ("way", "outcome"),
    [
        ("bye", "transferred"),  # a final state without a word of its own
        ("other", "resolved"),
        ("ask", "transferred"),  # nobody is there to ask, and nobody has hung up
        ("again", "transferred"),
    ],
)
def test_with_next_the_flow_goes_on_in_silence_to_its_end(way: str, outcome: str) -> None:
    connected = Caller(flow_of(WITH_REST), caller=way, transfers=True).is_connected().ended(outcome)
    assert connected.heard == ""
    assert connected.variable("done") == "yes"
    assert "hangup" not in [taken.event for taken in connected.last.path]


def test_who_leaves_while_it_rings_hangs_up() -> None:
    left = caller().presses("1").hangs_up().ended("abandoned")
    assert [taken.event for taken in left.last.path] == ["hangup"]


def test_nobody_is_transferred_who_has_left() -> None:
    with_default = "flow: reception\nvariables: {place: {type: text, default: sales}}"
    flow = FLOW.replace("flow: reception", with_default).replace(
        "next: connect}", "next: connect, on: {hangup: connect}}"
    )
    gone = caller(flow).hangs_up().ended("abandoned")
    assert gone.commands == ()


def test_what_is_put_together_to_no_address_is_unreachable_and_says_why() -> None:
    lost = caller(FLOW.replace('"{{ place }}"', '"{{ place }}!"')).presses("1").hears("unreachable Goodbye.")
    assert [failure.reason for failure in lost.last.failures] == ["`to` is no number, address or destination"]


def test_an_outcome_of_another_sort_means_nothing_to_a_transfer() -> None:
    rings = caller().presses("1")
    rings.presses("2").ignored("not an answer to what was asked")
    rings.apply(OperationDone(rings.op)).ignored("not an answer to what was asked")
    rings.apply(TransferFailed("9.9", "busy")).ignored("not the operation awaited")


def test_only_a_transfer_can_fail_as_one() -> None:
    asked = caller()
    asked.apply(TransferFailed(asked.op, "busy")).ignored("not an answer to what was asked")


def test_a_line_that_fails_to_transfer_raises_the_error_of_every_action() -> None:
    failed = caller().presses("1").fails()
    assert [taken.event for taken in failed.last.path] == ["error.system"]


def test_a_caller_who_is_connected_late_is_as_connected() -> None:
    connected = caller().presses("1").is_connected().ended("transferred")
    connected.apply(Transferred("2.1")).ignored("the call is over")


def test_the_word_of_a_transfer_is_the_authors() -> None:
    assert word_of(flow_of(FLOW).states["connect"].action) == "transfer"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("+431234567", "tel:+431234567"),
        ("+43 (1) 234-56/7", "tel:+431234567"),
        ("sip:desk@pbx.example", "sip:desk@pbx.example"),
        ("sips:desk@[2001:db8::1]:5061;transport=tls", "sips:desk@[2001:db8::1]:5061;transport=tls"),
        ("sip:pbx.example", "sip:pbx.example"),
        ("tel:+43-1-234567", "tel:+43-1-234567"),
        ("tel:112;phone-context=+43", "tel:112;phone-context=+43"),
        (" +431234567 ", "tel:+431234567"),
        ("01 234567", None),
        ("+", None),
        ("+43x", None),
        ("", None),
        ("sip:", None),
        ("sip:desk@pbx.example?Replaces=1", None),
        ("sip:desk@pbx.example>\r\nX: y", None),
        ("sip:de sk@pbx.example", None),
        ("https://pbx.example", None),
        (f"sip:{'x' * 300}@pbx.example", None),
    ],
)
def test_an_address_is_a_number_or_a_sip_address_without_header_fields(written: str, found: str | None) -> None:
    assert address(written) == found


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, "busy"),
        (600, "busy"),
        (0, "noAnswer"),
        (408, "noAnswer"),
        (480, "noAnswer"),
        (487, "noAnswer"),
        (403, "rejected"),
        (603, "rejected"),
        (404, "unreachable"),
        (503, "unreachable"),
        (405, "unsupported"),
    ],
)
def test_what_the_other_side_answers_is_one_of_five_reasons(status: int, reason: str) -> None:
    assert why_not(status) == reason


def test_what_says_nothing_of_a_connection_does_not_end_a_transfer() -> None:
    waiting = caller().presses("1")
    before = waiting.call
    waiting.apply(OperationDone(waiting.op)).ignored("not an answer to what was asked")
    assert waiting.call is before


def test_what_a_transfer_does_not_wait_for_means_nothing() -> None:
    waits = caller().presses("1")
    before = waits.call
    waits.apply(KeysPressed(waits.op, "1"))
    assert waits.last.ignored == "not an answer to what was asked"
    assert waits.call is before
