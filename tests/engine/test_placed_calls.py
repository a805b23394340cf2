"""A call that we place: its flow begins when somebody answers; until then there is nothing to be said."""

from typing import Any, Literal, get_args

import pytest

from ivr.engine.call import Call, Facts, Step, new_call
from ivr.engine.commands import HangUp, Notify, Play, Recognize, Request
from ivr.engine.destinations import why_not_answered
from ivr.engine.events import (
    CallAnswered,
    CallEnded,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    CallRinging,
    Event,
    HoldNeeded,
    KeysPressed,
    NotAnswered,
    OperationDone,
    TimePassed,
)
from ivr.engine.flow import Flow
from ivr.engine.machine import step
from ivr.engine.values import Value, unpack
from tests.flows import flow_of

NOW = 1_795_168_800.0
"Friday, 20 November 2026, 10:00 UTC."
OURS, THEIRS = "+4315550", "+436601234567"

REMINDER = """
flow: reminder
initial: greet
on: {exhausted: bye, error: bye}
limits: {duration: 1m}
variables:
  patient: {type: text, default: none, parameter: true}
  fee: {type: decimal, default: none, parameter: true, min: "0", max: "1000"}
  code: {type: text, default: none, parameter: true, sensitive: true}
  day: {type: date, default: none, parameter: true}
  tries: 0
states:
  greet: {answer: {}, next: who}
  who: {decide: [{guard: call.answeredBy == 'machine', target: later}, {guard: code == '1234', target: known}, ask]}
  ask:
    menu:
      prompt:
        - "{{ call.direction }} {{ call.from or 'nobody' }} {{ call.to }} {{ call.party or 'nobody' }}"
        - "{{ call.answeredBy or 'we' }}"
      choices: {yes: {dtmf: "1"}}
    on: {yes: told}
  told: {notify: {webhook: "https://hooks.example.com/told", text: told}, set: {tries: "{{ tries + 1 }}"}, next: bye}
  known: {say: "{{ patient or 'Who' }} owes {{ fee or 0 }}.", final: true}
  later: {say: "Later.", final: true, outcome: voicemail}
  bye: {say: Bye., final: true}
"""
DECLINING = """
flow: declining
initial: no
states:
  no: {reject: {}}
"""
LOOKING = """
flow: looking
initial: look
on: {error: bye}
states:
  look: {http: {url: "https://api.example.com/who", holdPrompt: wait}, next: bye}
  bye: {say: Bye., final: true}
"""
CONNECTING = """
flow: connecting
initial: connect
on: {error: bye}
states:
  connect: {transfer: {to: "+431234567"}, on: {failed: bye}}
  bye: {say: Bye., final: true}
"""
BILINGUAL = """
flow: bilingual
languages: [en-US, de-AT]
initial: bye
states:
  bye: {say: {en: Bye., de: Ciao.}, final: true}
"""


class Placed:
    """A call of ours through one flow."""

    def __init__(self, text: str, **values: Any) -> None:
        self.flow: Flow = flow_of(text)
        self.now = NOW
        self.call: Call = new_call(self.flow.hash, Facts(id="0" * 32, channel="test"))
        self.last = Step(self.call)
        self.apply(CallPlaced(OURS, THEIRS, values=values))

    def apply(self, event: Event, after: float = 1.0) -> "Placed":
        self.now += after
        self.last = step(self.flow, self.call, event, now=self.now)
        self.call = self.last.call
        return self

    def variable(self, name: str) -> Value:
        memory = self.call.memory
        return unpack((memory.private if name in memory.private else memory.variables)[name])

    @property
    def heard(self) -> str:
        prompts = [command.prompt for command in self.last.commands if isinstance(command, Play | Recognize)]
        return " ".join(getattr(segment, "value", "") for prompt in prompts for segment in prompt)

    @property
    def op(self) -> str:
        return self.call.asked[-1].op


def test_until_somebody_answers_nothing_is_said_and_no_state_is_entered() -> None:
    placed = Placed(REMINDER)
    assert (placed.call.phase, placed.call.state, placed.last.commands, placed.last.path) == ("calling", "", (), ())
    assert placed.call.memory.visits == {}
    assert placed.call.deadline is None


def test_the_flow_begins_at_its_answer_and_takes_no_call_that_was_answered() -> None:
    placed = Placed(REMINDER).apply(CallRinging()).apply(CallAnswered("human"))
    assert [type(command) for command in placed.last.commands] == [Recognize]
    assert [(taken.event, taken.target) for taken in placed.last.path][:2] == [("answered", "greet"), ("done", "who")]
    assert (placed.call.phase, placed.call.state) == ("answered", "ask")


def test_a_flow_sees_who_calls_whom_and_who_answered() -> None:
    placed = Placed(REMINDER).apply(CallAnswered("unknown"))
    assert placed.heard == f"outgoing {OURS} {THEIRS} {THEIRS} unknown"


def test_a_call_that_comes_in_has_the_other_direction_and_nobody_answered_it() -> None:
    flow = flow_of(REMINDER)
    call = new_call(flow.hash, Facts(id="0" * 32, channel="test"))
    taken = step(flow, call, CallReceived(THEIRS, OURS), now=NOW)
    asked = step(flow, taken.call, OperationDone(taken.call.asked[-1].op), now=NOW).commands[-1]
    assert isinstance(asked, Recognize)
    assert " ".join(getattr(part, "value", "") for part in asked.prompt) == f"incoming {THEIRS} {OURS} {THEIRS} we"


def test_a_machine_that_answers_is_for_the_flow_to_deal_with() -> None:
    placed = Placed(REMINDER).apply(CallAnswered("machine"))
    assert placed.heard == "Later."
    placed.apply(OperationDone(placed.op))
    assert (placed.call.phase, placed.call.outcome) == ("over", "voicemail")


@pytest.mark.parametrize("reason", get_args(NotAnswered))
@pytest.mark.parametrize("rung", [False, True])
def test_a_call_that_is_not_answered_is_over_and_its_outcome_says_why(reason: NotAnswered, *, rung: bool) -> None:
    placed = Placed(REMINDER, code="1234")
    if rung:
        placed.apply(CallRinging())
    placed.apply(CallNotAnswered(reason, 486))
    assert (placed.call.phase, placed.call.outcome, placed.last.commands) == ("over", reason, ())
    assert placed.call.memory.private == {}


@pytest.mark.parametrize(("by", "outcome"), [("caller", "rejected"), ("system", "failed"), ("operator", "failed")])
def test_a_call_that_ends_before_it_was_answered_has_an_outcome(
    by: Literal["caller", "system", "operator"], outcome: str
) -> None:
    placed = Placed(REMINDER).apply(CallEnded(by))
    assert (placed.call.phase, placed.call.outcome, placed.last.path) == ("over", outcome, ())


def test_a_flow_that_declines_calls_hangs_up_on_one_that_we_place() -> None:
    placed = Placed(DECLINING).apply(CallAnswered("human"))
    assert [type(command) for command in placed.last.commands] == [HangUp]
    placed.apply(OperationDone(placed.op))
    assert (placed.call.phase, placed.call.outcome) == ("over", "resolved")


def test_a_flow_that_begins_with_a_service_has_its_hold_prompt() -> None:
    placed = Placed(LOOKING).apply(CallAnswered("human"))
    assert [type(command) for command in placed.last.commands] == [Request]
    placed.apply(HoldNeeded())
    assert placed.heard == "wait"


@pytest.mark.parametrize("transfers", [False, True])
def test_whether_a_call_can_be_transferred_is_known_when_it_is_answered(*, transfers: bool) -> None:
    placed = Placed(CONNECTING).apply(CallAnswered("human", transfers=transfers))
    assert next(type(command).__name__ for command in placed.last.commands) == ("Transfer" if transfers else "Play")


@pytest.mark.parametrize(
    "event", [CallRinging(), CallAnswered("human"), CallNotAnswered("busy"), CallPlaced(OURS, THEIRS)]
)
def test_what_is_told_of_placing_a_call_means_nothing_once_it_is_answered(event: Event) -> None:
    placed = Placed(REMINDER).apply(CallAnswered("human"))
    answered = placed.call
    assert placed.apply(event).call is answered
    assert placed.last.ignored


@pytest.mark.parametrize("event", [CallReceived(None, OURS), HoldNeeded(), TimePassed(), KeysPressed("1.1", "1")])
def test_nothing_but_the_line_moves_a_call_that_is_not_answered(event: Event) -> None:
    placed = Placed(REMINDER)
    calling = placed.call
    assert placed.apply(event).call is calling


def test_ringing_counts_once() -> None:
    placed = Placed(REMINDER).apply(CallRinging())
    assert placed.call.facts.rung == placed.now
    assert placed.apply(CallRinging()).last.ignored == "the other side is known to be rung"


def test_ringing_is_no_part_of_the_time_that_a_call_may_take() -> None:
    placed = Placed(REMINDER).apply(CallAnswered("human"), after=300.0)
    placed.apply(KeysPressed(placed.op, "1"), after=59.0)
    assert [failure.event for failure in placed.last.failures] == []
    over = Placed(REMINDER).apply(CallAnswered("human"))
    over.apply(KeysPressed(over.op, "1"), after=61.0)
    assert [failure.event for failure in over.last.failures] == ["error.limit"]


def test_a_notification_tells_who_calls_whom() -> None:
    placed = Placed(REMINDER).apply(CallAnswered("human"))
    placed.apply(KeysPressed(placed.op, "1"))
    told = next(command for command in placed.last.commands if isinstance(command, Notify))
    assert (told.caller, told.called, told.started, told.placed) == (OURS, THEIRS, NOW + 1, True)


# --- parameters ------------------------------------------------------------------------------------------------------


def test_parameters_have_the_types_of_their_variables() -> None:
    placed = Placed(REMINDER, patient="Anna", fee=12.5)
    assert (placed.variable("patient"), str(placed.variable("fee"))) == ("Anna", "12.5")
    assert placed.variable("tries") == 0


def test_a_language_of_the_flow_can_be_given_by_its_first_part() -> None:
    assert Placed(BILINGUAL, language="de").variable("language") == "de-AT"
    assert Placed(CONNECTING, language="fr").variable("language") == "fr"


def test_an_outcome_can_be_given() -> None:
    placed = Placed(DECLINING, outcome="called").apply(CallAnswered("human"))
    assert placed.call.outcome == "called"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"tries": 3}, 'the flow has no parameter "tries"'),
        ({"nobody": "x"}, 'the flow has no parameter "nobody"'),
        ({"patient": 3}, '"patient" is not of type text'),
        ({"fee": 2000}, '"fee" is too small or too large'),
        ({"fee": "much"}, '"fee" is not of type decimal'),
        ({"day": "tomorrow"}, '"day" is not of type date, which is written 2026-12-24'),
        ({"language": 5}, '"language" is not of type text'),
        ({"outcome": ""}, '"outcome" is not of type text'),
    ],
)
def test_a_call_is_not_placed_with_what_does_not_fit(values: dict[str, object], why: str) -> None:
    placed = Placed(REMINDER, **values)
    assert placed.last.ignored == f"the flow cannot begin so: {why}"
    assert (placed.call.phase, placed.last.traced) == ("new", CallPlaced(None, ""))


def test_a_language_that_the_flow_does_not_have_is_none() -> None:
    placed = Placed(BILINGUAL, language="fr")
    assert placed.last.ignored == 'the flow cannot begin so: "language" is none of the flow\'s languages'


def test_a_private_parameter_decides_and_is_in_no_trace() -> None:
    placed = Placed(REMINDER, patient="Anna", code="1234", fee=3)
    assert placed.last.traced == CallPlaced(OURS, THEIRS, values={"patient": "Anna", "fee": 3}, masked=("code",))
    placed.apply(CallAnswered("human"))
    assert placed.heard == "Anna owes 3."


def test_a_replay_knows_only_how_a_private_parameter_was_judged() -> None:
    first = Placed(REMINDER, patient="Anna", code="1234", fee=3)
    traced = first.last.traced
    assert traced is not None
    judged = first.apply(CallAnswered("human")).last.judged
    flow = flow_of(REMINDER)
    again = step(flow, new_call(flow.hash, Facts(id="0" * 32, channel="test")), traced, now=NOW + 1)
    answered = step(flow, again.call, CallAnswered("human"), now=NOW + 2, judged=judged)
    assert (answered.commands, answered.path) == (first.last.commands, first.last.path)


def test_a_pretended_time_moves_the_clock_of_a_call_of_ours_too() -> None:
    flow = flow_of(REMINDER.replace("{{ call.direction }}", "{{ call.startedAt | time }} {{ now | time }}"))
    call = new_call(flow.hash, Facts(id="0" * 32, channel="test"))
    placed = step(flow, call, CallPlaced(OURS, THEIRS, at="18:00"), now=NOW)
    asked = step(flow, placed.call, CallAnswered("human"), now=NOW + 60).commands[-1]
    assert isinstance(asked, Recognize)
    assert getattr(asked.prompt[0], "value", "").startswith("6:00 PM 6:01 PM")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(0, "noAnswer"), (486, "busy"), (603, "rejected"), (404, "unreachable"), (501, "failed"), (407, "failed")],
)
def test_why_nobody_answered_is_told_by_a_sip_status(status: int, reason: str) -> None:
    assert why_not_answered(status) == reason
