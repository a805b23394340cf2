"""Variables of the caller, `user.NAME`: what a call begins with, what it keeps, what a trace shows of it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.engine.call import Facts, Step, new_call
from ivr.engine.commands import Remember
from ivr.engine.events import CallAnswered, CallPlaced, CallReceived, Event, OperationFailed
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.engine.masking import public
from ivr.engine.scope import Scope
from ivr.engine.user_memory import LONGEST
from ivr.engine.values import DateValue, MaskedValue, Stored, Value, pack
from ivr.errors import MaskedRead
from tests.caller import STARTED, Caller
from tests.flows import flow_among, flow_of

DESK = """
flow: desk
initial: begin
on: {exhausted: bye, error: bye}
variables:
  user.name: {type: text, keep: 90d}
  user.visits: {default: 0, keep: 1y}
  user.pin: {type: text, sensitive: true, keep: 90d}
  user.born: {type: date, keep: 90d}
states:
  begin:
    decide: [{guard: user.name is not none, target: known}, ask]
    set: {user.visits: "{{ user.visits + 1 }}"}
  known:
    say: "Hello {{ user.name }}, {{ 'on ' ~ (user.born | date) if user.born is not none else 'again' }}."
    next: main
  ask:
    menu: {prompt: Who?, choices: {Ann: {dtmf: "1"}, Bob: {dtmf: "2"}}, into: user.name, maxAttempts: 1}
    next: main
    on: {hangup: gone, exhausted: gone}
  gone: {say: Bye., set: {user.name: nobody}, final: true, outcome: abandoned}
  main:
    menu: {prompt: What?, choices: {pin: {dtmf: "1"}, check: {dtmf: "2"}, forget: {dtmf: "3"}, end: {dtmf: "4"}}}
    on: {pin: pin, check: check, forget: {target: main, set: {user.name: "{{ none }}"}}, end: bye}
  pin: {digits: {prompt: PIN?, sensitive: true, into: user.pin}, next: main}
  check: {decide: [{guard: user.pin == '12', target: right}, main]}
  right: {say: Right., next: main}
  bye: {say: "Bye {{ user.name or 'stranger' }}.", final: true}
"""


def called(user: Mapping[str, Stored], *masked: str) -> CallReceived:
    return CallReceived("+431", "28:bot", user=user, masked=masked)


def kept(taken: Step) -> Mapping[str, Stored]:
    """Return what a step orders to be kept, private values by their names alone."""
    orders = [one for one in taken.commands if isinstance(one, Remember)]
    assert len(orders) < 2
    return {**orders[0].values, **dict.fromkeys(orders[0].private, "(private)")} if orders else {}


def test_nothing_is_known_of_whoever_calls_first_and_what_is_said_is_kept() -> None:
    caller = Caller(flow_of(DESK))
    assert kept(caller.last) == {"user.visits": 1}
    caller.hears("Who?").chooses("Ann").hears("What?")
    assert kept(caller.last) == {"user.name": "Ann"}
    assert caller.call.memory.variables["user.name"] == "Ann"


def test_what_is_kept_is_known_from_the_first_word_on() -> None:
    born = DateValue(date(1990, 5, 4))
    first = called({"user.name": "Ann", "user.visits": 6, "user.born": born, "user.pin": None})
    caller = Caller(flow_of(DESK), first=first)
    caller.hears("Hello Ann, on Friday, May 4. What?")
    assert kept(caller.last) == {"user.visits": 7}, "what was not put in is not kept for longer"
    assert caller.last.traced is None, "nothing of it is private"


@pytest.mark.parametrize(
    ("user", "visits"),
    [
        ({"user.name": 5, "user.visits": "many", "user.born": "soon"}, 1),
        ({"user.name": None, "user.visits": None}, 1),
        ({"user.visits": "4", "user.other": "x", "tries": 3}, 5),
    ],
)
def test_what_does_not_fit_todays_types_is_as_if_it_were_not_there(user: Mapping[str, Stored], visits: int) -> None:
    caller = Caller(flow_of(DESK), first=called(user)).hears("Who?")
    assert kept(caller.last) == {"user.visits": visits}
    assert caller.call.memory.variables == {"user.visits": visits}


def test_the_same_value_again_is_kept_anew_so_that_its_time_begins_again() -> None:
    flow = flow_of("""
flow: wish
initial: begin
variables: {user.language: {type: text, keep: 90d}}
states:
  begin: {say: Hello., set: {user.language: German}, final: true}
""")
    assert kept(Caller(flow, first=called({"user.language": "German"})).last) == {"user.language": "German"}


def test_none_erases_what_is_kept_and_the_variable_has_its_default_again() -> None:
    caller = Caller(flow_of(DESK), first=called({"user.name": "Ann"})).hears("Hello Ann, again. What?")
    caller.chooses("forget")
    assert kept(caller.last) == {"user.name": None}
    assert "user.name" not in caller.call.memory.variables
    caller.chooses("end").hears("Bye stranger.")


def test_what_a_caller_never_heard_of_is_taken_back_and_that_is_ordered_too() -> None:
    flow = flow_of("""
flow: unheard
initial: ask
on: {error.system: ask, error: bye, exhausted: bye}
variables: {user.tries: {default: 0, keep: 90d}, user.last: {type: text, keep: 90d}}
states:
  ask: {menu: {prompt: Who?, choices: {Ann: {dtmf: "1"}}}, next: first}
  first: {say: One., next: second}
  second: {say: Two., set: {user.tries: "{{ user.tries + 1 }}", user.last: x}, next: bye}
  bye: {say: Bye., set: {user.tries: 9}, final: true}
""")
    caller = Caller(flow).chooses("Ann")
    assert kept(caller.last) == {"user.last": "x", "user.tries": 9}
    first = caller.call.asked[0].op
    caller.apply(OperationFailed(first, "system"))
    assert kept(caller.last) == {"user.last": None, "user.tries": None}
    assert not caller.call.memory.variables


def test_what_the_rest_of_a_call_sets_is_kept_though_nobody_is_there() -> None:
    caller = Caller(flow_of(DESK)).hangs_up()
    assert caller.call.phase == "over"
    assert kept(caller.last) == {"user.name": "nobody"}


# --- private -----------------------------------------------------------------------------------------------------


def test_a_private_value_is_ordered_apart_and_a_trace_shows_that_there_is_one() -> None:
    caller = Caller(flow_of(DESK), first=called({"user.name": "Ann"})).chooses("pin").presses("12")
    (order,) = [one for one in caller.last.commands if isinstance(one, Remember)]
    assert order == Remember(private={"user.pin": "12"})
    assert public(order) == Remember(private={"user.pin": MaskedValue()})
    assert public(Remember(private={"user.pin": None})) == Remember(private={"user.pin": None})
    assert public(Remember({"user.name": "Ann"})) == Remember({"user.name": "Ann"})


def test_a_private_value_that_is_known_is_masked_in_the_first_line_of_the_trace() -> None:
    flow = flow_of(DESK)
    caller = Caller(flow, first=called({"user.name": "Ann", "user.pin": "12"}))
    traced = caller.last.traced
    assert traced == called({"user.name": "Ann"}, "user.pin")
    caller.chooses("check").hears("Right. What?")
    judged = caller.last.judged
    again = Caller(flow, first=traced)
    last = step(flow, again.call, caller.steps[-1][0], now=again.now, judged=judged)
    assert last.commands == caller.last.commands, "a replay decides by what was judged"
    with pytest.raises(MaskedRead):
        step(flow, again.call, caller.steps[-1][0], now=again.now)


def test_a_private_value_is_kept_where_its_call_ends_with_the_same_step() -> None:
    flow = flow_of("""
flow: last
initial: ask
on: {exhausted: done, hangup: done, error: over}
variables: {user.pin: {type: text, sensitive: true, keep: 90d}}
states:
  ask: {menu: {prompt: Who?, choices: {Ann: {dtmf: "1"}}}, next: done}
  done: {decide: [over], set: {user.pin: "99"}}
  over: {hangup: {}}
""")
    caller = Caller(flow).hangs_up()
    assert caller.call.phase == "over"
    assert [one for one in caller.last.commands if isinstance(one, Remember)] == [Remember(private={"user.pin": "99"})]
    assert not caller.call.memory.private


def test_too_long_a_value_is_kept_in_the_call_alone_and_the_author_is_told() -> None:
    flow = flow_of("""
flow: long
initial: ask
on: {exhausted: bye, error: bye}
variables: {user.note: {type: text, keep: 90d}, user.tries: {default: 0, keep: 90d}}
states:
  ask: {record: {prompt: Speak., transcribe: true, into: said}, next: note}
  note: {decide: [bye], set: {user.note: "{{ said.transcript or '' }}"}}
  bye: {say: "{{ user.note or 'nothing' }}", final: true}
""")
    caller = Caller(flow).speaks().understood("a" * LONGEST)
    assert kept(caller.last) == {}
    assert [one.reason for one in caller.last.failures] == ["user.note is too long to be kept"]
    assert len(caller.heard) > 1000
    assert kept(Caller(flow).speaks().understood("a" * (LONGEST - 2)).last).keys() == {"user.note"}


# --- placed calls, invoked flows -------------------------------------------------------------------------------------


def test_a_call_that_we_place_knows_whoever_is_called() -> None:
    flow = flow_of("""
flow: reminder
initial: greet
on: {error: bye}
variables:
  user.name: {type: text, keep: 90d}
  user.pin: {type: text, sensitive: true, keep: 90d}
  code: {type: text, default: none, parameter: true, sensitive: true}
  day: {type: text, default: "", parameter: true}
states:
  greet: {say: "Hello {{ user.name or 'you' }}, {{ day }}.", next: judge}
  judge: {decide: [{guard: user.pin == code, target: bye}, bye]}
  bye: {say: Bye., set: {user.pin: "1"}, final: true}
""")
    user: Mapping[str, Stored] = {"user.name": "Ann", "user.pin": "12"}
    placed = CallPlaced("+431", "+432", values={"code": "7", "day": "today"}, user=user)
    begun = step(flow, new_call(flow.hash, Facts()), placed, now=STARTED)
    assert begun.traced == CallPlaced(
        "+431", "+432", values={"day": "today"}, masked=("code", "user.pin"), user={"user.name": "Ann"}
    )
    assert begun.call.memory.private == {"code": "7", "user.pin": "12"}
    answered = step(flow, begun.call, CallAnswered("human"), now=STARTED)
    assert kept(answered) == {"user.pin": "(private)"}
    replayed = step(flow, new_call(flow.hash, Facts()), begun.traced, now=STARTED)
    assert replayed.call.memory.private == {"code": MaskedValue(), "user.pin": MaskedValue()}
    assert kept(replayed) == {}


CALLING = """
flow: calling
initial: ask
on: {exhausted: bye, error: bye, hangup: bye}
variables: {user.name: {type: text, keep: 90d}}
states:
  ask: {invoke: asking, on: {asked: told}}
  told: {say: "You are {{ user.name or 'nobody' }}.", next: bye}
  bye: {say: Bye., final: true}
"""
ASKING = """
flow: asking
initial: who
on: {error: back}
variables:
  user.name: {type: text, keep: 90d}
  user.asked: {default: 7, keep: 90d}
  own: {type: text, default: ""}
states:
  who:
    menu: {prompt: "Who? {{ user.asked }}", choices: {Ann: {dtmf: "1"}}, into: user.name}
    on: {Ann: {target: back, set: {user.asked: "{{ user.asked + 1 }}", own: "{{ user.name }}"}}, exhausted: back}
  back: {return: asked, set: {own: "{{ own }}{{ user.name or '' }}"}}
"""


def test_an_invoked_flow_means_the_same_caller(tmp_path: Path) -> None:
    flow = flow_among(tmp_path, CALLING, ASKING)
    assert flow.remembered == {"user.name", "user.asked"}
    caller = Caller(flow, first=called({"user.asked": 3})).hears("Who? 3")
    caller.chooses("Ann").hears("You are Ann. Bye.")
    assert kept(caller.last) == {"user.asked": 4, "user.name": "Ann"}
    assert set(caller.call.memory.variables) == {"user.name", "user.asked", "ask/own"}
    scope = Scope(flow, caller.call.facts, caller.call.memory, caller.now)
    assert {"user.name", "user.asked", "call"} <= set(scope)
    inner = Scope(flow.parts["ask/"], caller.call.facts, caller.call.memory, caller.now, prefix="ask/")
    assert (inner["user.name"], inner["user.asked"]) == ("Ann", 4)
    assert {"user.name", "user.asked"} <= set(inner)
    nobody = Scope(flow, caller.call.facts, new_call("", Facts()).memory, caller.now)
    assert nobody["user.name"] is None
    with pytest.raises(KeyError):
        nobody["user.unknown"]


# --- two calls of one caller -----------------------------------------------------------------------------------------

COUNTING = flow_of("""
flow: counting
initial: main
on: {exhausted: bye, error: bye}
variables: {user.last: {type: text, keep: 90d}, user.count: {default: 0, keep: 90d}}
states:
  main:
    menu: {prompt: Which?, choices: {one: {dtmf: "1"}, two: {dtmf: "2"}, none: {dtmf: "3"}}, noInput: Again.}
    on:
      one: {target: main, set: {user.last: one, user.count: "{{ user.count + 1 }}"}}
      two: {target: main, set: {user.last: two}}
      none: {target: main, set: {user.last: "{{ none }}"}}
  bye: {say: "{{ user.last or '' }}", final: true}
""")


class Kept:
    """What a store holds of one caller."""

    def __init__(self) -> None:
        self.values: dict[str, Stored] = {}
        self.calls = [self.begun(), self.begun()]

    def begun(self) -> Caller:
        user = {name: self.values.get(name) for name in sorted(COUNTING.remembered)}
        return Caller(COUNTING, first=called(user))

    def saved(self, caller: Caller) -> None:
        for name, value in kept(caller.last).items():
            self.values[name] = value
            if value is None:
                del self.values[name]


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["one", "two", "none", "begin"]))))
def test_of_two_calls_of_one_caller_the_last_that_writes_a_name_counts(did: list[tuple[int, str]]) -> None:
    world = Kept()
    last: str | None = None
    counts = [0, 0]
    count: int | None = None
    for which, what in did:
        if what == "begin":
            world.calls[which] = world.begun()
            counts[which] = count or 0
            continue
        world.saved(world.calls[which].chooses(what))
        last = None if what == "none" else what
        if what == "one":
            counts[which] += 1
            count = counts[which]
    wanted = {"user.last": last, "user.count": count}
    assert world.values == {name: value for name, value in wanted.items() if value is not None}


# --- what never happens ----------------------------------------------------------------------------------------------


def test_a_flow_that_keeps_nothing_orders_nothing() -> None:
    flow = flow_of("""
flow: plain
initial: begin
variables: {name: {type: text, default: Ann}}
states:
  begin: {say: "{{ name }}", set: {name: Bob}, final: true}
""")
    assert not flow.remembered
    assert kept(Caller(flow, first=called({"user.name": "Eve"})).hears("Bob").last) == {}


def test_what_is_ignored_keeps_nothing() -> None:
    caller = Caller(flow_of(DESK)).chooses("Ann")
    before = caller.call
    event: Event = OperationFailed("9.9", "system")
    caller.apply(event).ignored("not an operation of the last reply")
    assert caller.call is before
    assert kept(caller.last) == {}


def test_every_value_that_is_kept_is_one_that_a_call_can_begin_with() -> None:
    def flow(text: str) -> Flow:
        return flow_of(f"""
flow: types
initial: begin
on: {{error: bye}}
variables: {{user.one: {{type: {text}, keep: 90d}}}}
states:
  begin: {{decide: [{{guard: user.one is not none, target: known}}, bye]}}
  known: {{say: Known., final: true}}
  bye: {{say: Bye., final: true}}
""")

    texts: Value = ["a", "b"]
    person: Value = {"name": "Ann", "age": None}
    for text, value in (("[text]", texts), ("{name: text, age?: integer}", person)):
        Caller(flow(text), first=called({"user.one": pack(value)})).hears("Known.")
