"""Invoked flows: `invoke`, `return`, whose variables, visits and handlers count where (LANGUAGE C4, C7, C10)."""

from pathlib import Path

import pytest

from ivr.engine.commands import Notify
from ivr.engine.events import CallEnded
from ivr.engine.machine import step
from ivr.engine.values import MaskedValue
from tests.caller import Caller, HangUp
from tests.flows import flow_among, flow_of

SHOP = """
flow: shop
initial: hello
on: {exhausted: bye, error: sorry, hangup: gone}
variables:
  code: {type: text, default: none}
  count: 0
states:
  hello: {say: Hello., next: pay}
  pay:
    invoke: {flow: payment, with: {amount: "{{ count + 12 }}"}, into: code}
    set: {count: "{{ count + 1 }}"}
    on:
      paid: {say: "Paid with {{ value }}.", target: thanks}
      cancelled: [{guard: visits.pay < 2, target: pay}, bye]
  thanks: {say: "Thank you, {{ code or 'nobody' }}. {{ count }}.", next: bye}
  sorry: {say: Sorry., final: true, outcome: failed}
  gone: {set: {outcome: gone}, hangup: {}}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
PAYMENT = """
flow: payment
initial: ask
on: {exhausted: none_given, error: none_given}
variables:
  amount: {type: integer, default: 1}
  count: {type: integer, default: 100}
states:
  ask:
    set: {count: "{{ count + 1 }}"}
    digits: {prompt: "{{ amount }} euros, {{ count }}, {{ visits.ask }}.", minDigits: 4, maxDigits: 4, into: code}
    next:
      - {guard: code == '0000', target: ask}
      - done
  done: {return: {event: paid, value: "{{ code }}"}}
  none_given: {return: cancelled}
"""


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(flow_among(tmp_path, SHOP, PAYMENT))


def test_c4_invoke_runs_the_other_flow_and_goes_on_with_the_name_that_it_returns(caller: Caller) -> None:
    caller.hears("Hello. 13 euros, 101, 1.").presses("4711")
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path] == [
        ("pay/ask", "digits", "pay/done"),
        ("pay", "paid", "thanks"),
        ("thanks", "done", "bye"),
    ]
    caller.hears("Paid with 4711. Thank you, 4711. 1. Goodbye.").listens().ended("unresolved")


def test_c4_the_path_has_how_a_call_came_into_the_invoked_flow(caller: Caller) -> None:
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path] == [
        ("", "called", "hello"),
        ("hello", "done", "pay"),
        ("pay", "invoked", "pay/ask"),
    ]


def test_c10_an_invoked_flow_has_its_own_variables_and_visits(caller: Caller) -> None:
    caller.presses("0000").hears("13 euros, 102, 2.").presses("4711")
    assert caller.call.memory.visits == {"hello": 1, "pay": 1, "pay/ask": 2, "pay/done": 1, "thanks": 1, "bye": 1}
    assert caller.call.memory.variables["count"] == 1
    assert caller.call.memory.variables["pay/count"] == 102
    assert caller.call.memory.variables["code"] == "4711"


def test_c10_each_run_of_an_invoked_flow_begins_from_its_defaults(caller: Caller) -> None:
    caller.presses("0000").keeps_silent().keeps_silent().keeps_silent()
    caller.hears("14 euros, 101, 1.").presses("1234").hears("Paid with 1234. Thank you, 1234. 2. Goodbye.")


def test_c4_a_name_without_a_value_stores_nothing(caller: Caller) -> None:
    for _ in range(6):
        caller.keeps_silent()
    caller.hears("Goodbye.")
    assert caller.variable("code") is None


def test_c7_an_invoked_flow_handles_its_own_events_first(caller: Caller) -> None:
    caller.fails()
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path][:2] == [
        ("pay/ask", "error.system", "pay/none_given"),
        ("pay", "cancelled", "pay"),
    ]


def test_c7_what_it_leaves_unhandled_is_raised_in_the_state_that_invokes_it(caller: Caller) -> None:
    caller.apply(CallEnded("caller"))
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path] == [("pay", "hangup", "gone")]
    caller.ended("gone")


OUTER = """
flow: outer
initial: first
on: {error: second, error.limit: end}
states:
  first: {invoke: inner, on: {back: end}}
  second: {invoke: inner, on: {back: end}}
  end: {say: The end., final: true, outcome: unresolved}
"""
INNER = """
flow: inner
initial: ask
on: {exhausted: back, error: broken, error.limit: back}
states:
  ask: {menu: {prompt: Press 1., choices: {one: {dtmf: "1"}}}, on: {one: back, hangup: back}}
  broken: {menu: {prompt: Broken. Press 1., choices: {one: {dtmf: "1"}}}, on: {one: back, exhausted: back}}
  back: {return: back}
"""


def test_c7_an_error_handler_that_leads_back_is_passed_over_outwards(tmp_path: Path) -> None:
    caller = Caller(flow_among(tmp_path, OUTER, INNER)).fails().hears("Broken. Press 1.").fails()
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path] == [
        ("first", "error.system", "second"),
        ("second", "invoked", "second/ask"),
    ]
    caller.fails().hears("Broken. Press 1.").fails().orders(HangUp).listens().ended("failed")
    assert caller.steps[-2][2].path[-1].state == "second/broken"


def test_c13_the_silent_rest_goes_on_through_a_return(tmp_path: Path) -> None:
    caller = Caller(flow_among(tmp_path, OUTER, INNER)).hangs_up()
    assert [taken.target for taken in caller.last.path] == ["first/back", "end"]
    caller.ended("unresolved")


def test_c2_a_call_that_is_too_long_leaves_every_invoked_flow(tmp_path: Path) -> None:
    outer = OUTER.replace("states:", "limits: {duration: 1m}\nstates:")
    caller = Caller(flow_among(tmp_path, outer, INNER))
    caller.now += 100
    caller.answers_wrong().answers_wrong().presses("1")
    assert [(taken.state, taken.event, taken.target) for taken in caller.last.path] == [("first", "error.limit", "end")]


def test_c4_a_flow_that_returns_ends_resolved_where_it_is_called_itself() -> None:
    caller = Caller(flow_of(INNER)).presses("1").orders(HangUp)
    assert caller.call.outcome == "resolved"


def test_c4_a_final_state_of_an_invoked_flow_ends_the_call(tmp_path: Path) -> None:
    inner = INNER.replace("back: {return: back}", "back: {say: That was all., final: true, outcome: told}")
    outer = OUTER.replace(", on: {back: end}}", "}")
    Caller(flow_among(tmp_path, outer, inner)).presses("1").hears("That was all.").listens().ended("told")


DEEP = """
flow: deep
initial: middle
on: {error: end}
states:
  middle: {invoke: {flow: middle, with: {word: outside}}, on: {back: end}}
  end: {say: "The end.", final: true, outcome: unresolved}
"""
MIDDLE = """
flow: middle
initial: inner
on: {error: back}
variables: {word: here}
states:
  inner: {invoke: {flow: innermost, with: {word: "{{ word }}!"}}, on: {back: tell}}
  tell: {say: "{{ word }}, {{ visits.inner }}.", next: back}
  back: {return: back}
"""
INNERMOST = """
flow: innermost
initial: tell
on: {error: back}
variables: {word: inside}
states:
  tell: {say: "{{ word }}", next: back}
  back: {return: back}
"""


def test_c4_flows_invoke_flows(tmp_path: Path) -> None:
    caller = Caller(flow_among(tmp_path, DEEP, MIDDLE, INNERMOST)).hears("outside! outside, 1. The end.")
    assert caller.call.memory.variables == {"middle/word": "outside", "middle/inner/word": "outside!"}
    assert [taken.target for taken in caller.last.path] == [
        *("middle", "middle/inner", "middle/inner/tell", "middle/inner/back", "middle/tell", "middle/back", "end")
    ]


LANGUAGES = """
flow: languages
initial: choose
on: {error: end}
states:
  choose: {invoke: chooser, on: {back: told}}
  told: {say: "{{ language }}, {{ outcome }}.", next: end}
  end: {hangup: {}}
"""
CHOOSER = """
flow: chooser
initial: set_it
on: {error: back}
states:
  set_it: {say: "{{ language }}.", set: {language: en-GB, outcome: chosen}, next: back}
  back: {return: back}
"""


def test_c10_an_invoked_flow_shares_language_and_facts(tmp_path: Path) -> None:
    caller = Caller(flow_among(tmp_path, LANGUAGES.replace("{{ outcome }}", "{{ outcome or 'none' }}"), CHOOSER))
    caller.hears("en-GB. en-GB, chosen.").listens().ended("chosen")


LOCK = """
flow: lock
initial: pin
on: {exhausted: bye, error: bye}
variables: {pin: {type: text, sensitive: true, default: none}}
states:
  pin: {invoke: {flow: ask_pin, into: pin}, on: {keyed: {guard: value == '1234', target: right}, gave_up: bye}}
  right: {say: Right., next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
ASK_PIN = """
flow: ask_pin
initial: ask
on: {exhausted: gave_up, error: gave_up}
states:
  ask: {digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}, next: given}
  given: {return: {event: keyed, value: "{{ pin }}"}}
  gave_up: {return: gave_up}
"""
GUARDED = LOCK.replace(
    "{keyed: {guard: value == '1234', target: right}, ", "{keyed: [{guard: value == '1234', target: right}, bye], "
)


def test_c12_the_mark_of_a_private_value_follows_it_out_of_an_invoked_flow(tmp_path: Path) -> None:
    caller = Caller(flow_among(tmp_path, GUARDED, ASK_PIN)).presses("1234").hears("Right. Goodbye.")
    assert caller.call.memory.private == {"pin": "1234", "pin/pin": "1234"}
    assert caller.call.memory.variables == {}
    assert [judged.held for judged in caller.last.judged] == [True]
    assert "1234" not in repr(caller.last.traced)


def test_c12_a_masked_value_is_returned_masked_and_its_guard_is_told(tmp_path: Path) -> None:
    flow = flow_among(tmp_path, GUARDED, ASK_PIN)
    caller, first = Caller(flow), Caller(flow).presses("1234")
    assert first.last.traced is not None
    again = step(flow, caller.call, first.last.traced, now=caller.now + 1, judged=first.last.judged)
    assert again.commands == first.last.commands
    assert again.call.memory.private == {"pin": MaskedValue(), "pin/pin": MaskedValue()}


TELLING = """
flow: telling
initial: tell
on: {error: end}
states:
  tell: {invoke: teller, next: [{guard: visits.tell < 2, target: tell}, end]}
  end: {hangup: {}}
"""
TELLER = """
flow: teller
initial: tell
on: {error: back}
states:
  tell: {notify: {email: desk@example.com, text: Somebody calls.}, next: back}
  back: {return: told}
"""


def test_each_run_of_an_invoked_flow_tells_somebody_anew(tmp_path: Path) -> None:
    caller = Caller(flow_among(tmp_path, TELLING, TELLER))
    assert [one.text for one in caller.commands if isinstance(one, Notify)] == ["Somebody calls."] * 2


def test_c4_what_is_returned_need_not_be_kept(tmp_path: Path) -> None:
    told = Caller(flow_among(tmp_path, SHOP.replace(", into: code}", "}", 1), PAYMENT))
    told.hears("Hello. 13 euros, 101, 1.").presses("4711")
    told.hears("Paid with 4711. Thank you, nobody. 1. Goodbye.")
