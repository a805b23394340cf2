"""Cases, places and replays of calls that went through an invoked flow: its states are named `pay/ask`."""

from pathlib import Path

import pytest

from ivr.engine.call import Taken
from ivr.engine.commands import Text
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.load import LoadedFlow, load_flow
from ivr.trace.flow_places import FlowPlaces
from ivr.trace.milestones import goals_reached, states_reached
from ivr.trace.private import private_rules
from tests.caller import Caller

SHOP = """\
flow: shop
initial: hello
on: {error: bye}
goals: {paid_for: payment_made}
states:
  hello: {say: Welcome to the shop., next: pay}
  pay: {invoke: {flow: payment, with: {amount: 12}}, next: bye}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
PAYMENT = """\
flow: payment
description: Asks for a code.
initial: ask
on: {exhausted: given_up, error: given_up}
variables: {amount: 5}
states:
  ask:
    digits: {prompt: "Key the code to pay {{ amount }} euros.", into: code}
    next: [{guard: code == '1', target: told}, given_up]
  told: {say: Thank you for paying., milestone: payment_made, next: paid}
  paid: {return: paid}
  given_up: {return: given_up}
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedFlow:
    (tmp_path / "shop.yaml").write_text(SHOP, "utf-8")
    (tmp_path / "payment.yaml").write_text(PAYMENT, "utf-8")
    return load_flow(tmp_path / "shop.yaml", named="shop.yaml")


@pytest.fixture
def places(loaded: LoadedFlow) -> FlowPlaces:
    assert loaded.bundle is not None
    return FlowPlaces.of(Bundle.decode(loaded.bundle.encode(), loaded.bundle.hash))


def test_a_state_of_an_invoked_flow_is_found_in_its_own_file(places: FlowPlaces) -> None:
    assert str(places.state("pay/ask")) == "payment.yaml:7:3"
    assert str(places.state("pay")) == "shop.yaml:7:3"
    assert str(places.question("pay/ask")) == "payment.yaml:8:5"
    assert str(places.outcome("bye")) == "shop.yaml:8:46"
    assert str(places.outcome("pay/paid")) == "payment.yaml:11:3"


def test_every_state_has_its_line(places: FlowPlaces, loaded: LoadedFlow) -> None:
    lines = places.lines()
    assert lines["pay/told"] == 10
    assert lines.keys() == loaded.served().states.keys()


def test_a_transition_inside_of_an_invoked_flow_is_found_there(places: FlowPlaces) -> None:
    assert str(places.transition(Taken("pay/ask", "digits", 1, "pay/given_up"))) == "payment.yaml:9:48"
    assert str(places.transition(Taken("pay", "paid", 0, "bye"))) == "shop.yaml:7:60"


def test_what_an_invoked_flow_says_is_found_there(places: FlowPlaces) -> None:
    spoken = Text("Key the code to pay 12 euros.", "male", "en-US")
    found = places.spoken(spoken, ["hello", "pay/ask"])
    assert str(found) == "payment.yaml:8:22"
    assert str(places.spoken(Text("Goodbye.", "male", "en-US"), ["bye", "pay/ask"])) == "shop.yaml:8:14"


def test_a_milestone_of_an_invoked_flow_counts_for_the_goals_of_the_flow_that_was_called(loaded: LoadedFlow) -> None:
    flow = loaded.served()
    caller = Caller(flow).presses("1")
    path = [taken for _, _, step in caller.steps for taken in step.path]
    assert goals_reached(states_reached(path), flow) == ("paid_for",)


def test_an_error_in_an_invoked_flow_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, "utf-8")
    broken = PAYMENT.replace("code == '1'", "code | int == 1").replace("into: code", "into: code, maxDigits: 20")
    (tmp_path / "payment.yaml").write_text(broken.replace("code | int == 1", "1 // (code | length - 1) == 1"), "utf-8")
    caller = Caller(load_flow(tmp_path / "shop.yaml").served()).presses("1")
    assert [(one.state, one.line, one.file) for one in caller.last.failures] == [
        ("pay/ask", 9, str(tmp_path / "payment.yaml"))
    ]


LOCK = """\
flow: lock
initial: open
on: {error: bye}
variables: {code: {type: text, sensitive: true, default: none}, secret: {type: text, sensitive: true, default: none}}
states:
  open:
    digits: {prompt: Key your PIN., into: code, sensitive: true}
    next: check
    on: {exhausted: bye}
  check: {invoke: {flow: judge, with: {pin: "{{ code }}"}}, on: {right: bye, wrong: bye}}
  bye: {say: Goodbye., final: true, outcome: unresolved}
"""
JUDGE = """\
flow: judge
initial: judge
on: {error: wrong}
variables: {pin: {type: text, sensitive: true, default: none}, copy: {type: text, sensitive: true, default: none}}
states:
  judge: {set: {copy: "{{ pin or '-' }}"}, decide: [{guard: copy == '1234', target: right}, wrong]}
  right: {return: right}
  wrong: {return: wrong}
"""


@pytest.mark.parametrize(
    ("of", "to"),
    [("{{ code }}", "{{ code | trim }}"), ("pin or '-'", "pin or '+'")],
    ids=["with", "set"],
)
def test_how_private_values_come_about_in_an_invoked_flow_is_part_of_a_case(tmp_path: Path, of: str, to: str) -> None:
    def rules(lock: str, judge: str) -> str | None:
        (tmp_path / "lock.yaml").write_text(lock, "utf-8")
        (tmp_path / "judge.yaml").write_text(judge, "utf-8")
        return private_rules(load_flow(tmp_path / "lock.yaml").served())

    before = rules(LOCK, JUDGE)
    assert before is not None
    assert rules(LOCK.replace(of, to), JUDGE.replace(of, to)) != before
    assert rules(LOCK, JUDGE) == before
