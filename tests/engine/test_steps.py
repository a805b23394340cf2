"""Transitions, errors, limits and private values (LANGUAGE C7, C8, C12)."""

from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from ivr.engine.actions.asking import Question
from ivr.engine.actions.decide import Decide
from ivr.engine.actions.hangup import HangUpCall
from ivr.engine.actions.menu import Menu
from ivr.engine.call import Facts, new_call
from ivr.engine.commands import Choice
from ivr.engine.events import (
    CallEnded,
    CallReceived,
    ChoiceMade,
    Event,
    KeysJudged,
    KeysPressed,
    OperationDone,
    OperationFailed,
    RecordingMade,
    RecordingReady,
    ServiceAnswered,
    SpeechHeard,
    Transcribed,
)
from ivr.engine.expressions.compile import compile_expression
from ivr.engine.flow import SELF, Branch, Branches, Flow, Limits, State
from ivr.engine.machine import step
from ivr.engine.offers import FixedChoice
from ivr.engine.scope import Scope
from ivr.engine.values import MaskedValue
from ivr.errors import MaskedRead
from tests.caller import STARTED, Caller, HangUp, Play, Reject
from tests.flows import flow_of

ORDER = """
flow: order
initial: ask
on: {exhausted: bye, error: bye}
variables: {number: {type: text, default: none}, count: 1, last: {type: integer, default: none}, name: ""}
states:
  ask:
    digits: {prompt: number, into: number}
    next:
      - {guard: count > 1, target: bye}
      - {set: {count: "{{ count + 1 }}", last: "{{ count }}"}, say: "{{ count }} {{ last }}", target: told}
  told:
    set: {name: entered}
    say: "{{ name }} {{ visits.told }}"
    next: bye
  bye: {say: "bye {{ number or 'nobody' }}", final: true}
"""


def test_c7_right_sides_are_computed_before_anything_is_stored_and_say_sees_the_new_values() -> None:
    Caller(flow_of(ORDER)).presses("7").hears("2 1 entered 1 bye 7").orders(Play, HangUp)


HANDLERS = """
flow: handlers
initial: main
on: {exhausted: bye, error: general, error.transcribe: flow_wide}
states:
  main:
    menu:
      prompt: main
      choices: {note: {dtmf: "1"}, o: {dtmf: "2"}, f: {dtmf: "3"}, g: {dtmf: "4"}}
    on: {note: note, o: own, f: flow_wide, g: general}
  note:
    record: {prompt: speak, transcribe: true, into: note}
    next: bye
    ON
  own: {say: own, final: true}
  flow_wide: {say: flow wide, final: true}
  general: {say: general, final: true}
  bye: {say: bye, final: true}
"""


@pytest.mark.parametrize(
    ("on", "heard"),
    [
        ("on: {error: own}", "own"),
        ("on: {error.transcribe.timeout: own, error: bye}", "own"),
        ("", "flow wide"),
    ],
)
def test_c7_the_states_handler_wins_and_within_a_place_the_longest_name(on: str, heard: str) -> None:
    Caller(flow_of(HANDLERS.replace("ON", on))).presses("1").speaks().not_understood("timeout").hears(heard)


def test_c7_a_flow_wide_handler_for_errors_is_not_used_in_a_state_it_leads_to() -> None:
    flow = flow_of(HANDLERS.replace("ON", ""))
    caller = Caller(flow).refused().hears("general")
    caller.fails(caller.call.asked[1].op).orders(HangUp).listens().ended("failed")


def test_c8_a_choice_that_was_never_offered_is_an_error_of_the_workflow() -> None:
    flow = flow_of("""
flow: guarded
initial: ask
on: {exhausted: bye, error: trouble}
states:
  ask:
    menu: {prompt: q, choices: {one: {dtmf: "1", speech: [First one, one]}, two: {dtmf: "2", guard: visits.ask > 1}}}
    on: {one: ask, two: bye}
  bye: {say: bye, final: true}
  trouble: {say: "{{ 'trouble' }}", final: true}
""")
    Caller(flow).chooses("two").hears("trouble")
    Caller(flow).says(" first ONE ").says("one").chooses("two").hears("bye")
    Caller(flow).presses("2").hears("q")
    Caller(flow).says("nonsense").hears("q")


def test_c8_an_expression_without_a_value_is_an_event_and_twice_ends_the_call() -> None:
    text = """
flow: fragile
initial: ask
on: {exhausted: bye, error.system: bye, error.workflow: bye, error.expression: HANDLER}
variables: {zero: 0, x: {type: decimal, default: none}}
states:
  ask:
    digits: {prompt: q, into: n}
    next: {set: {x: "{{ 1 / zero }}"}, target: bye}
  bye: {say: bye, final: true}
"""
    Caller(flow_of(text.replace("HANDLER", "bye"))).presses("1").hears("bye")
    twice = "{set: {x: '{{ 1 / zero }}'}, target: bye}"
    Caller(flow_of(text.replace("HANDLER", twice))).presses("1").orders(HangUp).listens().ended("failed")


def unchecked(initial: str, states: dict[str, State], on: dict[str, Branches]) -> Flow:
    """Build a flow that `ivr check` would refuse."""
    limits = Limits(duration=1800.0, turns=200)
    return Flow("unchecked", "hash", initial, states, on, {}, ZoneInfo("UTC"), "en-US", "male", limits)


def test_a_chain_without_end_raises_error_limit() -> None:
    left, right = (Branch("left"),), (Branch("right"),)
    states = {
        "left": State("left", Decide(), {"decided": right}),
        "right": State("right", Decide(), {"decided": left}),
        "end": State("end", HangUpCall(), {}, final=True, outcome="tired"),
    }
    flow = unchecked("left", states, {"error.limit": (Branch("end"),)})
    caller = Caller(flow).orders(Reject)
    assert (caller.call.outcome, len(caller.last.path)) == ("tired", 1002)


def test_c2_a_call_over_its_limits_gets_error_limit_once() -> None:
    text = """
flow: long
initial: ask
limits: {turns: 10, duration: 1m}
on: {exhausted: bye, error: bye}
states:
  ask: {menu: {prompt: q, choices: {go: {dtmf: "1"}}}, on: {go: ask}}
  bye: {say: bye, final: true}
"""
    caller = Caller(flow_of(text))
    for _ in range(9):
        caller.presses("1").hears("q")
    caller.presses("1").hears("bye").orders(Play, HangUp)
    late = Caller(flow_of(text))
    late.now += 70
    late.presses("1").hears("bye")


PIN = """
flow: pin
initial: ask
on: {exhausted: bye, error: bye}
variables: {pin: {type: text, sensitive: true}}
states:
  ask:
    digits: {prompt: pin, minDigits: 4, maxDigits: 4, sensitive: true, into: pin}
    next:
      - {guard: "pin == '4711'", target: inside}
      - outside
  inside: {say: welcome, final: true}
  outside: {say: wrong, final: true}
  bye: {say: bye, final: true}
"""


def test_c12_sensitive_keys_are_kept_apart_masked_in_the_trace_and_forgotten_at_the_end() -> None:
    caller = Caller(flow_of(PIN)).presses("47")
    assert caller.last.traced == KeysJudged("1.2", "refused")
    caller.presses("4711").hears("welcome")
    assert caller.last.traced == KeysJudged("2.1", "accepted")
    assert (caller.variable("pin"), "pin" in caller.call.memory.variables) == ("4711", False)
    caller.listens()
    assert caller.call.memory.private == {}


def test_c12_a_masked_answer_replays_by_what_its_guards_said() -> None:
    flow = flow_of(PIN)
    live = Caller(flow).presses("1234").hears("wrong")
    masked = Caller(flow)
    replayed = step(flow, masked.call, KeysJudged("1.2", "accepted"), now=live.now, judged=live.last.judged)
    assert replayed.commands == live.last.commands
    assert replayed.call.memory.private["pin"] == MaskedValue()
    with pytest.raises(MaskedRead):
        step(flow, masked.call, KeysJudged("1.2", "accepted"), now=live.now)


def test_c12_the_words_of_a_sensitive_recording_are_masked() -> None:
    flow = flow_of("""
flow: secret
initial: note
on: {exhausted: bye, error: bye}
states:
  note:
    record: {prompt: speak, transcribe: true, sensitive: true, into: note}
    next:
      - {guard: "transcript and 'blue' in transcript", target: blue}
      - bye
  blue: {say: blue, final: true}
  bye: {say: bye, final: true}
""")
    live = Caller(flow).speaks()
    assert live.request.sensitive
    waiting = live.call
    live.understood("navy blue").hears("blue")
    kept = live.last.traced
    assert kept == ServiceAnswered(live.steps[1][2].call.waiting.job, Transcribed(masked=True))
    replayed = step(flow, waiting, kept, now=live.now, judged=live.last.judged)
    assert replayed.commands == live.last.commands


@pytest.mark.parametrize(("told", "measured", "kept"), [(0.0, 3.5, "3.5"), (2.0, 3.5, "2.0"), (0.0, None, "0.0")])
def test_whoever_listened_knows_how_long_a_recording_is_where_the_line_did_not(
    told: float, measured: float | None, kept: str
) -> None:
    caller = Caller(
        flow_of("""
flow: message
initial: note
on: {exhausted: bye, error: bye}
states:
  note: {record: {prompt: speak, transcribe: true, into: note}, next: thanks}
  thanks: {say: "{{ note.seconds }} seconds", final: true}
  bye: {say: bye, final: true}
""")
    )
    caller.speaks(told)
    caller.apply(ServiceAnswered(caller.job, Transcribed("hello", seconds=measured))).hears(f"{kept} seconds")


def test_an_answer_to_nothing_changes_nothing() -> None:
    caller = Caller(flow_of(PIN))
    caller.apply(KeysPressed("9.9", "1")).ignored("not the operation awaited")
    caller.apply(RecordingMade("1.2", 1.0, "a.wma")).ignored("not an answer to what was asked")
    caller.apply(RecordingReady("1.2", "a.wma")).ignored("no recording is awaited")
    caller.apply(ChoiceMade("1.2", "one", "keys")).ignored("not an answer to what was asked")


def test_c12_of_what_nobody_listened_to_neither_keys_nor_words_are_kept() -> None:
    caller = Caller(flow_of(PIN))
    assert caller.apply(KeysPressed("9.9", "4711")).last.traced == KeysPressed("?", "")
    assert caller.apply(SpeechHeard("9.9", "four seven")).last.traced == SpeechHeard("?", "")
    unasked = ServiceAnswered("9.9", Transcribed("words"))
    assert caller.apply(unasked).last.traced == ServiceAnswered("9.9", Transcribed())


def test_c12_nor_is_anything_else_that_a_line_writes_freely() -> None:
    caller = Caller(flow_of(PIN))
    examples: list[tuple[Event, Event]] = [
        (ChoiceMade("4711", "4711", "keys"), ChoiceMade("?", "", "keys")),
        (OperationFailed("471.1", "system", "keyed 4711"), OperationFailed("?", "system")),
        (RecordingMade("0.1", 4711.0, "a.wma"), RecordingMade("0.1", 0.0, "a.wma")),
        (CallReceived("29:4711", "28:4711", "de-4711"), CallReceived(None, "")),
    ]
    for event, kept in examples:
        assert caller.apply(event).last.traced == kept
        again = caller.apply(kept).last  # a trace is stepped again as it was kept
        assert (again.ignored, again.traced) == (caller.steps[-2][2].ignored, kept)


def test_c12_the_line_s_own_words_are_not_kept_where_the_state_that_listened_is_private() -> None:
    caller = Caller(flow_of(PIN))
    event, _, stepped = caller.apply(OperationFailed(caller.op, "system", "keyed 4711")).steps[-1]
    assert stepped.traced == replace(event, reason="")
    assert "4711" not in repr(stepped)


def test_the_same_arguments_give_the_same_answer() -> None:
    flow = flow_of(ORDER)
    call = new_call(flow.hash, Facts(id="1", channel="test"))
    event = Caller(flow).steps[0][0]
    assert step(flow, call, event, now=STARTED) == step(flow, call, event, now=STARTED)


def test_a_hold_prompt_that_fails_is_silence() -> None:
    flow = flow_of("""
flow: hold
initial: note
variables: {zero: 0}
on: {exhausted: bye, error: bye}
states:
  note:
    record: {prompt: speak, transcribe: true, holdPrompt: "{{ 1 / zero }}", into: note}
    next: bye
    on: {error.transcribe: bye}
  bye: {say: bye, final: true}
""")
    Caller(flow).speaks().holds().hears("(1000 ms)")


def test_who_has_gone_cannot_go_again() -> None:
    flow = flow_of(HANDLERS.replace("ON", ""))
    caller = Caller(flow).presses("1").speaks(hangs_up=True).apply(CallEnded("caller"))
    caller.ignored("the caller has already left").understood("words").ended("abandoned")


def test_a_value_that_does_not_fit_its_variable_is_an_error_of_the_expression() -> None:
    flow = flow_of("""
flow: range
initial: ask
variables: {age: {type: integer, default: 20, min: 18}, number: {type: integer, default: 0}}
on: {exhausted: bye, error: trouble}
states:
  ask: {digits: {prompt: number, into: number}, next: {set: {age: "{{ number }}"}, target: bye}}
  bye: {say: "bye {{ age }}", final: true}
  trouble: {say: trouble, final: true}
""")
    Caller(flow).presses("19").hears("bye 19")
    Caller(flow).presses("17").hears("trouble")


def test_a_private_value_that_is_copied_stays_masked_in_a_replay() -> None:
    flow = flow_of("""
flow: copy
initial: ask
variables: {pin: {type: text, sensitive: true}, copy: {type: text, sensitive: true, default: none}}
on: {exhausted: bye, error: bye}
states:
  ask:
    digits: {prompt: pin, maxDigits: 4, sensitive: true, into: pin}
    next: {set: {copy: "{{ pin }}"}, target: second}
  second: {digits: {prompt: again, sensitive: true, into: pin}, next: [{guard: pin == copy, target: bye}, ask]}
  bye: {say: bye, final: true}
""")
    live = Caller(flow).presses("4711")
    replayed = step(flow, Caller(flow).call, KeysJudged("1.2", "accepted"), now=live.now, judged=live.last.judged)
    assert replayed.call.memory.private == {"pin": MaskedValue(), "copy": MaskedValue()}
    refused = step(flow, Caller(flow).call, KeysJudged("1.2", "refused"), now=live.now)
    assert refused.call.wrong == 1


def test_what_most_actions_never_get() -> None:
    flow = flow_of(ORDER)
    caller = Caller(flow)
    scope, say = Scope(flow, caller.call.facts, caller.call.memory, STARTED), flow.states["told"].action
    event = OperationDone("1.1")
    assert (say.attempts, say.hear(scope, event, ()), say.hold(scope), say.traced(event, None)) == (0, None, (), event)
    with pytest.raises(AssertionError, match="Say does not ask"):
        say.again(scope, "noInput", 1)


def test_a_scope_lists_what_can_be_read_and_nothing_else() -> None:
    flow = flow_of(ORDER)
    caller = Caller(flow)
    scope = Scope(flow, caller.call.facts, caller.call.memory, STARTED, {"digits": "7"})
    facts = {"now", "today", "language", "call", "calendar", "visits"}
    assert set(scope) == {*facts, "digits", "count", "last", "name", "number"}
    assert len(scope) == 11
    with pytest.raises(KeyError):
        scope["nothing"]


def test_a_deadline_is_there_only_while_something_is_waited_for() -> None:
    caller = Caller(flow_of(HANDLERS.replace("ON", ""))).presses("1")
    assert caller.call.deadline is None
    caller.speaks()
    assert caller.call.deadline == caller.now + 30


def test_a_chain_that_even_error_limit_cannot_leave_ends_the_call() -> None:
    chain = Branch("left"), Branch("right")
    states = {
        "left": State("left", Decide(), {"decided": chain[1:]}),
        "right": State("right", Decide(), {"decided": chain[:1]}),
    }
    flow = unchecked("left", states, {"error": chain[:1]})
    caller = Caller(flow).orders(Reject)
    assert caller.call.outcome == "failed"


def test_branches_of_which_none_is_open_raise_an_error() -> None:
    closed = (Branch("end", guard=compile_expression("false")),)
    states = {"gate": State("gate", Decide(), {"decided": closed}), "end": State("end", HangUpCall(), {}, final=True)}
    flow = unchecked("gate", states, {"error.expression": (Branch("end"),)})
    assert [taken.event for taken in Caller(flow).last.path] == ["called", "error.expression"]


def test_c5_a_menu_without_an_open_choice_raises_empty() -> None:
    closed = FixedChoice(Choice("one", "1"), guard=compile_expression("false"))
    menu = Menu(Question(attempts=3), (closed,))
    end = (Branch("end"),)
    states = {"ask": State("ask", menu, {"empty": end}), "end": State("end", HangUpCall(), {}, final=True)}
    caller = Caller(unchecked("ask", states, {}))
    assert [taken.event for taken in caller.last.path] == ["called", "empty"]


def test_a_chain_that_even_error_limit_cannot_leave_is_given_up_where_the_limit_is_handled() -> None:
    left, right = (Branch("left"),), (Branch("right"),)
    states = {"left": State("left", Decide(), {"decided": right}), "right": State("right", Decide(), {"decided": left})}
    flow = unchecked("left", states, {"error.limit": (Branch(SELF),)})
    caller = Caller(flow).orders(Reject)
    assert caller.call.outcome == "failed"


def test_c10_keys_out_of_the_variables_range_are_a_failed_attempt() -> None:
    flow = flow_of("""
flow: age
initial: ask
variables: {age: {type: integer, min: 18, max: 99}}
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: age, noMatch: no, into: age}, next: told}
  told: {say: "{{ age }}", final: true}
  bye: {say: bye, final: true}
""")
    Caller(flow).presses("7").hears("no age").presses("70").hears("70")


def test_c12_a_masked_recording_stays_masked() -> None:
    flow = flow_of("""
flow: secret
initial: note
on: {exhausted: bye, error: bye}
states:
  note:
    record: {prompt: speak, transcribe: true, sensitive: true, into: note}
    next: bye
  bye: {say: bye, final: true}
""")
    live = Caller(flow).speaks()
    masked = replace(live.call, memory=replace(live.call.memory, private={"note": MaskedValue()}))
    answered = step(flow, masked, ServiceAnswered(live.job, Transcribed("x")), now=live.now)
    assert answered.call.memory.private == {"note": MaskedValue()}
